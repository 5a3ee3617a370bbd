"""How did the numbers of a run move while it trained, and against which levels are they read?"""

import json
from array import array
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from workbench.run import Run, read_lines

POINTS = 2000  # per series: about two per pixel of a wide screen; a longer list only makes the browser slow


GROUPS = {  # in the order pages show them: title, what is drawn
    "loss": ("Loss", "weighted sum of the terms"),
    "terms": ("Term", "unweighted"),
    "probe": ("What a probe reads", "macro AUROC, ridge probe on validation studies"),
    "participation_ratio": ("Directions in use", "participation ratio, training mode"),
    "uncentred_rank": ("Uncentred rank", "effective rank, training mode"),
    "feature_std": ("Scale", "feature standard deviation, training mode"),
    "scalars": ("Scalar", "as the method logs it"),
    "grad_norm": ("Gradient norm", "before clipping"),
    "lr": ("Learning rate", "per optimizer group"),
    "step_seconds": ("Step time", "seconds"),
}


class Key(NamedTuple):
    """Which metric: one of GROUPS, and the term, feature or optimizer group; "" where the group has only one."""

    group: str
    name: str = ""

    def __str__(self) -> str:
        return f"{self.group}.{self.name}" if self.name else self.group

    @property
    def title(self) -> str:
        return f"{GROUPS[self.group][0]} · {self.name}" if self.name else GROUPS[self.group][0]


@dataclass(frozen=True)
class Series:
    """One metric of one run: `steps` and `values` (n,), down-sampled from `total` records."""

    run: str
    label: str
    kind: str  # "train", "val", or "ring" (features the training steps computed anyway, in training mode)
    steps: np.ndarray
    values: np.ndarray
    total: int


@dataclass(frozen=True)
class Level:
    """A value to read a metric against: chance, a trivial predictor, pixels, metadata, the untrained network."""

    name: str
    value: float
    why: str


@dataclass(frozen=True)
class Metric:
    """All series of one metric with the levels it is read against. `title` and `drawn` say what it is."""

    key: Key
    title: str
    drawn: str
    series: tuple[Series, ...]
    levels: tuple[Level, ...]


@dataclass
class Tail:
    """What has been read of a run's metrics.jsonl and events.jsonl; `read` takes only the bytes written since."""

    run: Run
    cursor: int = 0
    bytes_read: int = 0  # by the last call of `read`
    events_cursor: int = 0
    events: list[dict[str, Any]] = field(default_factory=list)
    columns: dict[tuple[str, Key], tuple[array, array, array]] = field(default_factory=dict)  # (kind, key) -> steps, positions, values
    last: dict[str, dict[str, Any]] = field(default_factory=dict)  # kind -> newest record

    def read(self) -> "Tail":
        """Append the whole lines written since the last call; a torn last line waits, a line torn by a crash is left out."""
        path = self.run.path / "metrics.jsonl"
        size = path.stat().st_size if path.is_file() else 0
        if size < self.cursor:  # replaced by a shorter file: start again
            self.cursor, self.columns, self.last = 0, {}, {}
        new, self.events_cursor = read_lines(self.run.path / "events.jsonl", self.events_cursor)
        self.events += new
        self.bytes_read = 0
        if size > self.cursor:
            with open(path, "rb") as file:
                file.seek(self.cursor)
                data = file.read()
            whole = data[: data.rfind(b"\n") + 1]
            position = self.cursor
            for raw in whole.splitlines(keepends=True):
                with suppress(json.JSONDecodeError):  # torn by a crash: its step was repeated after the resume
                    self._append(position, json.loads(raw))
                position += len(raw)
            self.bytes_read = position - self.cursor
            self.cursor = position
        return self

    def _append(self, position: int, record: Mapping[str, Any]) -> None:
        kind, step = record.get("kind", "train"), record["step"]
        self.last[kind] = dict(record)
        for key, value in numbers(record):
            steps, positions, values = self.columns.setdefault((kind, key), (array("q"), array("q"), array("d")))
            steps.append(step)
            positions.append(position)
            values.append(value)

    def known(self) -> tuple[Key, ...]:
        """Every metric read so far, in the order of GROUPS."""
        order = list(GROUPS)
        return tuple(sorted({key for _, key in self.columns}, key=lambda key: (order.index(key.group), key.name)))

    def column(self, kind: str, key: Key) -> tuple[np.ndarray, np.ndarray]:
        """Steps and values (n,) in step order: the last record per step, without what a resume superseded."""
        if (kind, key) not in self.columns:
            return np.empty(0, np.int64), np.empty(0)
        steps, positions, values = (np.array(column) for column in self.columns[kind, key])
        kept = np.ones(len(steps), bool)
        for event in self.events:
            if event.get("event") == "resumed":
                kept &= ~((positions < event["metrics_bytes"]) & (steps > event["step"]))
        steps, values = steps[kept], values[kept]
        unique, last = np.unique(steps[::-1], return_index=True)
        return unique, values[::-1][last]


