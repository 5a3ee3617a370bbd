"""Maps of features: PCA at once, UMAP, t-SNE and AlignedUMAP over looks by the worker, kept on disk; new rows placed on a map that is there."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from workbench import layouts
from workbench.analysis import projection, towers
from workbench.analysis._moments import as_array
from workbench.analysis.clumps import Clumps
from workbench.analysis.projection import JOINT, METHODS, NAMES, Method, Projection
from workbench.analysis.trust import Quality
from workbench.embeddings import Embeddings
from workbench.errors import UserError
from workbench.jobs import describe_job
from workbench.run import Run, read_json, write_json

JOB = "map"
LOOKS = 12  # of a run that an AlignedUMAP takes at most, the first and the last among them
Progress = Callable[[float, str], None]


def silent(share: float, message: str) -> None:
    """Nobody is told."""


def lay_out(
    embeddings: Embeddings | Sequence[Embeddings], method: Method = "umap", seed: int = 0, progress: Progress = silent
) -> tuple[Projection, ...]:  # fmt: skip
    """The map of features (n, d), or of each of several looks at the same studies, with its quality.

    Only `aligned_umap` takes several, and puts them in one frame: a study's places at looks beside each other pull each other. Equal seeds give
    equal maps. Raises UserError where features are no numbers, fewer than five points differ, or looks hold other studies.
    """
    looks = (embeddings,) if isinstance(embeddings, Embeddings) else tuple(embeddings)
    if method not in METHODS:
        raise UserError(f"no map named {method!r}; there are {', '.join(METHODS)}")
    if (method == "aligned_umap") != (len(looks) > 1):
        asked = "needs at least two looks" if method == "aligned_umap" else "takes one look"
        raise UserError(f"{NAMES[method]} {asked}, got {len(looks)}; choose another method or other steps")
    for each in looks:
        checked(each)
        if each.keys != looks[0].keys:
            raise UserError(
                f"{each.feature}: step {each.checkpoint} has other studies than step {looks[0].checkpoint}; aligned maps need the same"
            )
    start = projection.pca(looks[-1])
    if method == "pca":
        return (start,)
    if method == "aligned_umap":
        found = layouts.aligned_umap([each.features for each in looks], seed, progress)
    else:
        draw = layouts.umap if method == "umap" else layouts.tsne
        found = [draw(looks[0].features, start.xy, seed, progress)]
    progress(0.96, "measuring the map")
    return tuple(projection.shown(each, placed(xy, each), method) for each, xy in zip(looks, found))


def checked(embeddings: Embeddings) -> None:
    """Raise UserError where a map says nothing."""
    what = f"{embeddings.feature} at step {embeddings.checkpoint}"
    try:
        z = as_array(embeddings)
    except ValueError as error:
        raise UserError(f"{what}: {error}; leave those rows out or choose an earlier step") from None
    if len(z) < layouts.FEWEST:
        raise UserError(f"{what} has {len(z)} rows; a map needs at least {layouts.FEWEST}: choose more studies")
    different = len(np.unique(z, axis=0)) if len(z) <= projection.EXACT or not np.ptp(z, axis=0).any() else layouts.FEWEST
    if different < layouts.FEWEST:
        raise UserError(f"{what}: its {len(z)} rows are {different} points; a map needs at least {layouts.FEWEST} that differ")


def placed(xy: np.ndarray, embeddings: Embeddings) -> np.ndarray:
    """The layout centred; raises UserError where a method could not place a row."""
    lost = int((~np.isfinite(xy)).any(1).sum())
    if lost:
        raise UserError(f"{embeddings.feature}: {lost} of {len(xy)} rows have no neighbour to be placed by; choose another method")
    return np.asarray(xy - xy.mean(0))


def place(found: Projection, embeddings: Embeddings, new: np.ndarray, k: int = layouts.NEIGHBOURS) -> np.ndarray:
    """Where new rows (m, d) fall (m, 2) on the map `found` of `embeddings` (n, d), which stays as it is.

    PCA: exact. Others: the mean of the places of the k nearest rows with the weights that UMAP gives neighbours, exp(-(distance - nearest) /
    scale), which is where UMAP's own transform begins; a row of the map falls on its own place. A row that is far from all is placed, too: look
    at its distance. Raises UserError for another width, another map, or numbers not finite.
    """
    z, rows = as_array(embeddings), np.asarray(new, np.float64)
    if found.keys != embeddings.keys or found.step != embeddings.checkpoint:
        raise UserError(f"place: the map is of {found.feature} at step {found.step}, the features are of other studies or another step")
    if rows.ndim != 2 or rows.shape[1] != z.shape[1] or not np.isfinite(rows).all():
        raise UserError(f"place: new rows have shape {rows.shape}; expected finite numbers of width {z.shape[1]}")
    if found.method == "pca":
        mean, axes, _ = projection.plane(embeddings)
        own = np.concatenate([(block - mean) @ axes for block in projection.blocks(embeddings)])
        sign = np.where(np.sum(own * found.xy, 0) < 0, -1, 1)  # the map's axes may have been turned to agree with another
        return np.asarray((rows - mean) @ axes * sign)
    k, square = min(k, len(z)), np.sum(z.astype(np.float64) ** 2, 1)
    xy = np.empty((len(rows), 2))
    for at, row in enumerate(rows):
        near = np.argpartition(square - 2 * z @ row, k - 1)[:k]
        apart = np.linalg.norm(z[near] - row, axis=1)
        weight = np.exp(-(apart - apart.min()) / max(float(np.mean(apart - apart.min())), 1e-12)) if apart.min() > 0 else (apart == 0) * 1.0
        xy[at] = weight @ found.xy[near] / weight.sum()
    return xy


# ---- the maps of a run --------------------------------------------------------------------------------------------------


def looks_of(run: Run, step: int) -> list[int]:
    """The looks up to `step` that an aligned map takes: the first, the last, and at most LOOKS even ones."""
    seen = [each for each in run.looks() if each <= step]
    if not seen:
        raise UserError(f"{run.id}: no look up to step {step}")
    return [seen[place] for place in sorted(set(np.linspace(0, len(seen) - 1, LOOKS).round().astype(int)))]


def parameters(run: Run, feature: str, step: int, method: Method, seed: int = 0) -> dict[str, Any]:
    """What the job `map` is asked for, so that app and notebook ask alike; an aligned map is one of all looks of the run, whatever the step."""
    if method == "aligned_umap":
        return {"feature": feature, "method": method, "seed": seed, "steps": looks_of(run, run.looks()[-1])}
    return {"feature": feature, "method": method, "seed": seed, "step": step}


def of_run(
    run: Run, asked: Mapping[str, Any], pair: Callable[[int], tuple[Embeddings, Embeddings]], progress: Progress = silent
) -> tuple[Projection, ...]:  # fmt: skip
    """The map, or the frames of an aligned one, that `parameters` ask for; `pair` gives both towers of a look that did not store them."""
    steps = [int(step) for step in asked.get("steps") or [asked["step"]]]
    return lay_out(
        [features(run, str(asked["feature"]), step, pair) for step in steps], asked["method"], int(asked.get("seed", 0)), progress
    )


def features(run: Run, feature: str, step: int, pair: Callable[[int], tuple[Embeddings, Embeddings]]) -> Embeddings:
    """The rows of a map: a feature that the look stored, one of a tower that it did not, or both towers together."""
    stored = run.geometry(step)
    if feature in stored:
        return run.embeddings(feature, step)
    if feature == JOINT:
        both = towers.stored(run, step) if {projection.IMAGE, projection.TEXT} <= set(stored) else pair(step)
        return towers.together(run, *both)
    if feature in (projection.IMAGE, projection.TEXT):
        return next(each for each in pair(step) if each.feature == feature)
    raise UserError(f"{run.id}: no feature {feature!r} at step {step}; there are {', '.join((*stored, JOINT))}")


def save(found: Sequence[Projection], folder: Path) -> None:
    """Write map.npz (coordinates) and found.json (everything else) into `folder`."""
    np.savez(folder / "map.npz", xy=np.stack([each.xy for each in found]))
    first = found[0]
    head = {"keys": first.keys, "patients": first.patients, "feature": first.feature, "method": first.method, "towers": first.towers}
    frames = [
        {
            "step": each.step,
            "explained": None if each.explained is None else each.explained.tolist(),
            "quality": asdict(each.quality) if each.quality else None,
        }
        for each in found
    ]
    write_json(folder / "found.json", head | {"frames": frames})


def frames(folder: Path) -> tuple[Projection, ...]:
    """Every map that the job `map` wrote: one, or one a look in one frame."""
    head, found = read_json(folder / "found.json"), []
    keys, patients = tuple(head["keys"]), tuple(head["patients"])
    both = tuple(head["towers"]) if head["towers"] else None
    with np.load(folder / "map.npz", allow_pickle=False) as kept:
        places = kept["xy"]
    for xy, each in zip(places, head["frames"]):
        explained = None if each["explained"] is None else np.array(each["explained"])
        found.append(Projection(xy, keys, patients, head["feature"], each["step"], head["method"], explained, trusted(each), both))
    return tuple(found)


def trusted(frame: Mapping[str, Any]) -> Quality | None:
    """The quality that `save` wrote."""
    kept = frame["quality"]
    return Quality(**kept | {"clumps": Clumps(**kept["clumps"]) if kept["clumps"] else None}) if kept else None


def load(folder: Path, step: int | None = None) -> Projection:
    """The map that the job `map` wrote; of an aligned one the frame of the newest look up to `step`, the last where none is named."""
    every = frames(folder)
    return next((each for each in reversed(every) if step is None or each.step <= step), every[0])


def of_view(
    run: Run, feature: str, step: int, method: Method, seed: int, pair: Callable[[int], tuple[Embeddings, Embeddings]]
) -> Projection:  # fmt: skip
    """The map at a look: what the job `map` kept, or computed now and kept where it would have put it; a PCA of stored features is never kept."""
    at = look_of(run, step)
    asked = parameters(run, feature, at, method, seed)
    if method == "pca" and feature in run.geometry(at):
        return of_run(run, asked, pair)[0]
    found = kept(run, feature, at, method, seed)
    if found is None:
        keep(of_run(run, asked, pair), describe_job(run.path.parent, JOB, run.id, asked).result)
        found = kept(run, feature, at, method, seed)
    if found is None:
        raise UserError(f"{run.id}: the map of {feature} was deleted while it was read; ask again")
    return found


def look_of(run: Run, step: int) -> int:
    """The newest look up to a step."""
    return max((each for each in run.looks() if each <= step), default=step)


def kept(run: Run, feature: str, step: int, method: Method, seed: int = 0) -> Projection | None:
    """The map at a look that the worker or a notebook computed before; None where nobody did."""
    at = look_of(run, step)
    result = describe_job(run.path.parent, JOB, run.id, parameters(run, feature, at, method, seed)).result
    return load(result, at) if result.is_dir() else None


def keep(found: Sequence[Projection], result: Path) -> None:
    """Put a result where the worker would have put it: aside, then renamed; one that is there already stays."""
    aside = result.with_name(f".{result.name}.{os.getpid()}.part")
    aside.mkdir(parents=True, exist_ok=True)
    save(found, aside)
    try:
        os.replace(aside, result)
    except OSError:  # another process was first
        if not result.is_dir():
            raise
