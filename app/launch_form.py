"""The form of the page Launch: groups of fields drawn from the schemas of a run, its method and its data sets."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import streamlit as st

from app import draft, form, state, work
from workbench import jobs, registry
from workbench.errors import UserError
from workbench.run import NAME, RunConfig
from workbench.run_files import read_json

SCHEMA = RunConfig.model_json_schema()
COLUMNS = 3
GROUPS = {  # heading -> fields of a run's configuration; those not named here stand under the first
    "Run": ("name", "tags", "seed", "batch", "accumulate", "device", "precision", "trials"),
    "Watching": ("validation", "monitors", "snapshots"),
    "Machine": ("workers", "threads", "log_every", "checkpoint_every", "on_nan"),
}
OWN = ("method", "data", "stages", "optimizers", "init_from")  # drawn by themselves


class Leaf(NamedTuple):
    """One field: where it lies in the configuration, and the part of the schema that describes it."""

    path: tuple[str | int, ...]
    part: Mapping[str, Any]


class Shown(NamedTuple):
    """Which fields are drawn."""

    words: str
    changed: bool

    def passes(self, leaf: Leaf) -> bool:
        text = f"{draft.dotted(leaf.path)} {leaf.part.get('description', '')}".replace("_", " ").lower()
        return all(word in text for word in self.words.replace("_", " ").lower().split()) and (not self.changed or differs(leaf))


def whole(root: Path, shown: Shown) -> None:
    """The form, top to bottom; a group in which nothing passes is left out."""
    rest = [name for name in SCHEMA["properties"] if name not in OWN and not any(name in names for names in GROUPS.values())]
    for heading, names in GROUPS.items():
        leaves = [
            leaf
            for name in (*names, *(rest if heading == "Run" else ()))
            for leaf in leaves_of(SCHEMA, name, SCHEMA["properties"][name], ())
        ]
        group(heading, leaves, shown, opened=heading == "Run")
        if heading == "Run":
            described(root, ("method",), "methods", "Method", shown)
            sources(root, shown)
            stages(shown)
            group("Optimizers", optimizers(), shown)
            group("Start weights", leaves_of(SCHEMA, "init_from", SCHEMA["properties"]["init_from"], ()), shown)


def leaves_of(schema: Mapping[str, Any], name: str | int, part: Mapping[str, Any], above: tuple[str | int, ...]) -> list[Leaf]:
    """The leaves below one property: an object's own, in order; anything else is one leaf."""
    part, path = form.resolve(schema, part), (*above, name)
    if "properties" in part:
        return [leaf for inner, each in part["properties"].items() for leaf in leaves_of(schema, inner, each, path)]
    return [Leaf(path, part)]


def optimizers() -> list[Leaf]:
    part = form.resolve(SCHEMA, SCHEMA["properties"]["optimizers"]["additionalProperties"])
    named = draft.get(("optimizers",)) or {"main": {}}
    return [leaf for name in named for leaf in leaves_of(SCHEMA, name, part, ("optimizers",))]


def group(heading: str, leaves: Sequence[Leaf], shown: Shown, opened: bool = False) -> None:
    """Fields below a heading; those of a closed group are drawn once it is opened: a browser takes 10 ms for each."""
    passing = [leaf for leaf in leaves if shown.passes(leaf)]
    if not passing:
        return
    count = sum(differs(leaf) for leaf in leaves)
    title = state.escape(heading) + (f" · {count} changed" if count else "")
    key = f"{'found' if filtered(shown) else 'group'}.{heading}"
    below = st.expander(title, expanded=opened or filtered(shown), key=key, on_change="rerun")
    if below.open:
        with below:
            draw(passing)


def filtered(shown: Shown) -> bool:
    return bool(shown.words) or shown.changed


def draw(leaves: Sequence[Leaf]) -> None:
    """Fields in rows of three."""
    for start in range(0, len(leaves), COLUMNS):
        for column, leaf in zip(st.columns(COLUMNS, gap="small", vertical_alignment="bottom"), leaves[start : start + COLUMNS]):
            with column:
                field(leaf)


def field(leaf: Leaf) -> None:
    """One widget that shows the draft and changes it."""
    key, where = draft.key(leaf.path), draft.dotted(leaf.path)
    label = form.label_of(called(leaf.path))
    label = f":primary[{label}]" if differs(leaf) else label
    broken = st.session_state[draft.BROKEN].get(where)
    if broken is not None:
        st.text_input(f":red[{label}: not readable as YAML]", broken, key=key, on_change=changed, args=(leaf, key))
        return
    form.field(str(leaf.path[-1]), leaf.part, now(leaf), key, label, on_change=lambda: changed(leaf, key))


def called(path: tuple[str | int, ...]) -> str:
    """A field's own name, with the group it is in where its heading does not say it: `weights · alignment`."""
    if path[0] in ("validation", "monitors", "snapshots"):
        return " · ".join(map(str, path))
    inner = [part for part in path[{"method": 1, "data": 3, "stages": 2, "optimizers": 2}.get(str(path[0]), 0) :] if isinstance(part, str)]
    return " · ".join(inner or map(str, path[-1:]))


def now(leaf: Leaf) -> Any:
    """What the field holds: the draft's value, else the default."""
    value = draft.get(leaf.path)
    return leaf.part.get("default") if value is None else value


def differs(leaf: Leaf) -> bool:
    before, after = draft.get(leaf.path, "base"), draft.get(leaf.path)
    default = leaf.part.get("default")
    return (default if before is None else before) != (default if after is None else after)


