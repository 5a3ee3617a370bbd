"""From path lengths to a film: Beer-Lambert with two materials and two energies, scatter, blur, noise, display."""

from typing import NamedTuple

import numpy as np
from scipy import ndimage

from workbench.phantom import MASKS
from workbench.phantom.latents import Study
from workbench.phantom.levels import LEVELS
from workbench.phantom.scene import Scene, scene
from workbench.phantom.solids import rays
from workbench.randomness import rng

FIELD = 40.0  # cm across the detector at zoom 1
# share of the photons, then attenuation of soft tissue and bone per cm: two stand-ins for a filtered 110 kV beam
BEAM = ((0.55, 0.23, 0.62), (0.45, 0.175, 0.36))
BLUR = 0.25 / 128  # of the film's width, standard deviation
SCATTER = 0.28  # of the primary, spread over the film
GLYPHS = {"L": "10000 10000 10000 10000 10000 10000 11111", "R": "11110 10001 10001 11110 10100 10010 10001"}


class Film(NamedTuple):
    """One radiograph and its ground truth."""

    image: np.ndarray  # (h, w) uint8, white is dense; the patient's left is at image right
    masks: np.ndarray  # (h, w) uint8, one bit for each of MASKS
    boxes: list[dict[str, int | str]]  # "label", "side", "x", "y", "w", "h" in pixels
    spacing_mm: float


def render(study: Study, size: int, like: Study | None = None, same_window: bool = False) -> Film:
    """The film of a study, `size` pixels square; with the noise of the study `like`, and with its display window where wanted."""
    exposure, seen, step = log_exposure(study, size)
    masks, boxes = ground_truth(seen, size)
    if like is None or like == study:
        image = display(study, expose(study, exposure))
    else:
        before = log_exposure(like, size)[0]
        window = expose(like, before) if same_window else None
        image = display(study, expose(study, exposure, (like, before)), window)
    return Film(image, masks, boxes, round(10 * step, 4))


