"""A method paints the hidden patches of an image: from a study or an upload and a mask to a Reconstruction. Needs torch."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
import torch

from workbench import text, transforms
from workbench.analysis.reconstruction import (
    METHOD,
    Reconstruction,
    SetSkill,
    doctor,
    in_space,
    patch_errors,
    patches_of,
    skill_difference,
    skill_interval,
)
from workbench.dataset import Dataset, Sample
from workbench.errors import UserError
from workbench.features import dataset_of
from workbench.masking import boxes_region, given_mask, random_mask, region_mask
from workbench.method import FillsWords, Method, Reconstructs
from workbench.models import load_method
from workbench.randomness import rng
from workbench.run import Run
from workbench.single import batch_of, one_image, study_of, upload_sample

Mask = float | Sequence[int] | Sequence[str]
AT_ONCE, CUBIC = 20, "cubic"  # films of a pass; the guess that the skill of a set is against


class Painted(NamedTuple):
    """What a method makes of images: grey values (i h w), patches in the units of the method and its answer in the space of the loss (i n p)."""

    original: np.ndarray
    painted: np.ndarray
    truth: np.ndarray
    answer: np.ndarray
    error: np.ndarray  # (i n)


def grid_of(method: Method) -> int:
    """Patches along an edge; raises UserError where the method does not reconstruct."""
    if not isinstance(method, Reconstructs):
        raise UserError(f"{type(method).__name__} does not reconstruct images; choose a run whose method does, such as mae")
    return int(method.config.image_size) // method.patch_size  # type: ignore[attr-defined]


def mask_of(spec: Mapping[str, Any], method: Method, sample: Sample, place: int = 0) -> np.ndarray:
    """(n) bool from {"ratio", "seed"}, {"patches": numbers} or {"regions": names of the study's masks or boxes}."""
    side, config = grid_of(method), method.config
    if "patches" in spec:
        return given_mask(spec["patches"], side**2)
    if "regions" in spec:
        region = regions(sample, spec["regions"], place)
        square = transforms.square(region.astype(np.uint8) * 255, config.fit)  # type: ignore[attr-defined]
        return region_mask(transforms.resized(square, config.image_size) > 0, side)  # type: ignore[attr-defined]
    return random_mask(side**2, float(spec.get("ratio", 0.75)), rng(int(spec.get("seed", 0)), "mask view", 0, side))


def regions(sample: Sample, names: Sequence[str], place: int) -> np.ndarray:
    """(h w) bool: where any of the named masks or boxes of a study lies in one of its images; raises UserError for a name it has not."""
    image = sample["images"][0]
    height, width = image.array.shape[:2]
    masks, found = sample.get("masks") or {}, np.zeros((height, width), bool)
    boxes = [box for box in sample.get("boxes") or [] if box.get("image", 0) == place]
    known = {*masks, *(str(box["label"]) for box in boxes)}
    for name in names:
        if name not in known:
            raise UserError(f"study {sample['key']}: has no region {name!r}; it has {', '.join(sorted(known)) or 'none'}")
        found |= np.asarray(masks[name], bool) if name in masks else boxes_region([b for b in boxes if b["label"] == name], height, width)
    return found


@torch.no_grad()
def paint(method: Method, samples: Sequence[Sample], masks: np.ndarray) -> Painted:
    """The method's answer for studies of one image each under masks (i n) bool, without augmentation."""
    batch = batch_of(method, samples)
    assert isinstance(method, Reconstructs)
    pixels, error = method.reconstruct(batch, torch.from_numpy(masks))
    shown = method.shown(batch)
    truth, painted = (patches_of(each.numpy(), method.patch_size) for each in (shown, pixels))
    if method.norm_pix:  # the answer itself: what the true mean and deviation turned into pixels
        mean, deviation = truth.mean(-1, keepdims=True), np.sqrt(truth.var(-1, keepdims=True, ddof=1) + 1e-6)
        painted = (painted - mean) / deviation
    return Painted(method.grey(shown).numpy(), method.grey(pixels).numpy(), truth, painted, error.numpy())


def reconstruct(
    method: Method,
    sample: Sample,
    spec: Mapping[str, Any],
    place: int = 0,
    run: str = "",
    step: int = 0,
    untrained: bool = False,
    report: bool = True,
) -> Reconstruction:
    """One image of a study under one mask, beside the four guesses; without `report` a method that reads reports gets none.

    Raises UserError for a mask or image that is not there, and where there is no report to withhold.
    """
    chosen = one_image(sample, place)
    if not report:
        chosen = withheld(method, chosen)
    mask = mask_of(spec, method, chosen, place)
    found = paint(method, [chosen], mask[None])
    errors = patch_errors(found.truth[0], mask, method.patch_size, method.norm_pix) | {METHOD: found.error[0].astype(np.float64)}  # type: ignore[attr-defined]
    notes = doctor(found.answer[0], found.truth[0], mask, method.norm_pix, untrained)  # type: ignore[attr-defined]
    return Reconstruction(
        sample["key"],
        run,
        step,
        method.patch_size,
        method.norm_pix,
        found.original[0],
        found.painted[0],
        mask,
        errors,
        notes,  # type: ignore[attr-defined]
    )


def withheld(method: Method, sample: Sample) -> Sample:
    """The study without its report; raises UserError where it has none, or the method does not read it as it paints."""
    if not isinstance(method, FillsWords):
        raise UserError(f"{type(method).__name__} paints without reading reports; choose a run whose method reads them, such as m3ae")
    if not text.report(sample).strip():
        raise UserError(f"study {sample['key']}: has no report to withhold; choose another study")
    return {**sample, "texts": []}


def decoder_missing(run: Run) -> bool:
    """Whether an imported run's decoder still has its start weights: the file had none, as its provenance says."""
    reports = run.provenance.get("init_from") or {} if run.status.get("state") == "imported" else {}
    reached = [report for part, report in reports.items() if part == "*" or part.startswith("decoder")]
    left = [name for report in reached for name in report.get("missing") or () if str(name).startswith("decoder")]
    return bool(left) or (bool(reports) and not reached)


def of_run(
    run: Run,
    study: str | None,
    mask: Mask,
    seed: int = 0,
    step: int | Literal["last"] = "last",
    image: np.ndarray | None = None,
    place: int = 0,
    report: bool = True,
) -> Reconstruction:
    """One image at one snapshot of a run: a study of its data (the first for validation where none is named) or pixels (h w).

    `mask`: a share, numbers of patches, or names of the study's organs and findings; without `report` a method that reads it gets none.
    """
    if isinstance(mask, int | float):
        spec: dict[str, Any] = {"ratio": mask, "seed": seed}
    else:
        spec = {"regions" if all(isinstance(each, str) for each in mask) and mask else "patches": list(mask)}
    sample = study_of(dataset_of(run), study, run.id) if image is None else upload_sample(np.asarray(image))
    at = run.snapshot_step(step)
    return reconstruct(load_method(run, at), sample, spec, place, run.id, at, decoder_missing(run), report)


def of_set(
    method: Method,
    dataset: Dataset,
    inside: Sequence[str],
    others: Sequence[str],
    run: str,
    step: int,
    ratio: float = 0.75,
    progress: Callable[[float, str], None] = lambda share, message: None,
) -> SetSkill:
    """How well a method paints the first films of the studies `inside` a set beside `others`, against cubic interpolation, under one mask."""
    places, keys = {key: place for place, key in enumerate(dataset.keys)}, [*inside, *others]
    mask = mask_of({"ratio": ratio, "seed": 0}, method, {})  # type: ignore[typeddict-item]
    own, guess = [], []
    for start in range(0, len(keys), AT_ONCE):
        part = keys[start : start + AT_ONCE]
        progress(start / len(keys), f"painting {start} of {len(keys)} films")
        found = paint(method, [one_image(dataset[places[key]], 0) for key in part], np.repeat(mask[None], len(part), 0))
        own += [float(row[mask].sum()) for row in found.error]
        guess += [float(patch_errors(row, mask, method.patch_size, method.norm_pix)[CUBIC][mask].sum()) for row in found.truth]  # type: ignore[attr-defined]
    a, b, member = np.array(own), np.array(guess), np.arange(len(keys)) < len(inside)
    patients = [str(dataset.patients[places[key]]) for key in keys]
    first, rest = (skill_interval(a[side], b[side], [who for who, held in zip(patients, side) if held]) for side in (member, ~member))
    return SetSkill(run, step, ratio, CUBIC, first, rest, skill_difference(a, b, member, patients), (len(inside), len(others)))


__all__ = ["Painted", "decoder_missing", "grid_of", "in_space", "mask_of", "of_run", "of_set", "paint", "reconstruct"]
