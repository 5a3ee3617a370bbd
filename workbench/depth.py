"""The image tower of a run, block by block, at the studies of a look. Needs torch."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, Literal

import numpy as np
from torch import Tensor, nn

from workbench.analysis import depth
from workbench.analysis.factors import not_untrained, placed
from workbench.batches import Rows, fixed_batches
from workbench.dataset import Dataset
from workbench.datasets import load_dataset
from workbench.embeddings import Embeddings
from workbench.errors import UserError
from workbench.features import of_batches
from workbench.figures import across
from workbench.figures import depth as figures
from workbench.figures.theme import Palette
from workbench.method import Method, Staged
from workbench.models import load_method
from workbench.nn.vision import study_means
from workbench.randomness import rng
from workbench.run import Run

FITTED, BATCH = 1000, 128  # training studies of the probe; studies of a pass


def tower(method: Method) -> tuple[str, Staged]:
    """The image tower and its name in the method; raises UserError where the method has none whose blocks are known."""
    for name, module in method.named_modules():
        if isinstance(module, Staged) and module.stages():
            return name, module
    raise UserError(f"method {type(method).__name__}: no image tower whose blocks are known; a tower says them in `stages()`")


@contextmanager
def watched(method: Method) -> Iterator[list[list[Tensor]]]:
    """Collects, as the method runs, one vector (i d) of every image after every block: a list a block, an entry a pass."""
    _, found = tower(method)
    kept: list[list[Tensor]] = [[] for _ in found.stages()]

    def keep(place: int) -> Callable[[nn.Module, Any, Tensor], None]:
        return lambda module, given, out: kept[place].append(found.stage_vector(out.detach()).float())

    hooks = [block.register_forward_hook(keep(place)) for place, block in enumerate(found.stages())]
    try:
        yield kept
    finally:
        for hook in hooks:
            hook.remove()


def vectors(method: Method, dataset: Dataset, indices: np.ndarray, report: Callable[[float], None]) -> list[np.ndarray]:
    """(n, d) float32 of studies after every block: means over tokens or map, and over the images of a study."""
    rows = Rows(type(method), method.config, {"data": dataset}, 0, "fixed", augment=False)
    parts: list[list[np.ndarray]] = []
    for start in range(0, len(indices), BATCH):
        for batch in fixed_batches(rows, "data", indices[start : start + BATCH], BATCH):
            with watched(method) as kept:
                of_batches(method, [batch], [method.embeds])
            count, images = len(batch["key"]), len(batch["image_index"])
            wrong = next((each for each in kept if len(each) != 1 or len(each[0]) != images), None)
            if wrong is not None:
                told = f"{len(wrong)} passes of {[len(each) for each in wrong]} rows for {images} images"
                raise UserError(f"method {type(method).__name__}: a block gave {told}; depth needs each image to pass the tower once")
            parts.append([study_means(each[0].cpu(), batch["image_index"].cpu(), count).numpy() for each in kept])
        report(min(1.0, (start + BATCH) / len(indices)))
    return [np.concatenate(block) for block in zip(*parts)]


def of_run(
    run: Run,
    step: int,
    dataset: Dataset,
    load: Callable[[int], Method],
    progress: Callable[[float, str], None] = lambda share, message: None,
) -> depth.Depth:
    """Every block at the snapshot of `step`, and at step 0 where that is an untrained network.

    The same studies as the look at `step`; a ridge is fitted on up to 1,000 training studies. Raises UserError without a look and a snapshot.
    """
    look = run.embeddings(next(iter(run.geometry(step))), step)
    judged = placed(run, look, dataset)
    fitted = np.sort(rng(0, "depth", 0, dataset.data_hash).permutation(dataset.split("train"))[:FITTED])
    labels = None
    if len(dataset.label_names) and len(fitted):
        values, people = np.asarray(dataset.labels, float), np.asarray(dataset.patients).astype(str)
        labels = depth.Labels(values[fitted], list(people[fitted]), values[judged])

    def stages(method: Method, at: int, start: float) -> tuple[tuple[depth.Stage, ...], dict[str, Embeddings]]:
        def report(share: float) -> None:
            progress(start + 0.4 * share, f"step {at}: {round(100 * share)} % of the studies")

        both = np.concatenate([judged, fitted]) if labels is not None else judged
        found = vectors(method, dataset, both, report)
        names = [f"{place + 1}" for place in range(len(found))]
        blocks = {name: Embeddings(z[: len(judged)], look.keys, look.patients, name, at, look.data_hash) for name, z in zip(names, found)}
        return depth.measure(blocks, {name: z[len(judged) :] for name, z in zip(names, found)}, labels), blocks

    method = load(step)
    now, blocks = stages(method, step, 0.0)
    why = not_untrained(run) or ("" if 0 in run.steps_of("snapshots") else "there is no snapshot of step 0")
    before = () if why else stages(load(0), 0, 0.45)[0]
    read = run.references().get("pixels", {}).get("macro_auroc", {}).get("value")
    patients = len(set(look.patients))
    return depth.Depth(run.id, step, tower(method)[0], len(judged), patients, now, before, why, read, depth.resemblance(blocks))


def seen(run: Run, step: int | Literal["last"], which: str, palette: Palette) -> tuple[depth.Depth, Any, list[dict[str, object]]]:
    """Data, figure and rows for a notebook; raises UserError where no step has both a look and a snapshot."""
    at = depth.kept(run) if step == "last" else step
    if at is None:
        raise UserError(f"{run.id}: no step has both a look and a snapshot; train it with snapshots at its looks (snapshots.every)")
    found = of_run(run, at, load_dataset(run.source[1], run.id), partial(load_method, run))
    if which == "alike":
        return found, figures.alike(found, palette), across.grid_rows(found.alike)
    return found, figures.panels(found, palette.of(0), palette), figures.rows(found)