def numbers(record: Mapping[str, Any]) -> Iterator[tuple[Key, float]]:
    """The metrics of one record; a missing number is NaN."""
    for group in ("loss", "grad_norm"):
        if group in record:
            yield Key(group), as_float(record[group])
    for group in ("terms", "scalars", "lr", "probe"):
        for name, value in record.get(group, {}).items():
            yield Key(group, name), as_float(value)
    for feature, statistics in record.get("features", {}).items():
        for group in ("participation_ratio", "uncentred_rank", "feature_std"):
            if group in statistics:
                yield Key(group, feature), as_float(statistics[group])
    if "step_seconds" in record.get("timing", {}):
        yield Key("step_seconds"), as_float(record["timing"]["step_seconds"])


def as_float(value: Any) -> float:
    return float("nan") if value is None else float(value)


def down_sample(steps: np.ndarray, values: np.ndarray, points: int = POINTS) -> tuple[np.ndarray, np.ndarray]:
    """At most `points` of (n,) points: the smallest and the largest of each stretch, so no spike is lost; the ends stay."""
    n = len(steps)
    if n <= points:
        return steps, values
    edges = np.linspace(1, n - 1, (points - 2) // 2 + 1).astype(int)
    chosen = [0, n - 1]
    for start, stop in pairwise(edges):
        stretch = values[start:stop]
        finite = np.flatnonzero(np.isfinite(stretch))
        if len(finite):
            chosen += [start + finite[np.argmin(stretch[finite])], start + finite[np.argmax(stretch[finite])]]
        else:
            chosen.append(start)  # a gap stays a gap
    kept = np.unique(chosen)
    return steps[kept], values[kept]


def levels(run: Run, key: Key) -> tuple[Level, ...]:
    """What a metric is read against in this run; empty where nothing is known."""
    references = run.references()
    found = []
    known = references.get("levels", {}).get(str(key))
    if known:
        found.append(Level("trivial", float(known["value"]), known.get("why", "")))
    if key.group == "probe":
        if "chance" in references:
            found.append(Level("chance", float(references["chance"]), "macro AUROC of a coin"))
        for floor in ("pixels", "metadata"):
            value = references.get(floor, {}).get("macro_auroc", {}).get("value")
            if value is not None:
                found.append(Level(floor, float(value), f"ridge probe on {floor} of the same studies"))
        untrained = run.probe(0).get(key.name, {}).get("macro_auroc", {}).get("value")
        if untrained is not None and not run.config.get("init_from"):
            found.append(Level("untrained", float(untrained), "this network before its first step"))
    return tuple(found)


def of_runs(
    tails: Sequence[Tail], keys: Sequence[Key] | None = None, labels: Mapping[str, str] | None = None, points: int = POINTS
) -> tuple[Metric, ...]:
    """One Metric per key that any of the runs has (all keys, if none given); a level that several runs share is given once."""
    result = []
    order = list(GROUPS)
    every = sorted({key for tail in tails for key in tail.known()}, key=lambda key: (order.index(key.group), key.name))
    for key in every if keys is None else keys:
        series: list[Series] = []
        shared: dict[tuple[str, float], Level] = {}
        for tail in tails:
            label = (labels or {}).get(tail.run.id, tail.run.title)
            for kind in ("train", "val", "ring"):
                steps, values = tail.column(kind, key)
                if len(steps):
                    series.append(Series(tail.run.id, label, kind, *down_sample(steps, values, points), total=len(steps)))
            for level in levels(tail.run, key):
                shared.setdefault((level.name, round(level.value, 4)), level)
        if series:
            result.append(Metric(key, key.title, GROUPS[key.group][1], tuple(series), tuple(shared.values())))
    return tuple(result)


def progress(status: Mapping[str, Any]) -> float:
    """Share of the steps done, 0 to 1."""
    return min(1.0, status.get("step", 0) / status["steps"]) if status.get("steps") else 0.0


def rate(tail: Tail, window: int = 50) -> float | None:
    """Steps per second over the last `window` training records, from their step times; None where none are timed."""
    _, seconds = tail.column("train", Key("step_seconds"))
    recent = seconds[-window:][np.isfinite(seconds[-window:])]
    return float(len(recent) / recent.sum()) if recent.sum() > 0 else None
