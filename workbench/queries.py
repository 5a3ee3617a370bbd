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

from workbench import criteria
from workbench.analysis.projection import Method, Projection
from workbench.criteria import Both, Either, Minus
from workbench.datasets import load_dataset
from workbench.errors import UserError
from workbench.resolving import combined, drawn, resolve
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


# ---- making, keeping, finding ----------------------------------------------------------------------------------------------


def lassoed(run: Run, found: Projection, polygon: Any, seed: int = 0, like: int | None = None) -> Query:
    """The set of a lasso on a map that is there already."""
    values = {"kind": "lasso", "run": run.id, "feature": found.feature, "step": found.step, "polygon": polygon}
    expression = criteria.read(values | {"method": found.method, "seed": seed, "like": like}, "lasso")
    return made(expression, run, drawn(found, [np.array(ring) for ring in expression.polygon]))


def make(expression: Any, run: Run) -> Query:
    """The set of a criterion over a run's data, not saved yet."""
    return made(expression, run, resolve(expression, run.source[1], run.path.parent))


def made(expression: Any, run: Run, keys: Sequence[str]) -> Query:
    """A set whose keys are known."""
    name, data = run.source
    kept = run.provenance.get("data", {}).get(name) if (run.path / "provenance.json").is_file() else None
    known = str(kept or load_dataset(data, run.id).data_hash)
    return Query(expression, data, known, tuple(keys), run.path.parent, run.id, "", time.time())


def over(expression: Any, data: Mapping[str, Any], root: Path, run: str = "") -> Query:
    """The set of a criterion over a data set, a `{name: …}` mapping."""
    return Query(expression, data, load_dataset(data, "query").data_hash, resolve(expression, data, root), root, run, "", time.time())


def query(
    of: Any,
    lasso: Any = None,
    where: Sequence[Any] | None = None,
    near: str | None = None,
    text: str | None = None,
    keys: Sequence[str] | None = None,
    feature: str = "image.projected",
    step: int | Literal["last"] = "last",
    method: Method = "pca",
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
