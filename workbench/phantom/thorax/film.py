"""From path lengths to a film: Beer-Lambert at two energies, scatter, blur, noise, and the display of three scanners."""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy import ndimage

from workbench.dataset import Image
from workbench.phantom import MASKS
from workbench.phantom.solids import Rays, rays, turn
from workbench.phantom.thorax.aim import CENTRE, FIELD
from workbench.phantom.thorax.anatomy import body_of
from workbench.phantom.thorax.collimation import bordered, lit
from workbench.phantom.thorax.crossings import crossed, union
from workbench.phantom.thorax.exposure import Scanner, block_mean, coarse, eased, smoothed, tone_of, toned, uneven
from workbench.phantom.thorax.latents import Study
from workbench.phantom.thorax.lead import marks, stamp
from workbench.phantom.thorax.materials import BONE, DEVICE, FAT, MARROW, SHARES, SOFT
from workbench.phantom.thorax.paths import GRID, Paths, Placed, paths
from workbench.phantom.thorax.wires import wires
from workbench.randomness import rng

BLUR = 0.15 / 128  # of the film's width, standard deviation
SCATTER = 0.4  # of the primary, spread over the film
FRAMES = 1000  # of a clip at most
QUANTA = 90.0  # photons in a pixel of 128 across for each of a study's
READOUT = 6.0  # photons, standard deviation
SCANNERS = (
    Scanner(gamma=0.75, sigmoid=0.0, detail=0.0, flat=0.15, rim=1.0, marker=0.042, text=0.0),
    Scanner(gamma=0.68, sigmoid=0.5, detail=0.15, flat=0.30, rim=1.5, marker=0.034, text=0.024),
    Scanner(gamma=0.85, sigmoid=0.2, detail=0.4, flat=0.40, rim=0.6, marker=0.047, text=0.018),
)


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
    return rays("AP" if study.view == "AP" else "PA", size, FIELD * study.zoom, (study.shift[0], study.shift[1] + CENTRE), dtype)


def turned(study: Study) -> np.ndarray:
    """Patient axes to detector axes (3, 3); a lateral film is taken with the left side at the detector."""
    return turn(study.yaw - (90 if study.view == "lateral" else 0), study.roll)


def seen(study: Study, size: int, dtype: type = np.float32) -> Paths:
    """Path lengths on a film `size` rays across."""
    return paths(study, placed(study, size, dtype))


def placed(study: Study, size: int, dtype: type = np.float32) -> Placed:
    """The patient before a detector of `size` rays across."""
    coarseness = max(each for each in range(1, max(size // GRID, 1) + 1) if size % each == 0)
    return Placed(body_of(study), turned(study), beam_of(study, size, dtype), coarseness)


def attenuated(found: Paths, energy: int) -> np.ndarray:
    """Minus the log of the share of photons that pass at one energy (h, w)."""
    parts = ((found.soft, SOFT), (found.fat, FAT), (found.bone, BONE), (found.marrow, MARROW), (found.device, DEVICE))
    return sum(path * path.dtype.type(material[energy]) for path, material in parts)  # type: ignore[return-value]


Look = Callable[[Study, int], Paths]  # path lengths on a film of so many rays across, of a body from elsewhere


def log_exposure(study: Study, size: int, look: Look = seen) -> tuple[np.ndarray, Paths]:
    """Noise-free share of the unattenuated beam at the detector (size, size), before any display; the paths, things on the skin included."""
    fine = size if size >= 128 else 2 * size
    found = look(study, fine)
    for solids, density in wires(study):
        beam = beam_of(study, fine)
        found = found._replace(device=found.device + density * beam.slant * union([crossed(beam, solids, turned(study))]).total(beam))
    primary = sum(share * np.exp(-attenuated(found, energy)) for energy, share in enumerate(SHARES))
    blurred = ndimage.gaussian_filter(primary + SCATTER * coarse(primary, 0.1), BLUR * fine, mode="nearest")
    return block_mean(blurred, fine // size) * uneven(study.acquisition, size, blurred.dtype), found


def render(study: Study, size: int, window_of: Study | None = None, look: Look = seen) -> Film:
    """The film of a study, `size` pixels square; with the display window of another study, and of another body, where one is given."""
    exposure, found = log_exposure(study, size, look)
    density = expose(study, exposure)
    window = density if window_of is None else expose(window_of, log_exposure(window_of, size, look)[0])
    masks, boxes = ground_truth(study, found, size)
    return Film(display(study, density, window), masks, boxes, round(10 * FIELD * study.zoom / size, 4), study.view)


def expose(study: Study, exposure: np.ndarray, frame: int = 0) -> np.ndarray:
    """Minus the log of what the detector counted; equal counts where nothing differs.

    Noise is drawn as standard deviations, so that a changed finding moves no other pixel's draw: Poisson, by its normal limit.
    """
    own = quanta(study, len(exposure))
    draw = rng(study.seed, "thorax noise", FRAMES * study.film + frame, study.number).standard_normal(
        (2, *exposure.shape), dtype=np.float32
    )
    counted = exposure * own
    counted = counted + np.sqrt(counted) * draw[0] + READOUT * draw[1]
    return -np.log(np.maximum(counted, 1.0) / own)


def quanta(study: Study, size: int) -> float:
    """Photons of the unattenuated beam in a pixel of a film of this size."""
    return study.photons * QUANTA * (128 / size) ** 2


def display(study: Study, density: np.ndarray, window: np.ndarray) -> np.ndarray:
    """Smoothed, windowed as another density is, curved, bordered and marked as this scanner does it (h, w) uint8."""
    scanner, taken, size = SCANNERS[study.device_style], study.acquisition, len(density)
    clean = smoothed(density, quanta(study, size))
    first = clean if window is density else smoothed(window, quanta(study, size))
    flat = eased(clean, scanner, first)
    like = flat if first is clean else eased(first, scanner, first)
    grey = toned(flat, scanner, taken, tone_of(window, like, study), study.display[2])
    grey = bordered(grey, taken, lit(taken, size, scanner.rim))
    for each in marks(study.seed, study.number, study.film, taken, study.view, scanner.marker, scanner.text):
        stamp(grey, each)
    return np.round(255 * np.clip(grey, 0, 1)).astype(np.uint8)


def ground_truth(study: Study, found: Paths, size: int) -> tuple[np.ndarray, list[dict[str, int | str]]]:
    """Bit planes of MASKS, and a box round every finding on every side; an enlarged heart's box is that of the heart. The border hides what lies there."""
    planes, boxes = np.zeros((size, size), np.uint16), list[dict[str, int | str]]()
    field = lit(study.acquisition, size, SCANNERS[study.device_style].rim)
    for (name, side), fine in found.inside.items():
        factor = len(fine) // size
        counts = np.zeros((size, size), np.uint16)
        for row in range(factor):
            for column in range(factor):
                counts += fine[row::factor, column::factor]
        thin = name in ("nodule", "rib fracture", "pacemaker") or name.endswith(("tube", "line"))
        here = counts >= math.ceil((0.25 if thin else 0.5) * factor**2)
        if field is not None:
            here &= field >= 0.5
        planes |= here * np.uint16(1 << MASKS.index(name))
        label = "cardiomegaly" if name == "heart" else name
        if "lung" not in name and here.any() and study.has(label):
            rows, columns = np.flatnonzero(here.any(1)), np.flatnonzero(here.any(0))
            box: dict[str, int | str] = {"x": int(columns[0]), "y": int(rows[0]), "w": int(np.ptp(columns)) + 1, "h": int(np.ptp(rows)) + 1}
            boxes.append({"label": label, "side": side, **box})
    return planes, boxes
