"""A search at a look of a run: words, an image or a study as a vector, the nearest images and reports, the untrained network beside. Needs torch."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from workbench import prompt_bank, prompts, retrieving
from workbench.analysis import answers, search, towers
from workbench.analysis.answers import Answers
from workbench.analysis.factors import not_untrained, placed
from workbench.capable import need
from workbench.dataset import Dataset
from workbench.embeddings import Embeddings
from workbench.errors import UserError
from workbench.features import of_batches
from workbench.retrieving import Model, Progress
from workbench.run import Run
from workbench.single import batch_of, upload_sample

K, MOST = 12, 200  # answers at first, and at most
KEPT = 4  # looks whose indexes a process keeps
POOLS: dict[tuple[str, int, int, str], "Pool"] = {}


class Query(NamedTuple):
    """What is searched for: exactly one of words, the key of a study of the look, and pixels (h w) uint8."""

    text: str | None = None
    study: str | None = None
    image: np.ndarray | None = None

    def checked(self) -> "Query":
        """Raises UserError where it is not exactly one, or words that cannot be read."""
        if sum(each is not None for each in self) != 1:
            raise UserError("search: give words, a study or an image, one of them")
        return self if self.text is None else self._replace(text=prompt_bank.prompt(self.text, "search"))


class Pool(NamedTuple):
    """What a look holds to be found: images and, with two towers, reports; an index of each, and what similarities are usual between kinds."""

    images: Embeddings
    reports: Embeddings | None
    indexes: dict[str, search.Index]
    usual: dict[str, search.Usual]


def pool(run: Run, step: int, feature: str, dataset: Dataset, model: Model) -> Pool:
    """The pool of a look, kept in this process; computed from the snapshot where the look stored no reports."""
    two = retrieving.two_towers(run)
    key = (str(run.path), run.path.stat().st_ino, step, towers.IMAGE if two else feature)
    if key not in POOLS:
        images, reports = retrieving.pair(run, step, dataset, model) if two else (run.embeddings(feature, step), None)
        if reports is not None:
            told = retrieving.reports(dataset, placed(run, reports, dataset))
            reports = towers.taken(reports, [row for row, words in enumerate(told) if words])
        found = {"image": images} | ({"report": reports} if reports is not None else {})
        indexes = {kind: search.Index(each.features) for kind, each in found.items()}
        usual = {
            f"{asking} {kind}": search.usual(mine.features, indexes[kind], mine.patients, theirs.patients)
            for asking, mine in found.items()
            for kind, theirs in found.items()
        }
        while len(POOLS) >= KEPT:
            POOLS.pop(next(iter(POOLS)))
        POOLS[key] = Pool(images, reports, indexes, usual)
    return POOLS[key]


def vector(run: Run, query: Query, step: int, held: Pool, method: Callable[[], Any]) -> np.ndarray:
    """The query (d,) in the space of the pool's images. Raises UserError for a study the look has not, or a method that reads no words."""
    if query.study is not None:
        if query.study not in held.images.keys:
            told = f"{len(held.images.keys)} studies were looked at"
            raise UserError(
                f"{run.id}: study {query.study!r} is not among those of step {step} ({told}); choose one of them, or hand in its image"
            )
        return held.images.features[held.images.keys.index(query.study)]
    if query.text is not None:
        return prompts.project(method(), [query.text])[0]
    assert query.image is not None
    sample = upload_sample(query.image) | {"labels": np.full(len(run.status.get("label_names") or []), np.nan, np.float32)}
    return of_batches(method(), [batch_of(method(), [sample])], [held.images.feature])[held.images.feature][0]


def of_run(
    run: Run, step: int, feature: str, query: Query, dataset: Dataset, model: Model, k: int = K, progress: Progress = lambda share, message: None
) -> Answers:  # fmt: skip
    """The k nearest images and reports of the look at `step`. Raises UserError for blank words, a study or feature there is not, and where words
    are searched for with a method that reads none."""
    query = query.checked()
    if not 1 <= k <= MOST:
        raise UserError(f"search: {k} answers; ask for 1 to {MOST}")
    if query.text is not None:
        need(run, "Projects", "words to search for")
    if feature.startswith("text.") and not retrieving.two_towers(run):
        raise UserError(f"{run.id}: {feature} holds no images; choose a feature of images")
    progress(0.1, "reading the look")
    held = pool(run, step, feature, dataset, model)
    progress(0.5, "reading the query")
    own = query.study
    asking = "report" if query.text is not None else "image"
    z = vector(run, query, step, held, lambda: model(step))
    images = listed(held, "image", asking, z, k, own)
    reports = listed(held, "report", asking, z, k, own) if held.reports is not None else None
    progress(0.7, "asking the untrained network")
    untrained, why = control(run, feature, query, dataset, model, k)
    places = placed(run, held.images, dataset)
    row = {key: place for place, key in enumerate(held.images.keys)}
    labels = np.asarray(dataset.labels, float)[places].reshape(len(places), -1)
    shared = search.shared(labels, [row[key] for key in images.keys], list(dataset.label_names))
    said = query.text or query.study or "an image handed in"
    kind = "text" if query.text is not None else "study" if query.study is not None else "image"
    read = prompts.reading(model(step).config, [query.text])[0] if query.text is not None else prompts.Reading(0.0, False)
    no_reports = "" if reports else f"method {run.status.get('method')} has no space that images and reports share"
    return Answers(
        run.id, step, held.images.feature, said, kind, images, reports, untrained, tuple(shared), len(places), no_reports, why, *read
    )


def listed(held: Pool, kind: str, asking: str, z: np.ndarray, k: int, own: str | None) -> answers.List:
    """The nearest of one kind; a study never finds its own image, its own report may come."""
    among = held.images if kind == "image" else held.reports
    assert among is not None
    leave_out = [own] if own is not None and kind == "image" else []
    return answers.answer(kind, among, held.indexes[kind], held.usual[f"{asking} {kind}"], z, k, leave_out, own)


def control(
    run: Run, feature: str, query: Query, dataset: Dataset, model: Model, k: int
) -> tuple[answers.List | None, str]:  # fmt: skip
    """The nearest images by the untrained network, or why there are none."""
    why = not_untrained(run)
    needs_weights = query.study is None or (retrieving.two_towers(run) and towers.TEXT not in run.geometry(0)) if not why else False
    if needs_weights and 0 not in run.steps_of("snapshots"):
        why = "the run has no snapshot of step 0"
    if why:
        return None, why
    try:
        held = pool(run, 0, feature, dataset, model)
        z = vector(run, query, 0, held, lambda: model(0))
        return listed(held, "image", "report" if query.text is not None else "image", z, k, query.study), ""
    except UserError as error:
        return None, str(error)
