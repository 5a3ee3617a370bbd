"""Retrieval at a look of a run: its towers, stored or computed from the snapshot, beside those of the untrained network. Needs torch."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from workbench import closing, text
from workbench.analysis import ranking, towers
from workbench.analysis.factors import not_untrained, placed
from workbench.analysis.retrieved import Retrieved, beside
from workbench.dataset import Dataset
from workbench.embeddings import Embeddings
from workbench.errors import UserError
from workbench.run import Run

Progress = Callable[[float, str], None]
Model = Callable[[int], Any]


def two_towers(run: Run) -> bool:
    """Whether the run's method brings images and reports into one space."""
    return {towers.IMAGE, towers.TEXT} <= set(run.status.get("features") or {})


def pair(run: Run, step: int, dataset: Dataset, model: Model) -> tuple[Embeddings, Embeddings]:
    """Images and reports of the look at `step`, row by row of one study: stored, or computed by the method that `model` loads."""
    both = {towers.IMAGE, towers.TEXT} <= set(run.geometry(step))
    if both or step not in run.steps_of("snapshots"):
        return towers.paired(run, *towers.stored(run, step))
    return towers.paired(run, *closing.computed(run, step, dataset, model(step)))


def reports(dataset: Dataset, places: Sequence[int] | np.ndarray) -> list[str]:
    """The reports of studies, normalised: case and white space do not tell two apart."""
    return [text.normalise(text.report(dataset[int(place)])) for place in places]


def rows_of(run: Run, step: int, feature: str, dataset: Dataset, model: Model) -> tuple[ranking.Rows, Embeddings, np.ndarray, int]:
    """What is compared at a look: its rows, the images' embeddings, which of their rows these are, and how many reports differ."""
    if two_towers(run):
        x, y = pair(run, step, dataset, model)
    else:
        x, y = run.embeddings(feature, step), None
    places = placed(run, x, dataset)
    told = reports(dataset, places) if y is not None else [""] * len(places)
    kept = ranking.whole(x.features, None if y is None else y.features, told)
    distinct, number = np.unique(np.array(told)[kept], return_inverse=True)
    labels = np.asarray(dataset.labels, float)[places[kept]].reshape(len(kept), -1)
    given = None if y is None else y.features[kept]
    return ranking.Rows(x.features[kept], given, number, labels, np.array(x.patients)[kept]), x, kept, len(distinct)


def of_run(
    run: Run, step: int, feature: str, dataset: Dataset, model: Model, progress: Progress = lambda share, message: None, resamples: int = 2000
) -> Retrieved:  # fmt: skip
    """Retrieval at the look `step`: both ways and among images where there are two towers, among images by `feature` where there is one.

    Raises UserError for a feature of reports, and where the look has none of what is needed.
    """
    if feature.startswith("text.") and not two_towers(run):
        raise UserError(f"{run.id}: {feature} holds no images; choose a feature of images")
    progress(0.05, "reading both towers" if two_towers(run) else f"reading {feature}")
    rows, x, kept, distinct = rows_of(run, step, feature, dataset, model)
    names = [str(name) for name in dataset.label_names]
    found = ranking.ways(rows, names, resamples, lambda share, message: progress(0.2 + 0.5 * share, message))
    why_untrained = not_untrained(run)
    if not why_untrained:
        progress(0.75, "the untrained network")
        try:
            start, *_ = rows_of(run, 0, feature, dataset, model)
            found = beside(found, ranking.ways(start, names, 0))
        except UserError as error:
            why_untrained = str(error)
    why = "" if rows.reports is not None else f"method {run.status.get('method')} has no space that images and reports share"
    keys = tuple(x.keys[row] for row in kept)
    n, d = rows.images.shape
    patients, left_out = len(set(rows.patients)), len(x.keys) - n
    return Retrieved(run.id, step, x.feature, n, d, patients, distinct, left_out, keys, found, why, why_untrained)