def changed(leaf: Leaf, key: str) -> None:
    """A widget's callback: its value becomes the draft's."""
    value, where = st.session_state[key], draft.dotted(leaf.path)
    kind = leaf.part.get("type")
    if "enum" not in leaf.part and kind not in ("boolean", "integer", "number", "string"):
        read = form.parsed(value)
        if read is form.UNREADABLE:
            st.session_state[draft.BROKEN][where] = value
            return
        value = read
    st.session_state[draft.BROKEN].pop(where, None)
    if kind == "string" and value == "" and leaf.part.get("optional"):
        value = None
    if value is None and draft.get(leaf.path, "base") is None:
        draft.drop(leaf.path)
    else:
        draft.put(leaf.path, value)


# ---- parts that have a name and a schema of their own ------------------------------------------------------------------


def described(root: Path, path: tuple[str | int, ...], kind: str, heading: str, shown: Shown) -> None:
    """A method or data set: which one, and the fields of its own Config, as a worker exported them."""
    known, chosen = list(registry.names(kind)), str((draft.get(path) or {}).get("name", ""))
    names = known if chosen in known else [chosen, *known]
    found = exported(root, kind, chosen)
    leaves = [leaf for name, part in (found or {}).get("properties", {}).items() for leaf in leaves_of(found or {}, name, part, path)]
    if filtered(shown) and not any(shown.passes(leaf) for leaf in leaves):
        return
    count = sum(differs(leaf) for leaf in leaves)
    with st.expander(
        f"{heading} · {state.escape(chosen)}" + (f" · {count} changed" if count else ""), expanded=True, key=f"group.{heading}"
    ):
        key = f"pick.{draft.dotted(path)}"
        st.session_state[key] = chosen
        st.selectbox(
            heading.partition(" · ")[0], names, key=key, on_change=lambda: choose(root, path, kind, st.session_state[key]), help=told(found)
        )
        if chosen not in known:
            st.caption(f"{state.escape(chosen)} is not part of the workbench: its fields stand in the YAML only.")
        elif found is None:
            work.shown(work.ask(root, "schema", None, jobs.schema_of(kind, chosen)), 120, f"schema.{draft.dotted(path)}")
        else:
            draw([leaf for leaf in leaves if shown.passes(leaf)])


def told(schema: Mapping[str, Any] | None) -> str | None:
    return state.escape((schema or {}).get("doc", "").strip().splitlines()[0]) if (schema or {}).get("doc") else None


def exported(root: Path, kind: str, name: str) -> dict[str, Any] | None:
    """The schema where a worker has exported it; None while none has, or where there is no such name."""
    try:
        job = jobs.describe_job(root, "schema", None, jobs.schema_of(kind, name))
    except UserError:
        return None
    return read_json(job.result / "schema.json") if job.done else None


def choose(root: Path, path: tuple[str | int, ...], kind: str, name: str) -> None:
    """Another method or data set; fields that it has too are kept."""
    known = (exported(root, kind, name) or {}).get("properties", {})
    kept = {key: value for key, value in (draft.get(path) or {}).items() if key in known and not isinstance(value, dict)}
    draft.put(path, {"name": name} | kept)


def sources(root: Path, shown: Shown) -> None:
    """Every source with its data set, weight and texts; and the line that adds one."""
    part = form.resolve(SCHEMA, SCHEMA["properties"]["data"]["additionalProperties"])
    given = list(draft.get(("data",)) or {})
    for name in given:
        described(root, ("data", name, "config"), "data", f"Data · {name}", shown)
        own = [
            leaf
            for field_, each in part["properties"].items()
            if field_ != "config"
            for leaf in leaves_of(SCHEMA, field_, each, ("data", name))
        ]
        if len(given) > 1 or shown.words or any(differs(leaf) for leaf in own):
            group(f"Mixing · {name}", own, shown)
        if len(given) > 1 and not shown.words:
            st.button(
                f"Remove the source {state.escape(name)}",
                key=f"remove.{name}",
                type="tertiary",
                on_click=draft.drop,
                args=(("data", name),),
            )
    if not shown.words and not shown.changed:
        with st.popover("Add a source", type="tertiary", icon=":material/add:"):
            st.text_input("Name of the source", key="source_name", max_chars=60, placeholder="sentences")
            st.selectbox("Data set", list(registry.names("data")), key="source_data")
            st.button("Add this source", key="source_add", on_click=add_source)


def add_source() -> None:
    name = st.session_state["source_name"].strip()
    if NAME.fullmatch(name) and name not in (draft.get(("data",)) or {}):
        draft.put(("data", name), {"config": {"name": st.session_state["source_data"]}})


def stages(shown: Shown) -> None:
    """Every stage, one after the other."""
    part = form.resolve(SCHEMA, SCHEMA["properties"]["stages"]["items"])
    count = len(draft.get(("stages",)))
    for index in range(count):
        leaves = leaves_of(SCHEMA, index, part, ("stages",))
        group("Stage" if count == 1 else f"Stage {index + 1}", leaves, shown, opened=count == 1)
    if not shown.words and not shown.changed:
        with st.container(horizontal=True):
            st.button(
                "Add a stage",
                key="stage_add",
                type="tertiary",
                icon=":material/add:",
                on_click=lambda: draft.get(("stages",)).append({"steps": 100}),
            )
            if count > 1:
                st.button("Remove the last stage", key="stage_drop", type="tertiary", on_click=lambda: draft.get(("stages",)).pop())
