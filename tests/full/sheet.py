"""Contact sheets of the simulated findings at three severities, `docs/phantoms/*.png`: to be looked at. `python -m tests.full sheet`

One patient a row and level: without the finding, mild, moderate, severe; everything else, noise included, is the same. Simulated films only.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from workbench.phantom import FINDINGS
from workbench.phantom.levels import LEVELS, LevelName
from workbench.phantom.thorax.course import drawn_study
from workbench.phantom.thorax.film import render
from workbench.phantom.thorax.latents import MIDDLE, with_finding
from workbench.phantom.thorax.variants import Variant

FOLDER = Path(__file__).parents[2] / "docs/phantoms"
SIZE, SEED, GAP, HEAD = 192, 11, 6, 18
SEVERITIES = (0.15, 0.5, 0.9)


def row(level: LevelName, name: str, index: int) -> list[np.ndarray]:
    """Four films (SIZE, SIZE) uint8 with the display window of the first."""
    bare = drawn_study(SEED, index, Variant(level=level))._replace(findings=())
    edits = [with_finding(bare, name, severity, "" if name in MIDDLE else "left") for severity in SEVERITIES]
    return [render(each, SIZE, bare).image for each in (bare, *edits)]


def sheet(what: str, rows: Mapping[str, list[np.ndarray]]) -> Image.Image:
    """Rows of films under their names."""
    canvas = Image.new("L", (4 * (SIZE + GAP) + GAP, len(rows) * (SIZE + HEAD + GAP) + GAP), 250)
    draw = ImageDraw.Draw(canvas)
    for place, (name, films) in enumerate(rows.items()):
        top = GAP + place * (SIZE + HEAD + GAP)
        for column, (film, said) in enumerate(zip(films, ["without", *(f"severity {severity}" for severity in SEVERITIES)])):
            left = GAP + column * (SIZE + GAP)
            draw.text((left + 2, top + 3), f"{name}, {said}" if column else f"{what}, simulated", fill=30)
            canvas.paste(Image.fromarray(film), (left, top + HEAD))
    return canvas


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    for what in LEVELS:
        rows = {name: row(what, name, 40 + place) for place, name in enumerate(FINDINGS)}
        path = FOLDER / f"findings-{what}.png"
        sheet(what, rows).save(path, optimize=True)
        print(f"{path.name}: {path.stat().st_size // 1000} kB")


if __name__ == "__main__":
    main()
