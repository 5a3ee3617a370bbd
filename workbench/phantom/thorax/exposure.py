"""From what the detector counted to grey: uneven exposure, smoothing before storage, compression of the range, the display curve, its looks."""

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from scipy import ndimage

from workbench.errors import UserError
from workbench.phantom.thorax.acquisition import Acquisition
from workbench.phantom.thorax.latents import Study

BODY = 0.6  # density above which a pixel counts for the display window
SMOOTH = 0.45 / 128  # of the film's width, standard deviation of the smoothing where little light came through
EASED = 1.5  # density below which coarse differences count no further
GRAIN = 0.018  # relative noise that is smoothed altogether
BINS = 64
SHOULDER = 0.72  # share of the range from which the curve bends, so that nothing dense is cut


class Scanner(NamedTuple):
    """How one make of device shows a density."""

    gamma: float
    sigmoid: float  # share of an S-shaped curve
    detail: float  # how much of the difference from a smoothed film is added
    flat: float  # share of the coarse differences that is taken away
    rim: float  # its collimation, of what the study's is
    marker: float  # height of the side marker, share of the width
    text: float  # height of burned-in text, share of the width


class Tone(NamedTuple):
    """What a display takes from a whole film, so that another film can be shown alike."""

    low: float
    high: float
    levels: np.ndarray | None  # (BINS + 1,) cumulated share of pixels up to each of evenly spaced greys, where the look is equalised


def uneven(taken: Acquisition, size: int, dtype: np.dtype) -> np.ndarray | float:
    """Share of the beam (h, w) that a tilted grid and the anode's heel leave."""
    if not taken.cutoff and not taken.gradient:
        return 1.0
    ramp = ((np.arange(size) + 0.5) / size - 0.5).astype(dtype)
    across = np.exp(-np.maximum(np.sign(taken.cutoff) * ramp + 0.2, 0) * abs(taken.cutoff) * 2)
    return np.exp(-taken.gradient * ramp)[:, None] * across[None]  # type: ignore[no-any-return]


def smoothed(density: np.ndarray, photons: float) -> np.ndarray:
    """The film as an archive keeps it: smoothed where few of `photons` a pixel came through, and there alone."""
    weight = np.clip(np.exp(density / 2) / (math.sqrt(photons) * GRAIN) - 0.5, 0, 1)
    return density + weight * (ndimage.gaussian_filter(density, SMOOTH * len(density), mode="nearest", truncate=3) - density)


@lru_cache(maxsize=16)
def growing(small: int, size: int) -> np.ndarray:
    """Linear interpolation from the middles of `small` pixels to those of `size` (size, small)."""
    place = np.clip((np.arange(size) + 0.5) * (small / size) - 0.5, 0, small - 1)
    return np.maximum(1 - np.abs(place[:, None] - np.arange(small)), 0).astype(np.float32)


@lru_cache(maxsize=64)
def smoothing(size: int, width: float) -> tuple[np.ndarray, np.ndarray]:
    """What averages `size` pixels to about 32 (small, size), and what smooths these by `width` of the side and interpolates (size, small)."""
    factor = max(each for each in range(1, max(size // 32, 1) + 1) if size % each == 0)
    small = size // factor
    blur = ndimage.gaussian_filter1d(np.eye(small), width * small, axis=0, mode="nearest", truncate=3)
    average = np.kron(np.eye(small), np.full((1, factor), 1 / factor))
    return average.astype(np.float32), (growing(small, size) @ blur).astype(np.float32)


def coarse(film: np.ndarray, width: float) -> np.ndarray:
    """A square film smoothed by `width` of its side: averaged to about 32 pixels, smoothed, interpolated; along one axis and along the other."""
    average, grown = (each.astype(film.dtype, copy=False) for each in smoothing(len(film), width))
    return grown @ (average @ film @ average.T) @ grown.T  # type: ignore[no-any-return]


def eased(density: np.ndarray, scanner: Scanner, window: np.ndarray) -> np.ndarray:
    """Without the scanner's share of the coarse differences of `window`, so that heart and lung both keep their contrast."""
    return density - scanner.flat * coarse(np.maximum(window, EASED), 0.07)


def tone_of(window: np.ndarray, flat: np.ndarray, study: Study) -> Tone:
    """The display window of a film (h, w) by its density and by what `eased` made of it; UserError where its middle shows no body."""
    edge, taken, display = len(window) // 8, study.acquisition, study.display
    core = (slice(edge, -edge),) * 2
    shown = flat[core][window[core] > BODY]
    if not len(shown):
        raise UserError(f"thorax: study {study.number} has no body in the middle of its film; choose a smaller shift")
    low, high = (float(each) for each in np.percentile(shown, (8.0 if study.view == "lateral" else 1.0, 99.5)))
    span = high - low
    low, high = low - span * (0.15 - 0.12 * display[0]), high + span * (0.03 + 0.08 * display[1])
    if taken.look == "bright":
        high -= 0.35 * taken.strength * span
    if taken.look != "equalised":
        return Tone(low, high, None)
    counts = np.histogram(bent((flat[core] - low) / (high - low)), BINS, (0, 1))[0]
    return Tone(low, high, np.concatenate([[0], np.cumsum(counts)]) / counts.sum())


def bent(grey: np.ndarray) -> np.ndarray:
    """Grey in [0, 1) from shares of the display window, straight up to SHOULDER."""
    room = 1 - SHOULDER
    return np.minimum(np.maximum(grey, 0), SHOULDER + room * -np.expm1(-np.maximum(grey - SHOULDER, 0) / room))


def toned(flat: np.ndarray, scanner: Scanner, taken: Acquisition, tone: Tone, gamma: float) -> np.ndarray:
    """Grey in [0, 1] (h, w) of an eased density."""
    grey = bent((flat - tone.low) / (tone.high - tone.low))
    if tone.levels is not None:
        share = 0.65 * taken.strength
        grey = (1 - share) * grey + share * np.interp(grey, np.linspace(0, 1, BINS + 1), tone.levels).astype(grey.dtype)
    bend = {"dark": 0.7, "bright": -0.25, "washed out": -0.2}.get(taken.look, 0.0)
    grey = grey ** (scanner.gamma * math.exp(0.22 * gamma + bend * taken.strength))
    if scanner.sigmoid:
        grey = grey + scanner.sigmoid * (0.5 - 0.5 * np.cos(np.pi * grey) - grey)
    if scanner.detail:
        grey = grey + scanner.detail * (grey - coarse(grey, 1 / 24))
    if taken.look == "edges":
        grey = grey + (0.3 + 0.7 * taken.strength) * (grey - ndimage.gaussian_filter(grey, len(grey) / 110, mode="nearest", truncate=3))
    floor, ceiling = 0.008 + taken.fog, 0.965
    if taken.look == "washed out":
        floor, ceiling = floor + 0.22 * taken.strength, ceiling - 0.12 * taken.strength
    return floor + (ceiling - floor) * np.clip(grey, 0, 1)  # type: ignore[no-any-return]


def block_mean(image: np.ndarray, factor: int) -> np.ndarray:
    """Mean over squares of `factor` pixels (h, w) -> (h / factor, w / factor)."""
    if factor == 1:
        return image
    height, width = (length // factor for length in image.shape)
    return image[: height * factor, : width * factor].reshape(height, factor, width, factor).mean((1, 3))