def log_exposure(study: Study, size: int) -> tuple[np.ndarray, Scene, float]:
    """Noise-free detector exposure (size, size) as a share of the unattenuated beam, before any display; the scene; cm a pixel."""
    fine = size if size >= 128 else 2 * size
    field = FIELD * study.zoom
    seen = scene(study, rays(study.view, fine, field, (study.shift[0], study.shift[1] - 1.5)))
    primary = sum(
        share * np.exp(-(np.float32(soft) * seen.soft + np.float32(bone) * seen.bone + seen.device)) for share, soft, bone in BEAM
    )
    small = block_mean(primary, fine // 32) if fine >= 64 else primary
    spread = ndimage.gaussian_filter(small, 0.1 * len(small), mode="nearest")
    spread = ndimage.zoom(spread, fine / len(small), order=1, mode="nearest", grid_mode=True)
    blurred = ndimage.gaussian_filter(primary + SCATTER * spread, BLUR * fine, mode="nearest")
    return block_mean(blurred, fine // size), seen, field / size


def block_mean(image: np.ndarray, factor: int) -> np.ndarray:
    """Mean over squares of `factor` pixels."""
    if factor == 1:
        return image
    height, width = (length // factor for length in image.shape)
    return image[: height * factor, : width * factor].reshape(height, factor, width, factor).mean((1, 3))


def quanta(study: Study, size: int) -> float:
    """Photons of the unattenuated beam in a pixel of a film of this size."""
    return study.photons * 30 * (128 / size) ** 2


def expose(study: Study, exposure: np.ndarray, like: tuple[Study, np.ndarray] | None = None) -> np.ndarray:
    """Optical density: minus the log of what the detector counted.

    With the noise of another study and its exposure: equal counts where nothing else differs, elsewhere as many standard deviations off.
    """
    own, source = quanta(study, len(exposure)), like[0] if like else study
    mean, draw = exposure * own, rng(source.seed, "phantom noise", 0, source.number)
    before = mean if like is None else like[1] * quanta(source, len(exposure))
    counted = draw.poisson(before).astype(float)
    if like is not None:
        counted = np.where(mean == before, counted, mean + np.sqrt(mean / before) * (counted - before))
    counted = counted + 3.0 * draw.normal(size=mean.shape)
    return -np.log(np.maximum(counted, 1.0) / own)


def display(study: Study, density: np.ndarray, window: np.ndarray | None = None) -> np.ndarray:
    """Windowed, curved and marked as the device of this style does it; the window is that of another film's density where one is given."""
    level, style, seen = LEVELS[study.level], study.device_style, density if window is None else window
    middle = seen[len(seen) // 8 : -len(seen) // 8, len(seen) // 8 : -len(seen) // 8]
    low, high = np.percentile(middle, (1.0, 99.0))
    span = high - low
    low, high = low - 0.12 * span, high + 0.03 * span
    low, high = low + span * level.window * study.display[0], high + span * level.window * study.display[1]
    grey = np.clip((density - low) / (high - low), 0, 1)
    grey = grey ** np.exp(level.gamma * study.display[2])
    if style == 1:
        grey = 0.5 - 0.5 * np.cos(np.pi * grey)
    elif style == 2:
        grey = np.clip(grey + 0.5 * (grey - ndimage.gaussian_filter(grey, len(grey) / 24)), 0, 1)
    mark(study, grey)
    return np.round(255 * grey).astype(np.uint8)


def mark(study: Study, grey: np.ndarray) -> None:
    """Collimation at the rim and the side marker, in place."""
    draw = rng(study.seed, "phantom marker", 0, study.number)
    size = len(grey)
    rim = np.maximum(draw.normal(0.0, 0.025, size=4) * size, 0).astype(int)
    grey[: rim[0]] *= 0.1
    grey[size - rim[1] :] *= 0.1
    grey[:, : rim[2]] *= 0.1
    grey[:, size - rim[3] :] *= 0.1
    drawn = "L" if draw.random() < 0.6 else "R"
    letter = study.marker or drawn
    glyph = np.array([[float(dot) for dot in row] for row in GLYPHS[letter].split()])
    finer = -(-128 // size)  # a letter has the same share of a small film, where its dots are less than a pixel
    glyph = np.kron(glyph, np.ones((max(finer * size // 128, 1),) * 2))
    canvas = np.zeros((finer * size, finer * size))
    row, column = int(len(canvas) * draw.uniform(0.04, 0.14)), int(len(canvas) * draw.uniform(0.03, 0.10))
    if letter == "L":  # the patient's left is at image right
        column = len(canvas) - column - glyph.shape[1]
    canvas[row : row + glyph.shape[0], column : column + glyph.shape[1]] = glyph
    lead = block_mean(canvas, finer)
    grey += lead * (0.95 - np.minimum(grey, 0.95))


def ground_truth(seen: Scene, size: int) -> tuple[np.ndarray, list[dict[str, int | str]]]:
    """Bit planes of MASKS, and a box round every finding on every side."""
    planes, boxes = np.zeros((size, size), np.uint8), list[dict[str, int | str]]()
    for (name, side), fine in seen.inside.items():
        factor = len(fine) // size
        share = block_mean(fine.astype(np.float32), factor)
        thin = name in ("nodule", "support device")
        here = share >= (0.25 if thin else 0.5)
        planes[here] |= np.uint8(1 << MASKS.index(name))
        if "lung" not in name and here.any():
            rows, columns = np.flatnonzero(here.any(1)), np.flatnonzero(here.any(0))
            box: dict[str, int | str] = {"x": int(columns[0]), "y": int(rows[0]), "w": int(np.ptp(columns)) + 1, "h": int(np.ptp(rows)) + 1}
            boxes.append({"label": name, "side": side, **box})
    return planes, boxes
