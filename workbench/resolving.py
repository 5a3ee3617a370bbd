"""Which studies meet a criterion: the same answer for page, notebook and saved set.  (no torch, but for words and uploads)"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from workbench import columns, criteria, mapping
from workbench.analysis import projection, search, towers
from workbench.analysis.polygon import inside
from workbench.criteria import Both, Either, Lasso, Listed, Near, Text, Where
from workbench.dataset import Dataset
from workbench.datasets import load_dataset
from workbench.errors import UserError
from workbench.jobs import describe_job, read_upload
from workbench.run import Run, find_run


def located(
    run: Run, feature: str, step: int, method: projection.Method = "pca", seed: int = 0, like: int | None = None
) -> projection.Projection:
    """The map a lasso is drawn on: the same for page, notebook and saved set. Of a PCA, `like` is the look whose axes it agrees with."""
    stored = set(run.geometry(step))
    if method == "pca" and feature in stored:
        guide = None if like in (None, step) else projection.pca(run.embeddings(feature, like), None, False)
        return projection.pca(run.embeddings(feature, step), guide, False)
    job = describe_job(run.path.parent, mapping.JOB, run.id, mapping.parameters(run, feature, step, method, seed))
    if job.done:
        return mapping.load(job.result, step)
    if method == "pca" and feature == projection.JOINT and {projection.IMAGE, projection.TEXT} <= stored:
        return projection.pca(towers.together(run, *towers.stored(run, step)), None, False)
    raise UserError(f"{run.id}: no {method} map of {feature} at step {step} is kept; compute it on the page Map first")


def drawn(found: projection.Projection, polygon: Any) -> tuple[str, ...]:
    """The keys of the points of a map inside a polygon, each once."""
    return tuple(dict.fromkeys(key for key, own in zip(found.keys, inside(found.xy, polygon)) if own))


def resolve(expression: Any, data: Mapping[str, Any], root: Path) -> tuple[str, ...]:
    """The keys of the studies that meet a criterion; raises UserError that says what is missing."""
    if isinstance(expression, criteria.COMBINED):
        return combined(type(expression), [resolve(part, data, root) for part in expression.parts])
    if isinstance(expression, Lasso):
        found = located(
            find_run(expression.run, root), *(getattr(expression, each) for each in ("feature", "step", "method", "seed", "like"))
        )
        return drawn(found, [np.array(ring) for ring in expression.polygon])
    if isinstance(expression, Near | Text):
        return nearest(find_run(expression.run, root), expression)
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


def nearest(run: Run, asked: Near | Text) -> tuple[str, ...]:
    """A study and its nearest by the cosine of stored features, or the nearest to words or an upload (loads torch), nearest first; raises UserError."""
    if isinstance(asked, Near) and asked.key:
        stored = run.embeddings(asked.feature, asked.step)
        if asked.key not in stored.keys:
            raise UserError(f"{run.id}: {asked.key!r} is not among the studies of its looks; choose one on the map, or another run")
        row = stored.features[stored.keys.index(asked.key)]
        return (asked.key, *search.near(stored, row, asked.k, (asked.key,)).keys)
    from workbench import searching
    from workbench.models import load_method

    words = asked.words if isinstance(asked, Text) else None
    image = read_upload(run.path.parent, asked.upload) if isinstance(asked, Near) else None
    question, dataset = searching.Query(words, None, image), load_dataset(run.source[1], run.id)
    return searching.of_run(run, asked.step, asked.feature, question, dataset, lambda step: load_method(run, step), asked.k).images.keys


def combined(kind: type, parts: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """Keys in the order of the first part that has them."""
    others = [set(each) for each in parts[1:]]
    if kind is Either:
        return tuple(dict.fromkeys(key for part in parts for key in part))
    if kind is Both:
        return tuple(key for key in parts[0] if all(key in other for other in others))
    return tuple(key for key in parts[0] if not any(key in other for other in others))
