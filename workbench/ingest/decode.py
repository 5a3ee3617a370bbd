"""One image file -> a square grey film: formats, limits, bit depths."""

from pathlib import Path
from typing import BinaryIO, Literal, NamedTuple

import numpy as np
from PIL import Image, UnidentifiedImageError

from workbench.errors import UserError

FORMATS = ("PNG", "JPEG")
PIXELS = 64_000_000  # larger than any radiograph (4,300 x 3,600 is 15 million); beyond, a file of kilobytes may ask for gigabytes
Fit = Literal["pad", "crop"]


class Decoded(NamedTuple):
    """A film (size, size) uint8 and what maps pixels of the file to it."""

    array: np.ndarray
    width: int  # of the file
    height: int


def decode(path: Path | BinaryIO, name: str, size: int, fit: Fit) -> Decoded:
    """Read, check and resize one file, on disk or handed in; raises UserError that names it."""
    try:
        with Image.open(path, formats=FORMATS) as image:
            width, height = image.size
            if width * height > PIXELS:
                raise UserError(
                    f"{name}: {width} x {height} pixels exceed the limit of {PIXELS // 1_000_000} million (decompression bomb?); "
                    "resize the file or remove its row"
                )
            image.draft("L", (2 * size, 2 * size))
            return Decoded(square(grey(image), size, fit), width, height)
    except FileNotFoundError:
        raise UserError(f"{name}: no such image file; restore it or remove its row, then run `workbench data prepare`") from None
    except UnidentifiedImageError:
        if Path(name).suffix.lower() in (".dcm", ".dicom"):
            raise UserError(f"{name}: DICOM is not read yet; convert it to PNG (16 bit is kept) and name that in the table") from None
        raise UserError(f"{name}: is no PNG or JPEG image; restore it, or list it by `workbench data prepare`") from None
    except Image.DecompressionBombError as error:
        raise UserError(f"{name}: decompression bomb refused ({error}); resize the file or remove its row") from None
    except (OSError, SyntaxError, ValueError) as error:
        if isinstance(error, UserError):
            raise
        raise UserError(f"{name}: does not decode ({str(error)[:80]}); restore it, or list it by `workbench data prepare`") from None


def grey(image: Image.Image) -> Image.Image:
    """8-bit grey; deeper images from their own darkest to their own brightest pixel."""
    if image.mode.startswith("I") or image.mode == "F":
        values = np.asarray(image, np.float32)
        low, high = float(values.min()), float(values.max())
        return Image.fromarray((values - low) * (255.0 / (high - low) if high > low else 0.0))
    if image.mode in ("RGBA", "LA", "PA"):
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "black"), image)
    return image.convert("L")


def square(image: Image.Image, size: int, fit: Fit) -> np.ndarray:
    """(size, size) uint8: the whole film with black bars, or its middle."""
    scale, left, top = placement(image.width, image.height, size, fit)
    wide, high = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    small = np.asarray(image.resize((wide, high), Image.Resampling.BICUBIC, reducing_gap=3.0), np.float32)
    small = np.clip(np.rint(small), 0, 255).astype(np.uint8)
    film = np.zeros((size, size), np.uint8)
    x, y = round(left), round(top)
    part = small[max(0, -y) : max(0, -y) + size, max(0, -x) : max(0, -x) + size]
    film[max(0, y) : max(0, y) + part.shape[0], max(0, x) : max(0, x) + part.shape[1]] = part
    return film


def placement(width: int, height: int, size: int, fit: Fit) -> tuple[float, float, float]:
    """Scale and the left and top margin of a file's pixels in its film; negative margins are cut off."""
    scale = size / (max(width, height) if fit == "pad" else min(width, height))
    return scale, (size - width * scale) / 2, (size - height * scale) / 2
