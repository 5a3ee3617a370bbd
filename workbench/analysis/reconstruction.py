"""How well does a method paint what was hidden, and how much of that would anyone have guessed? The model itself runs in workbench/painting.py."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from workbench.analysis._auroc import members
from workbench.analysis._guesses import GUESSES, guesses, image_of, patches_of
from workbench.analysis.statistics import Interval
from workbench.dataset import Dataset, Split
from workbench.errors import UserError
from workbench.randomness import rng
from workbench.run import read_json

METHOD = "method"
EPSILON = 1e-6  # of losses.reconstruction
RESAMPLES, FEWEST = 2000, 20  # of patients; with fewer no interval
UNSEEN: tuple[Split, ...] = ("val", "test")
FILMS = 60  # of a set, and of the others, that are painted
FEW = 8  # hidden patches below which the doctor does not judge


@dataclass(frozen=True)
class Reconstruction:
    """One image under one mask at one snapshot: grey values (h w), 0 black to 1 white, and the error of every patch (n).

    `errors` are mean squared errors in the space of the loss, by who painted (METHOD and GUESSES); NaN where a guess needs a visible
    patch and there is none. `painted` is what the method says of every patch; `notes` are the doctor's.
    """

    key: str
    run: str
    step: int
    patch: int
    norm_pix: bool
    original: np.ndarray
    painted: np.ndarray
    mask: np.ndarray
    errors: Mapping[str, np.ndarray]
    notes: tuple[str, ...] = ()

    @property
    def side(self) -> int:
        """Patches along an edge."""
        return round(len(self.mask) ** 0.5)

    @property
    def hidden(self) -> int:
        """How many patches are hidden."""
        return int(self.mask.sum())

    @property
    def hidden_pixels(self) -> np.ndarray:
        """(h w) bool."""
        return np.kron(self.mask.reshape(self.side, -1), np.ones((self.patch, self.patch), bool))

    @property
    def pasted(self) -> np.ndarray:
        """The painted patches where something was hidden, the film elsewhere."""
        return np.where(self.hidden_pixels, self.painted, self.original)

    @property
    def space(self) -> str:
        """In which units the errors are."""
        return "standardised patches" if self.norm_pix else "pixels"

    def error(self, who: str = METHOD) -> float | None:
        """Mean over the hidden patches; None where there is none or the guess is undefined."""
        values = self.errors[who][self.mask]
        return float(values.mean()) if len(values) and np.isfinite(values).all() else None

    def skill(self, guess: str) -> float | None:
        """1 - error / error of a guess: 1 is perfect, 0 is as good as the guess."""
        own, other = self.error(), self.error(guess)
        return None if own is None or not other else 1 - own / other

    def best_guess(self) -> str | None:
        """The guess with the smallest error."""
        known = {name: value for name in GUESSES if (value := self.error(name)) is not None}
        return min(known, key=known.__getitem__) if known else None


def read(folder: Path) -> list[Reconstruction]:
    """What the job `reconstruction` wrote: the same image and mask at one or several snapshots."""
    facts = read_json(folder / "found.json")
    original, painted, errors = (np.load(folder / f"{name}.npy", allow_pickle=False) for name in ("original", "painted", "errors"))
    same = (facts["key"], facts["run"]), (facts["patch"], facts["norm_pix"], original)
    return [
        Reconstruction(
            *same[0], step, *same[1], painted[place], np.array(facts["mask"], bool),
            dict(zip(facts["errors"], errors[place])), tuple(facts["notes"][place]),
        )
        for place, step in enumerate(facts["steps"])
    ]  # fmt: skip


def standardised(patches: np.ndarray) -> np.ndarray:
    """Each patch (… p) by its own mean and deviation, the variance unbiased."""
    centred = patches - patches.mean(-1, keepdims=True)
    return centred / np.sqrt(patches.var(-1, keepdims=True, ddof=1) + EPSILON)


def in_space(patches: np.ndarray, norm_pix: bool) -> np.ndarray:
    """Truth or guess in the space of the loss.

    In standardised space a guess is standardised by itself: it is given the true mean and deviation of the hidden patch, as the method is.
    """
    return standardised(patches) if norm_pix else patches


def patch_errors(truth: np.ndarray, mask: np.ndarray, patch: int, norm_pix: bool) -> dict[str, np.ndarray]:
    """Mean squared error (n) of every guess for patches (n p), in the space of the loss; 0 at visible patches."""
    target = in_space(truth.astype(np.float64), norm_pix)
    found = guesses(truth.astype(np.float64), mask, patch)
    return {name: np.square(in_space(guess, norm_pix) - target).mean(-1) for name, guess in found.items()}


def skill_interval(own: np.ndarray, guess: np.ndarray, patients: Sequence[str], resamples: int = RESAMPLES) -> Interval:
    """Skill over many images from their summed errors (i): 1 - sum / sum, with a percentile bootstrap of whole patients."""
    member, count = members(patients)
    sums = np.stack([np.bincount(member, weights=values, minlength=count) for values in (own, guess)], 1)
    value = 1 - sums[:, 0].sum() / sums[:, 1].sum() if count else np.nan
    procedure = f"percentile bootstrap of {count} patients, {resamples} draws, 95 %"
    if count < FEWEST:
        return Interval(float(value), None, None, procedure, f"{count} patients, fewer than {FEWEST}")
    draws = rng(0, "skill interval", 0, count).multinomial(count, np.full(count, 1 / count), size=resamples) @ sums
    low, high = np.quantile(1 - draws[:, 0] / draws[:, 1], [0.025, 0.975])
    return Interval(float(value), float(low), float(high), procedure)


@dataclass(frozen=True)
class SetSkill:
    """How well the films of a set are painted beside others: skill against a guess, one mask for all; `difference` is set less others."""

    run: str
    step: int
    ratio: float
    guess: str
    inside: Interval
    others: Interval
    difference: Interval
    films: tuple[int, int]  # of the set, of the others

    @classmethod
    def of_dict(cls, values: Mapping[str, Any]) -> "SetSkill":
        """What `asdict` gave, also through JSON."""
        intervals = {name: Interval(**values[name]) for name in ("inside", "others", "difference")}
        return cls(**dict(values) | intervals | {"films": tuple(values["films"])})


def skill_difference(
    own: np.ndarray, guess: np.ndarray, inside: np.ndarray, patients: Sequence[str], resamples: int = RESAMPLES
) -> Interval:
    """Skill of the images `inside` (i,) bool less that of the others, from summed errors (i); percentile bootstrap of whole patients, who may have both."""
    member, count = members(patients)
    sums = np.stack(
        [np.bincount(member, np.where(inside == side, values, 0), count) for side in (True, False) for values in (own, guess)], 1
    )
    least = min(len(set(member[inside])), len(set(member[~inside])))
    total = sums.sum(0)
    value = float(total[2] / total[3] - total[0] / total[1]) if least else float("nan")
    procedure = f"percentile bootstrap of {count} patients, {resamples} draws, 95 %"
    if least < FEWEST:
        return Interval(value, None, None, procedure, f"{least} patients on one side, fewer than {FEWEST}")
    draws = rng(0, "skill difference", 0, count).multinomial(count, np.full(count, 1 / count), size=resamples) @ sums
    low, high = np.quantile(draws[:, 2] / draws[:, 3] - draws[:, 0] / draws[:, 1], [0.025, 0.975])
    return Interval(value, float(low), float(high), procedure)


def unseen(dataset: Dataset, keys: Collection[str], most: int = FILMS) -> tuple[list[str], list[str]]:
    """Keys of studies that no run trains on, evenly chosen: of a set, and of the others; each at most so many.

    Raises UserError where the set, or the rest, holds none.
    """
    held = set(keys)
    places = np.sort(np.concatenate([dataset.split(split) for split in UNSEEN]))
    sides = [[str(dataset.keys[place]) for place in places if (dataset.keys[place] in held) is side] for side in (True, False)]
    if not all(sides):
        told = "holds no study of validation or test" if not sides[0] else "holds every study of validation and test"
        raise UserError(f"the set {told}: there is nothing to compare; choose another set")
    inside, others = ([side[place] for place in np.unique(np.linspace(0, len(side) - 1, most).round().astype(int))] for side in sides)
    return inside, others


def explained(prediction: np.ndarray, target: np.ndarray, trivial: np.ndarray | float) -> float:
    """1 - error / error of a trivial guess."""
    level = float(np.square(target - trivial).mean())
    return 1 - float(np.square(prediction - target).mean()) / level if level > 0 else 0.0


def doctor(prediction: np.ndarray, truth: np.ndarray, mask: np.ndarray, norm_pix: bool, decoder_missing: bool = False) -> tuple[str, ...]:
    """What is wrong with a reconstruction that is no better than a trivial guess; nothing where it is better, or too little is hidden.

    `prediction` (n p) is the network's answer in the space of the loss, `truth` (n p) the pixels.
    """
    if decoder_missing:
        return ("The decoder's weights are not those of a training: the file they came from had none. What is painted is noise.",)
    hidden = mask.astype(bool)
    if hidden.sum() < FEW or hidden.all():
        return ()
    answer, pixels, seen = prediction[hidden], truth[hidden], truth[~hidden].mean()
    patches = standardised(pixels)
    as_patches, as_pixels = explained(answer, patches, 0.0), explained(answer, pixels, float(seen))
    own, other = (as_patches, as_pixels) if norm_pix else (as_pixels, as_patches)
    if own > 0.05:
        return ()
    if other > own + 0.15 and other > 0.05:
        now, wanted = ("on", "off") if norm_pix else ("off", "on")
        return (f"The answer fits with norm_pix {wanted}, but it is {now}: the weights were trained in the other space.",)
    target = patches if norm_pix else pixels
    slope, offset = line(answer, target)
    fitted = explained(slope * answer + offset, target, float(target.mean()))
    if fitted > 0.5:
        return (
            f"Right shapes in wrong units (truth = {slope:.2g} x answer + {offset:.2g}): the images are normalised otherwise than in training.",
        )
    level = "zero in every patch" if norm_pix else "the mean of what is visible"
    return (f"No better than {level}: not trained yet, or weights of another data set.",)


def line(x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """Slope and offset of the least-squares line y = slope x + offset."""
    centred = x - x.mean()
    variance = float(np.square(centred).mean())
    slope = float((centred * y).mean()) / variance if variance > 0 else 0.0
    return slope, float(y.mean() - slope * x.mean())


__all__ = [
    "GUESSES", "METHOD", "Reconstruction", "doctor", "explained", "guesses", "image_of", "in_space", "line", "patch_errors", "patches_of",
    "read", "skill_interval", "standardised",
]  # fmt: skip
