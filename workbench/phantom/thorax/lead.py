"""Side markers of lead and burned-in words, drawn with the built-in font of Pillow."""

from functools import cache, lru_cache
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFont, ImageOps

from workbench.errors import UserError
from workbench.phantom.thorax.acquisition import Acquisition, Dress
from workbench.randomness import rng

FINER = 3  # patches are drawn so many times larger, then averaged
INITIALS = "ABCDEHJKMPST"


class Mark(NamedTuple):
    """One patch on the film. Row and column are those of its middle, as shares of the film."""

    text: str
    row: float
    column: float
    height: float  # of its letter, share of the film's width
    dress: Dress = "plain"
    slant: float = 0.0
    mirrored: bool = False
    small: str = ""  # initials
    grey: float = 0.985


def marks(seed: int, number: int, film: int, taken: Acquisition, view: str, height: float, text: float) -> list[Mark]:
    """What is marked on a film: L at image right and R at image left from the front; `height` of letters, `text` of words."""
    draw = rng(seed, "thorax marker", film, number)
    clear = dict(zip(("top", "foot", "left", "right"), taken.blades))
    found = []
    initials = "".join(INITIALS[int(each)] for each in draw.integers(len(INITIALS), size=3))[: 2 + int(draw.random() < 0.5)]
    for letter in taken.letters:
        row, inset, grown, cut = draw.beta(1.1, 3.5), draw.uniform(0.05, 0.13), draw.uniform(0.75, 1.3), draw.random() < 0.06
        at_right = letter == "L" if view != "lateral" else draw.random() < 0.5
        inset = -0.005 if cut else inset
        column = 1 - clear["right"] - inset if at_right else clear["left"] + inset
        small = initials if taken.dress == "initials" else ""
        place = (clear["top"] + 0.05 + 0.55 * float(row), float(column))
        found.append(
            Mark(letter, *place, height * float(grown), taken.dress, taken.slant, taken.mirrored, small, float(draw.uniform(0.8, 1)))
        )
    if taken.words:
        at_right, row = draw.random() < 0.6, clear["top"] + 0.04 + 0.12 * draw.random()
        if found and at_right == (found[0].column > 0.5):  # below the marker
            row = found[0].row + 1.9 * found[0].height
        column = 1 - clear["right"] - 0.09 if at_right else clear["left"] + 0.09
        for line, word in enumerate(taken.words):
            found.append(Mark(word, float(row) + 0.04 * line, column, 0.017 if word != "↑" else 0.034))
    if text:
        word = {"PA": "PA", "AP": "AP", "lateral": "LAT"}[view]
        found.append(Mark(word, 0.965 - clear["foot"], clear["left"] + 0.05, text))
    return found


def stamp(grey: np.ndarray, mark: Mark) -> None:
    """Put a patch on a film (h, w) in [0, 1], in place; what leaves the film is cut."""
    size = len(grey)
    value, cover = patch(mark._replace(row=0.0, column=0.0), size)
    top, left = round(mark.row * size - len(cover) / 2), round(mark.column * size - cover.shape[1] / 2)
    rows, columns = (slice(max(-at, 0), min(length, size - at)) for at, length in zip((top, left), cover.shape))
    if rows.start >= rows.stop or columns.start >= columns.stop:
        return
    there = grey[top + rows.start : top + rows.stop, left + columns.start : left + columns.stop]
    there += cover[rows, columns] * (np.maximum(value[rows, columns], there * (value[rows, columns] > 0.5)) - there)


@cache
def built_in() -> ImageFont.FreeTypeFont:
    """Pillow's own font, which is unpacked once."""
    font = ImageFont.load_default(10.0)
    if not isinstance(font, ImageFont.FreeTypeFont):
        raise UserError("thorax: this Pillow draws no letters of any size; install a Pillow with FreeType, as the one from PyPI has it")
    return font


def letters(size: float) -> ImageFont.FreeTypeFont:
    """The font at a size in pixels."""
    return built_in().font_variant(size=size)


@lru_cache(maxsize=256)
def patch(mark: Mark, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Grey and share covered (h, w) of a mark on a film of this size."""
    tall = max(mark.height * size * FINER * (0.7 if mark.dress in ("disc", "tag") else 1.0), 3.0)
    font = letters(tall * 1.35)  # capitals are 0.74 of the size
    left, top, right, foot = (round(each) for each in font.getbbox(mark.text if mark.text != "↑" else "I"))
    wide, high = right - left, foot - top
    room = int(2.2 * tall + max(wide, high))
    value, cover = Image.new("L", (room, room), 255), Image.new("L", (room, room), 0)
    on_value, on_cover = ImageDraw.Draw(value), ImageDraw.Draw(cover)
    middle = room / 2
    if mark.dress in ("disc", "tag"):
        reach = 0.95 * tall
        box = (middle - reach, middle - reach, middle + reach, middle + reach)
        if mark.dress == "disc":
            on_cover.ellipse(box, fill=255)
            on_value.ellipse(box, fill=20, outline=255, width=max(round(tall / 9), 1))
        else:
            on_cover.rectangle((box[0] + tall * 0.15, box[1], box[2] - tall * 0.15, box[3]), fill=225)
    at = (middle - wide / 2 - left, middle - high / 2 - top)
    if mark.text == "↑":
        arrow(on_cover, middle, tall)
    elif mark.dress == "tag":
        on_value.text(at, mark.text, fill=70, font=font)
    else:
        on_value.text(at, mark.text, fill=255, font=font)
        on_cover.text(at, mark.text, fill=255, font=font, stroke_width=max(round(tall / 22), 0), stroke_fill=255)
    if mark.dress == "ball":
        ball = 0.16 * tall
        on_cover.ellipse((middle - ball, middle + 0.75 * tall - ball, middle + ball, middle + 0.75 * tall + ball), fill=255)
    if mark.small:
        on_cover.text((middle - 0.3 * tall, middle + 0.6 * tall), mark.small, fill=255, font=letters(tall * 0.65))
    if mark.mirrored:
        value, cover = ImageOps.mirror(value), ImageOps.mirror(cover)
    if mark.slant:
        value = value.rotate(mark.slant, Image.Resampling.BILINEAR, fillcolor=255)
        cover = cover.rotate(mark.slant, Image.Resampling.BILINEAR)
    greys, shares = (np.asarray(each.reduce(FINER), np.float32) / 255 for each in (value, cover))
    return greys * mark.grey, shares


def arrow(draw: ImageDraw.ImageDraw, middle: float, tall: float) -> None:
    """An arrow that points up."""
    half = tall / 2
    draw.polygon([(middle, middle - half), (middle - 0.42 * tall, middle), (middle + 0.42 * tall, middle)], fill=255)
    draw.rectangle((middle - 0.15 * tall, middle, middle + 0.15 * tall, middle + half), fill=255)
