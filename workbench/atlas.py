"""A map of a run as a cloud of the map component: images and reports apart by shape, pairs, the gap and what closing it gives, other checkpoints."""

from collections.abc import Sequence

import numpy as np

from workbench.analysis.projection import TEXT, Projection, gap_on
from workbench.analysis.towers import Moved, Towers
from workbench.cloud import Cloud, Colour, Frame, Rescored
from workbench.figures.theme import number
from workbench.figures.zeroshot import said


def cloud_of(
    found: Projection,
    title: str,
    own: Colour | None = None,
    ids: Sequence[str] = (),
    frames: Sequence[Projection] = (),
    scores: Towers | None = None,
) -> Cloud:
    """The map `found` as it is drawn; `frames` are maps of the same rows in one frame, itself among them, `scores` tell what closing the gap gives.

    Pairs and the two shapes need a map of images and reports, the gap a PCA of them.
    """
    towers = pairs = gap = None
    if found.towers is not None:
        towers = np.asarray([each == TEXT for each in found.towers], np.uint8)
        pairs = np.stack([np.flatnonzero(towers == 0), np.flatnonzero(towers == 1)], 1)
        gap = gap_on(found) if found.method == "pca" else None
    told = rescored(scores) if scores and gap is not None else None
    every = tuple(Frame(each.step, each.xy) for each in frames) if len(frames) > 1 else ()
    return Cloud(found.xy, title, axes(found), own, tuple(ids), towers, pairs, gap, told, every, found.step)


def axes(found: Projection) -> tuple[str, str]:
    """What lies along the axes: of PCA the share of the variance, of others nothing that could be named."""
    if found.explained is None:
        return "who is near counts; sizes of lumps and distances between them do not", ""
    first, second = found.explained
    return f"first axis, {first:.0%} of the variance", f"second axis, {second:.0%}"


def rescored(scores: Towers) -> Rescored:
    """The walk of the reports along the gap, as the slider says it."""
    return Rescored(tuple(each.amount for each in scores.walked), tuple(scored(each, scores.chance) for each in scores.walked))


def scored(moved: Moved, chance: tuple[float, float]) -> str:
    """What retrieval and zero-shot are with this much of the gap closed."""
    forth, back = (f"{said(each)} (chance {number(level)})" for each, level in zip((moved.forth, moved.back), chance))
    auroc = f" · zero-shot {said(moved.auroc)}" if moved.auroc is not None else ""
    left = "no gap left" if moved.gap < 1e-6 else f"gap {number(moved.gap)}"
    return f"{100 * moved.amount:.0f} %: {left} · recall at 5 {forth}, back {back}{auroc}"
