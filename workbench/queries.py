"""A named set of studies: what it was chosen by, and the studies that were; made on a page or in a notebook, saved beside the runs.  (no torch)

>>> old = wb.query(run, where=("age", ">=", 65)) & wb.query(run, lasso=[[0, 0], [2, 0], [1, 2]], feature="image.projected")
>>> old.save("old-and-right"); wb.query("old-and-right").keys
"""

import hashlib
import json
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np

from workbench import columns, criteria, mapping
from workbench.analysis import projection
from workbench.analysis._reading import unit
from workbench.analysis.polygon import inside
from workbench.criteria import Both, Either, Lasso, Listed, Minus, Near, Where
from workbench.dataset import Dataset
from workbench.datasets import load_dataset
from workbench.errors import UserError
from workbench.jobs import describe_job
from workbench.run import NAME, Run, find_run, read_json, runs_root, write_json

FORMAT, FOLDER, KEPT = 1, "queries", "before"  # KEPT: where a file goes that is replaced or deleted


@dataclass(frozen=True)
class Query:
    """A set of studies of a data set, whose configuration is `data`. `keys` are those it holds; `expression` says what they were chosen by;
    `run` is the run it was made with, if any; `name` is "" until it is saved."""

    expression: Any
    data: Mapping[str, Any]
    data_hash: str
    keys: tuple[str, ...]
    root: Path
    run: str = ""
    name: str = ""
    created: float = 0.0

    def __len__(self) -> int:
        return len(self.keys)

    def __bool__(self) -> bool:
        """A set of no study is a set."""
        return True

    def __repr__(self) -> str:
        return f"<query {self.name or 'not saved'}: {len(self)} studies, {self.told}>"

    def __and__(self, other: "Query") -> "Query":
        return self._with(other, Both)

    def __or__(self, other: "Query") -> "Query":
        return self._with(other, Either)

    def __sub__(self, other: "Query") -> "Query":
        return self._with(other, Minus)

    def _with(self, other: "Query", kind: type) -> "Query":
        if self.data_hash != other.data_hash:
            raise UserError(f"{self!r} and {other!r} are of different data: their studies cannot be combined")
        parts = (self.expression, other.expression)
        keys = combined(kind, [self.keys, other.keys])
        return replace(self, expression=kind(parts=parts), keys=keys, name="", created=time.time())

    @property
    def told(self) -> str:
        """What it was chosen by, in words."""
        return criteria.told(self.expression)

    @cached_property
    def members(self) -> frozenset[str]:
        """Its keys, to look one up."""
        return frozenset(self.keys)

    @cached_property
    def digest(self) -> str:
        """What an answer about it depends on."""
        text = json.dumps([self.expression.to_dict(), self.data_hash, *self.keys])
        return hashlib.sha256(text.encode()).hexdigest()

    def mask(self, keys: Sequence[str]) -> np.ndarray:
        """(n,) bool: which of these studies it holds."""
        return np.fromiter((key in self.members for key in keys), bool, len(keys))

    def again(self) -> "Query":
        """The same question asked anew: of a run that has trained on, or data that has changed, the answer may be another."""
        return replace(over(self.expression, self.data, self.root, self.run), name=self.name)

    def save(self, name: str, overwrite: bool = False) -> "Query":
        """Keep it as `queries/NAME.json` of the runs folder; one it replaces is moved aside. Raises UserError for a name that is none, or taken."""
        path = path_of(self.root, name)
        if path.is_file():
            if not overwrite:
                raise UserError(f"{name}: a set of this name is saved already; choose another name, or overwrite it")
            aside(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        saved = replace(self, name=name, created=time.time())
        write_json(path, saved.as_dict(), durable=True)
        return saved

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        head = {"format": FORMAT, "name": self.name, "expression": self.expression.to_dict(), "run": self.run}
        return head | {"data": dict(self.data), "data_hash": self.data_hash, "created": self.created, "keys": list(self.keys)}

    @classmethod
    def of_dict(cls, values: Mapping[str, Any], root: Path, where: str) -> "Query":
        """What `as_dict` gave, also through JSON; raises UserError that names `where`."""
        if values.get("format") != FORMAT:
            raise UserError(f"{where}: a set of format {values.get('format')}, this version reads {FORMAT}; make it again")
        keys = values.get("keys")
        if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
            raise UserError(f"{where}: no list of keys; make the set again")
        found, data = criteria.read(values.get("expression"), where), values.get("data")
        if not isinstance(data, dict):
            raise UserError(f"{where}: names no data set; make the set again")
        run, data_hash, name = (str(values.get(each) or "") for each in ("run", "data_hash", "name"))
        return cls(found, data, data_hash, tuple(keys), root, run, name, float(values.get("created") or 0))


def combined(kind: type, parts: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """Keys in the order of the first part that has them."""
    others = [set(each) for each in parts[1:]]
    if kind is Either:
        return tuple(dict.fromkeys(key for part in parts for key in part))
    if kind is Both:
        return tuple(key for key in parts[0] if all(key in other for other in others))
    return tuple(key for key in parts[0] if not any(key in other for other in others))


# ---- what a criterion holds -----------------------------------------------------------------------------------------------


def located(run: Run, feature: str, step: int, method: str = "pca", seed: int = 0, like: int | None = None) -> projection.Projection:
    """The map a lasso is drawn on: the same for page, notebook and saved set. Of a PCA, `like` is the look whose axes it agrees with.

    Maps that the worker draws are those it kept; raises UserError where it has not.
    """
    if method == "pca" and feature in run.geometry(step):
        guide = None if like in (None, step) else projection.pca(run.embeddings(feature, like), measured=False)
        return projection.pca(run.embeddings(feature, step), guide, measured=False)
    job = describe_job(run.path.parent, mapping.JOB, run.id, mapping.parameters(run, feature, step, method, seed))  # type: ignore[arg-type]
    if not job.done:
        raise UserError(f"{run.id}: no {method} map of {feature} at step {step} is kept; compute it on the page Map first")
    return mapping.load(job.result, step)


def resolve(expression: Any, data: Mapping[str, Any], root: Path) -> tuple[str, ...]:
    """The keys of the studies that meet a criterion; raises UserError that says what is missing."""
    if isinstance(expression, criteria.COMBINED):
        return combined(type(expression), [resolve(part, data, root) for part in expression.parts])
    if isinstance(expression, Lasso):
        found = located(
            find_run(expression.run, root), *(getattr(expression, each) for each in ("feature", "step", "method", "seed", "like"))
        )
        held = inside(found.xy, [np.array(ring) for ring in expression.polygon])
        return tuple(dict.fromkeys(key for key, own in zip(found.keys, held) if own))  # images and reports share keys
    if isinstance(expression, Near):
        return near(find_run(expression.run, root), expression)
    if isinstance(expression, Listed):
        return tuple(dict.fromkeys(expression.keys))
    dataset = load_dataset(data, "query")
    return tuple(key for key, own in zip(dataset.keys, filtered(dataset, expression)) if own)


def filtered(dataset: Dataset, asked: Where) -> np.ndarray:
    """(n,) bool: which studies of a data set meet one condition; raises UserError where the column cannot be asked that."""
    if asked.column == "report":
        if not isinstance(asked.value, str) or not asked.op.startswith("says"):
            raise UserError("report: expected `says` or `says not` and a text; correct the condition")
        return columns.saying(dataset, asked.value) == (asked.op == "says")
    if asked.op.startswith("says"):
        raise UserError(f"{asked.column}: only a report says something; ask what it `is`, or whether it is at least or at most a number")
    if asked.op == "is":
        return columns.said_to_be(dataset, asked.column, asked.values)
    if not isinstance(asked.value, int | float):
        raise UserError(f"{asked.column} {asked.op}: expected a number, got {asked.value!r}; correct the condition")
    low, high = (asked.value, np.inf) if asked.op == "at least" else (-np.inf, asked.value)
    return columns.compared(dataset, asked.column, low, high)


def near(run: Run, asked: Near) -> tuple[str, ...]:
    """A study and its nearest by the cosine of stored features, nearest first; raises UserError where it is not among them."""
    stored = run.embeddings(asked.feature, asked.step)
    if asked.key not in stored.keys:
        raise UserError(f"{run.id}: {asked.key!r} is not among the studies of its looks; choose one on the map, or another run")
    z = unit(stored.features)
    cosine = z @ z[stored.keys.index(asked.key)]
    cosine[stored.keys.index(asked.key)] = np.inf
    return tuple(stored.keys[row] for row in np.argsort(-cosine, kind="stable")[: asked.k + 1])


# ---- making, keeping, finding ----------------------------------------------------------------------------------------------


def make(expression: Any, run: Run) -> Query:
    """The set of a criterion over a run's data, not saved yet."""
    name, data = run.source
    kept = run.provenance.get("data", {}).get(name) if (run.path / "provenance.json").is_file() else None
    return over(expression, data, run.path.parent, run.id, str(kept or ""))


def over(expression: Any, data: Mapping[str, Any], root: Path, run: str = "", data_hash: str = "") -> Query:
    """The set of a criterion over a data set, a `{name: …}` mapping; `data_hash` where it is known, else the data set is asked."""
    known = data_hash or load_dataset(data, "query").data_hash
    return Query(expression, data, known, resolve(expression, data, root), root, run, "", time.time())


def query(
    of: Any,
    lasso: Any = None,
    where: Sequence[Any] | None = None,
    near: str | None = None,
    text: str | None = None,
    keys: Sequence[str] | None = None,
    feature: str = "image.projected",
    step: int | Literal["last"] = "last",
    method: criteria.Method = "pca",
    seed: int = 0,
    k: int = 20,
    root: str | Path | None = None,
) -> Query:
    """A saved set by its name; or, of a run, the studies inside a `lasso`, `where` a column is something, `near` a study or a `text`, or listed.

    `where` is ("effusion", "present"), ("age", ">=", 65), ("report", "says", "pleural effusion"), or a list of such. Several criteria: all of them.
    """
    if all(each is None for each in (lasso, where, near, text, keys)):
        return load(str(of), root)
    run: Run = of if isinstance(of, Run) else getattr(of, "run", None) or find_run(of, root)
    at: dict[str, Any] = {"run": run.id, "feature": feature, "step": None}
    if lasso is not None or near is not None or text is not None:
        at["step"] = run.looks()[-1] if step == "last" else int(step)
    wanted: list[dict[str, Any]] = []
    if lasso is not None:
        wanted.append({"kind": "lasso", **at, "polygon": lasso, "method": method, "seed": seed, "like": run.looks()[-1]})
    for each in [where] if where is not None and isinstance(where[0], str) else where or ():
        column, *op, value = each
        wanted.append({"kind": "where", "column": column, "op": op[0] if op else "is", "value": value})
    wanted += [{"kind": "near", **at, "key": near, "k": k}] if near is not None else []
    wanted += [{"kind": "text", **at, "words": text, "k": k}] if text is not None else []
    wanted += [{"kind": "listed", "keys": list(keys)}] if keys is not None else []
    found = [criteria.read(each, "query") for each in wanted]
    return make(found[0] if len(found) == 1 else Both(parts=tuple(found)), run)


def names(root: str | Path | None = None) -> list[str]:
    """Names of the saved sets, the newest first."""
    folder = runs_root(root) / FOLDER
    paths = [path for path in folder.glob("*.json") if NAME.fullmatch(path.stem)] if folder.is_dir() else []
    return [path.stem for path in sorted(paths, key=lambda path: path.stat().st_mtime, reverse=True)]


def list_queries(root: str | Path | None = None) -> list[Query]:
    """Every saved set, the newest first; raises UserError for a damaged one, with what to do."""
    return [load(name, root) for name in names(root)]


def load(name: str, root: str | Path | None = None) -> Query:
    """A saved set; raises UserError that lists those there are."""
    base = runs_root(root)
    path = path_of(base, name)
    if not path.is_file():
        raise UserError(f"{name}: no set of this name is saved; there are {', '.join(names(base)[:12]) or 'none'}")
    try:
        values = read_json(path)
    except UserError as error:
        raise UserError(f"{path}: damaged set ({error}); restore it or delete it") from None
    return Query.of_dict(values, base, str(path))


def delete(name: str, root: str | Path | None = None) -> Path:
    """Take a set off the list; its file stays under `queries/before`. Returns where."""
    path = path_of(runs_root(root), name)
    if not path.is_file():
        raise UserError(f"{name}: no set of this name is saved")
    return aside(path)


def path_of(root: Path, name: str) -> Path:
    """Where a set of this name lies."""
    if not NAME.fullmatch(name):
        raise UserError(
            f"{name!r}: a set's name has letters, digits, dots, dashes and underscores, at most 121, and starts with a letter or digit"
        )
    return root / FOLDER / f"{name}.json"


def aside(path: Path) -> Path:
    """Move a file to where nothing lists it."""
    kept = path.parent / KEPT / f"{path.stem}-{time.time_ns()}.json"
    kept.parent.mkdir(exist_ok=True)
    os.replace(path, kept)
    return kept
