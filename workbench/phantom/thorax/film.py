"""From path lengths to a film: Beer-Lambert at two energies, scatter, blur, noise, and the display of three scanners."""

from typing import NamedTuple

import numpy as np
from scipy import ndimage

from workbench.dataset import Image
from workbench.errors import UserError
from workbench.phantom.film import GLYPHS, block_mean
from workbench.phantom.solids import Rays, rays, turn
from workbench.phantom.thorax import MASKS
from workbench.phantom.thorax.anatomy import body_of
from workbench.phantom.thorax.latents import Study
from workbench.phantom.thorax.materials import BONE, DEVICE, FAT, MARROW, SHARES, SOFT
from workbench.phantom.thorax.paths import GRID, Paths, Placed, paths
from workbench.randomness import rng

FIELD = 40.0  # cm across the detector at zoom 1
BLUR = 0.15 / 128  # of the film's width, standard deviation
BODY = 0.6  # density above which a pixel counts for the display window
SCATTER = 0.4  # of the primary, spread over the film
READOUT = 3.0  # photons, standard deviation


class Scanner(NamedTuple):
    """How one make of device shows a density."""

    gamma: float
    sigmoid: float  # share of an S-shaped curve
    detail: float  # how much of the difference from a smoothed film is added
    rim: float  # collimation, share of the width
    marker: float  # height of the side marker, share of the width
    text: bool  # view and number burned in at the foot


SCANNERS = (
    Scanner(1.0, 0.0, 0.0, 0.020, 0.06, False),
    Scanner(0.85, 0.7, 0.15, 0.035, 0.045, True),
    Scanner(1.1, 0.2, 0.6, 0.0, 0.07, False),
)
LETTERS = {
    "P": "11110 10001 10001 11110 10000 10000 10000",
    "A": "01110 10001 10001 11111 10001 10001 10001",
    "T": "11111 00100 00100 00100 00100 00100 00100",
    **GLYPHS,
}


class Film(NamedTuple):
    """One radiograph and its ground truth."""

    image: np.ndarray  # (h, w) uint8, white is dense; the patient's left is at image right in PA and AP, the front at image left in lateral
    masks: np.ndarray  # (h, w) uint16, one bit for each of MASKS
    boxes: list[dict[str, int | str]]  # "label", "side", "x", "y", "w", "h" in pixels
    spacing_mm: float  # on the detector
    view: str

    def as_image(self) -> Image:
        return Image(self.image, "hw", (self.spacing_mm, self.spacing_mm), self.view)


def beam_of(study: Study, size: int, dtype: type = np.float32) -> Rays:
    """The rays of a study's view; a left lateral has the geometry of a PA film."""
    return rays("AP" if study.view == "AP" else "PA", size, FIELD * study.zoom, (study.shift[0], study.shift[1] - 2.5), dtype)


def turned(study: Study) -> np.ndarray:
    """Patient axes to detector axes (3, 3); a lateral film is taken with the left side at the detector."""
    return turn(study.yaw - (90 if study.view == "lateral" else 0), study.roll)


