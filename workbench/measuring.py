"""The features of a run at a look, those it stored and those its snapshot still gives, with every measure of them. Needs torch."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from workbench.analysis import growth, measures
from workbench.analysis.catalogue import MEASURES
from workbench.analysis.factors import not_untrained, placed
from workbench.analysis.towers import IMAGE, TEXT
from workbench.batches import Address, Rows, collate
from workbench.dataset import Dataset
from workbench.datasets import load_dataset
from workbench.embeddings import Embeddings
from workbench.errors import UserError
from workbench.features import of_batches, of_look
from workbench.figures import growth as curves
from workbench.figures import measures as overviews
from workbench.figures.theme import Palette
from workbench.models import load_method
from workbench.run import Run

Load = Callable[[int], Any]  # step -> method
SAMPLES, VIEWS = 100, 8  # studies and views of each that LiDAR is read from


def at(run: Run, step: int, dataset: Dataset | None, load: Load) -> tuple[dict[str, Embeddings], dict[str, str]]:
    """Vector features of the look at `step` by name, and why others that the method declares are not among them.

    What the look did not store is computed from the snapshot of that step, where there is one.
    """
    found = measures.stored(run, step)
    declared = [name for name, shape in (run.status.get("features") or {}).items() if shape == "b d" and name not in found]
    if not declared:
        return found, {}
    if dataset is None or step not in run.steps_of("snapshots"):
        return found, dict.fromkeys(declared, f"the look did not store it and there is no snapshot of step {step} to compute it with")
    return found | of_look(run, step, dataset, load(step), declared), {}


def of_run(
    run: Run, step: int, dataset: Dataset | None, load: Load, progress: measures.Progress = lambda share, message: None
) -> measures.Measures:
    """Every measure of every vector feature at `step`, beside the untrained network and the pixels; raises UserError where the look kept none."""
    features, missing = at(run, step, dataset, load)
    before: dict[str, Embeddings] = {}
    why = not_untrained(run)
    if not why:
        try:
            before = features if step == 0 else at(run, 0, dataset, load)[0]
        except UserError as error:
            why = str(error)
    missing |= {"untrained": why} if why else {}
    found = measures.of_looks(run, step, features, before, missing, dataset, progress)
    progress(0.9, "measuring views")
    now, samples, why = viewed(run, step, dataset, load, next(iter(features.values())))
    first = now if step == 0 else viewed(run, 0, dataset, load, next(iter(before.values())))[0] if now and before else {}
    return measures.with_views(found, now, first, samples, why)


def viewed(run: Run, step: int, dataset: Dataset | None, load: Load, look: Embeddings) -> tuple[dict[str, np.ndarray], np.ndarray, str]:
    """Vector features of the look's first studies under several draws of the run's own augmentation, a row a view; which study each is of.

    Without them, in words, why there are none.
    """
    if dataset is None or step not in run.steps_of("snapshots"):
        return {}, np.zeros(0, int), f"{measures.ONE_VIEW}, and there is no snapshot of step {step} to compute them with"
    method = load(step)
    if getattr(method.config, "augment", "none") == "none":
        return {}, np.zeros(0, int), "trained without augmentation: a study has one view"
    chosen = placed(run, look, dataset)[:SAMPLES]
    rows = Rows(type(method), method.config, {"data": dataset}, 0, "views")
    batches = [collate([rows[Address("data", int(index), view)] for index in chosen]) for view in range(VIEWS)]
    names = [name for name, shape in method.features.items() if shape == "b d"]
    return of_batches(method, batches, names), np.tile(np.arange(len(chosen)), VIEWS), ""


def growth_of(run: Run, step: int, feature: str, measure: str, dataset: Dataset | None, load: Load) -> growth.Growth:
    """The curve over N of a measure of one feature, or of both towers; raises UserError where it cannot be read, with the reason."""
    features, missing = at(run, step, dataset, load)
    needs = MEASURES[measure].needs if measure in MEASURES else "rows"
    name = IMAGE if needs == "towers" else feature
    if name not in features:
        why = missing.get(name) or f"there are {', '.join(features)}"
        raise UserError(f"{run.id}: no feature {name!r} at step {step}: {why}")
    z = features[name]
    patients = np.asarray(z.patients)
    if needs == "views":
        raise UserError(f"{measure}: {measures.ONE_VIEW}")
    if needs == "towers":
        if TEXT not in features or features[TEXT].keys != z.keys:
            raise UserError(f"{run.id}: no {TEXT} of the same studies at step {step}: {measure} compares images and reports")
        return growth.grow(measure, z, patients, features[TEXT].features)
    if needs == "classes":
        if dataset is None or not len(dataset.label_names):
            raise UserError(f"{run.id}: its data has no labels: {measure} compares classes")
        labels = np.asarray(dataset.labels, float)[placed(run, z, dataset)]
        kept, which = measures.one_finding(labels, dataset.label_names)
        return growth.grow(measure, measures.part(z, kept), patients[kept], which)
    return growth.grow(measure, z, patients)


def seen(run: Run, feature: str, step: int, over_n: str, palette: Palette) -> tuple[Any, Any, list[dict[str, object]]]:
    """Data, figure and rows for a notebook: every measure of a feature, or the curve of the one that `over_n` names."""
    dataset = load_dataset(run.source[1], run.id) if run.config["data"] else None
    load, colour = partial(load_method, run), palette.of(0)
    if over_n:
        curve = growth_of(run, step, feature, over_n, dataset, load)
        return curve, curves.curve(curve, colour, palette, feature), curves.rows(curve)
    found = of_run(run, step, dataset, load)
    own = found[feature]
    pixels = found.pixels if feature != measures.PAIR else None
    return found, overviews.overview(own, pixels, colour, palette, overviews.title(own), step), overviews.rows(found, feature)
