"""The run that is being described on the page Launch: what it began as, what was changed, and the YAML and command that say the same."""

import shlex
from collections.abc import Iterator, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import streamlit as st
import yaml

from app import actions
from app.form import line
from workbench.errors import UserError
from workbench.run import Run, RunConfig, find_run

DRAFT, BROKEN = "draft", "draft_broken"  # session keys: values and origin; lines of YAML that cannot be read, by path
RUN = "run:"
Place = tuple[str | int, ...]
LEFT = ("smoke",)


def begin(root: Path, origin: str) -> None:
    """Start from a recipe's name or from `run:ID`; changes made before are dropped. Raises UserError for neither."""
    if origin.startswith(RUN):
        base = {name: value for name, value in find_run(origin.removeprefix(RUN), root).config.items() if name not in LEFT}
    else:
        base = actions.recipe(origin)[1]
    base["stages"] = base.get("stages") or [{"steps": 1000}]
    number = st.session_state.get(DRAFT, {}).get("number", 0) + 1  # widgets of an earlier draft keep nothing
    st.session_state[DRAFT] = {"origin": origin, "base": base, "values": deepcopy(base), "number": number}
    st.session_state[BROKEN] = {}


def origin() -> str | None:
    return st.session_state.get(DRAFT, {}).get("origin")


def key(path: Place) -> str:
    """The name of a field's widget, another one in every draft."""
    return f"f{st.session_state[DRAFT]['number']}.{dotted(path)}"


def values() -> dict[str, Any]:
    return st.session_state[DRAFT]["values"]


def get(path: Place, of: str = "values") -> Any:
    """What stands at a path, None where nothing does; `of`: now (`values`) or to begin with (`base`)."""
    here: Any = st.session_state[DRAFT][of]
    for part in path:
        inside = part < len(here) if isinstance(here, list) and isinstance(part, int) else isinstance(here, dict) and part in here
        if inside:
            here = here[part]
        else:
            return None
    return here


def put(path: Place, value: Any) -> None:
    """Set a value; mappings on the way are made."""
    here: Any = values()
    for part in path[:-1]:
        here = here.setdefault(part, {}) if isinstance(here, dict) else here[part]
    here[path[-1]] = value


def drop(path: Place) -> None:
    """Take a value out again."""
    above = get(path[:-1]) if len(path) > 1 else values()
    if isinstance(above, dict):
        above.pop(path[-1], None)
    elif isinstance(above, list) and isinstance(path[-1], int) and path[-1] < len(above):
        above.pop(path[-1])


def changes() -> list[tuple[Place, Any]]:
    """Where the draft differs from what it began as: whole paths and their new values, None for what was taken out."""
    return list(differing(st.session_state[DRAFT]["base"], values(), ()))


def differing(before: Any, now: Any, path: Place) -> Iterator[tuple[Place, Any]]:
    if isinstance(before, Mapping) and isinstance(now, Mapping):
        for key in dict.fromkeys([*before, *now]):
            yield from differing(before.get(key), now.get(key), (*path, key))
    elif isinstance(before, list) and isinstance(now, list) and len(before) == len(now):
        for place, (old, new) in enumerate(zip(before, now)):
            yield from differing(old, new, (*path, place))
    elif before != now:
        yield path, now


def dotted(path: Place) -> str:
    return ".".join(str(part) for part in path)


def text() -> str:
    """The whole draft as YAML, as `workbench train FILE` takes it."""
    return yaml.safe_dump(values(), sort_keys=False, allow_unicode=True, width=120)


def command(root: Path) -> str:
    """The command line that starts the same run: what it began as, and a `--set` of every change."""
    began = str(origin())
    source = str(Path(root, began.removeprefix(RUN), "config.yaml")) if began.startswith(RUN) else began
    settings = [shlex.quote(f"{dotted(path)}={line(value) or 'null'}") for path, value in changes()]
    return (
        f"workbench train {shlex.quote(source)}"
        + (" --set " + " ".join(settings) if settings else "")
        + f" --runs {shlex.quote(str(root))}"
    )


def parsed() -> tuple[RunConfig | None, str | None]:
    """The configuration, or the sentence that says what is wrong with it; method and data are checked by a worker."""
    if st.session_state.get(BROKEN):
        path = next(iter(st.session_state[BROKEN]))
        return None, f"{path}: not readable as YAML; write for example [a, b] or {{key: value}}"
    try:
        config = RunConfig.parse(values(), "this run")
        actions.check_sources(config)
        return config, None
    except UserError as error:
        return None, str(error)


def starts(runs: list[dict[str, Any]]) -> list[str]:
    """What a draft can begin as: recipes, then runs, newest first."""
    return [*actions.recipes(), *(f"{RUN}{status['id']}" for status in runs if status["state"] != "damaged")]


def named(start: str, runs: Mapping[str, str]) -> str:
    """How a start is called in the list."""
    return f"run {runs.get(start.removeprefix(RUN), start)}" if start.startswith(RUN) else start


__all__ = ["Run", "begin", "changes", "command", "drop", "get", "named", "origin", "parsed", "put", "starts", "text", "values"]