def seen(study: Study, size: int, dtype: type = np.float32) -> Paths:
    """Path lengths on a film `size` rays across."""
    coarseness = max(each for each in range(1, max(size // GRID, 1) + 1) if size % each == 0)
    return paths(study, Placed(body_of(study), turned(study), beam_of(study, size, dtype), coarseness))


def attenuated(found: Paths, energy: int) -> np.ndarray:
    """Minus the log of the share of photons that pass at one energy (h, w)."""
    parts = ((found.soft, SOFT), (found.fat, FAT), (found.bone, BONE), (found.marrow, MARROW), (found.device, DEVICE))
    return sum(path * path.dtype.type(material[energy]) for path, material in parts)  # type: ignore[return-value]


def log_exposure(study: Study, size: int) -> tuple[np.ndarray, Paths]:
    """Noise-free share of the unattenuated beam at the detector (size, size), before any display; the paths."""
    fine = size if size >= 128 else 2 * size
    found = seen(study, fine)
    primary = sum(share * np.exp(-attenuated(found, energy)) for energy, share in enumerate(SHARES))
    small = block_mean(primary, max(fine // 32, 1))
    spread = magnified(ndimage.gaussian_filter(small, 0.1 * len(small), mode="nearest"), fine)
    blurred = ndimage.gaussian_filter(primary + SCATTER * spread, BLUR * fine, mode="nearest")
    return block_mean(blurred, fine // size), found


def magnified(small: np.ndarray, size: int) -> np.ndarray:
    """A square image (n, n) at `size` pixels across, linear between the middles of its own, constant beyond them."""
    place = np.clip((np.arange(size) + 0.5) * len(small) / size - 0.5, 0, len(small) - 1)
    share = np.maximum(1 - np.abs(place[:, None] - np.arange(len(small))), 0).astype(small.dtype)
    return share @ small @ share.T


def render(study: Study, size: int, window_of: Study | None = None) -> Film:
    """The film of a study, `size` pixels square; with the display window of another study where one is given."""
    exposure, found = log_exposure(study, size)
    density = expose(study, exposure)
    window = density if window_of is None else expose(window_of, log_exposure(window_of, size)[0])
    masks, boxes = ground_truth(study, found, size)
    return Film(display(study, density, window), masks, boxes, round(10 * FIELD * study.zoom / size, 4), study.view)


def expose(study: Study, exposure: np.ndarray, frame: int = 0) -> np.ndarray:
    """Minus the log of what the detector counted; equal counts where nothing differs.

    Noise is drawn as standard deviations, so that a changed finding moves no other pixel's draw: Poisson, by its normal limit.
    """
    own = study.photons * 30 * (128 / len(exposure)) ** 2
    draw = rng(study.seed, "thorax noise", frame, study.number).standard_normal((2, *exposure.shape), dtype=np.float32)
    counted = exposure * own
    counted = counted + np.sqrt(counted) * draw[0] + READOUT * draw[1]
    return -np.log(np.maximum(counted, 1.0) / own)


def display(study: Study, density: np.ndarray, window: np.ndarray) -> np.ndarray:
    """Windowed, curved and marked as this scanner does it (h, w) uint8."""
    scanner = SCANNERS[study.device_style]
    edge = len(window) // 8
    middle = window[edge:-edge, edge:-edge]
    shown = middle[middle > BODY]
    if not len(shown):
        raise UserError(f"thorax: study {study.number} has no body in the middle of its film; choose a smaller shift")
    low, high = np.percentile(shown, (8.0 if study.view == "lateral" else 1.0, 99.0))
    span = high - low
    low, high = low - span * (0.12 - 0.1 * study.display[0]), high + span * (0.03 + 0.1 * study.display[1])
    grey = np.clip((density - low) / (high - low), 0, 1) ** (scanner.gamma * np.exp(0.25 * study.display[2]))
    grey = grey + scanner.sigmoid * (0.5 - 0.5 * np.cos(np.pi * grey) - grey)
    if scanner.detail:
        grey = np.clip(grey + scanner.detail * (grey - ndimage.gaussian_filter(grey, len(grey) / 24)), 0, 1)
    mark(study, scanner, grey)
    return np.round(255 * grey).astype(np.uint8)


def mark(study: Study, scanner: Scanner, grey: np.ndarray) -> None:
    """Collimation at the rim, the side marker and burned-in text, in place."""
    draw = rng(study.seed, "thorax marker", 0, study.number)
    size = len(grey)
    rim = (scanner.rim * size * draw.uniform(0, 2, size=4)).astype(int)
    for edge, border in enumerate((grey, grey[::-1], grey.T, grey.T[::-1])):
        border[: rim[edge]] *= 0.08
    letter = "L" if draw.random() < 0.6 or study.view == "lateral" else "R"
    at_right = letter == "L" and study.view != "lateral"  # the patient's left is at image right
    row, inset = draw.uniform(0.04, 0.14), draw.uniform(0.03, 0.10)
    stamp(grey, letter, scanner.marker, row, 1 - inset if at_right else inset, at_right)
    if scanner.text:
        stamp(grey, {"PA": "PA", "AP": "AP", "lateral": "LAT"}[study.view], 0.035, 0.94, 0.04, False)


def stamp(grey: np.ndarray, word: str, height: float, row: float, column: float, to_right: bool) -> None:
    """Letters of lead: drawn finely, then averaged, so that they have the same share of every film."""
    size = len(grey)
    dots = np.concatenate([np.array([[float(dot) for dot in line] + [0.0] for line in LETTERS[letter].split()]) for letter in word], 1)
    finer = -(-512 // size)
    each = max(round(height * size * finer / len(dots)), 1)
    glyph = np.kron(dots, np.ones((each, each)))
    top, left = int(row * size * finer), int(column * size * finer) - (glyph.shape[1] if to_right else 0)
    before, after = (top % finer, left % finer), [-(place + length) % finer for place, length in zip((top, left), glyph.shape)]
    lead = block_mean(np.pad(glyph, [*zip(before, after)]), finer)
    there = grey[top // finer : top // finer + len(lead), left // finer : left // finer + lead.shape[1]]
    there += lead[: there.shape[0], : there.shape[1]] * (0.95 - np.minimum(there, 0.95))


def ground_truth(study: Study, found: Paths, size: int) -> tuple[np.ndarray, list[dict[str, int | str]]]:
    """Bit planes of MASKS, and a box round every finding on every side; an enlarged heart's box is that of the heart."""
    planes, boxes = np.zeros((size, size), np.uint16), list[dict[str, int | str]]()
    for (name, side), fine in found.inside.items():
        share = block_mean(fine.astype(np.float32), len(fine) // size)
        thin = name in ("nodule", "rib fracture") or name.endswith(("tube", "line"))
        here = share >= (0.25 if thin else 0.5)
        planes[here] |= np.uint16(1 << MASKS.index(name))
        label = "cardiomegaly" if name == "heart" else name
        if "lung" not in name and here.any() and study.has(label):
            rows, columns = np.flatnonzero(here.any(1)), np.flatnonzero(here.any(0))
            box: dict[str, int | str] = {"x": int(columns[0]), "y": int(rows[0]), "w": int(np.ptp(columns)) + 1, "h": int(np.ptp(rows)) + 1}
            boxes.append({"label": label, "side": side, **box})
    return planes, boxes
