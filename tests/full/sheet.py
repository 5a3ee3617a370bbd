"""Contact sheets of the simulated findings at three severities, `docs/phantoms/*.png`: to be looked at. `python -m tests.full sheet`

One patient a row and level: without the finding, mild, moderate, severe; everything else, noise included, is the same. Simulated films only.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from workbench.phantom import FINDINGS
from workbench.phantom.counterfactual import phantom
from workbench.phantom.latents import DEVICES
from workbench.phantom.thorax import FINDINGS as THORAX
from workbench.phantom.thorax.film import render
from workbench.phantom.thorax.latents import MIDDLE, with_finding
from workbench.phantom.thorax.rows import frontal

FOLDER = Path(__file__).parents[2] / "docs/phantoms"
SIZE, SEED, GAP, HEAD = 192, 11, 6, 18
SEVERITIES = (0.15, 0.5, 0.9)


def row(level: str, name: str, index: int) -> list[np.ndarray]:
    """Four films (SIZE, SIZE) uint8; of a support device the three kinds besides the first, which has no severity."""
    bare = phantom(level, SEED, index)  # type: ignore[arg-type]
    for each in FINDINGS:
        bare = bare.edit(finding=each, severity=0)
    if name == "support device":
        edits = [bare.edit(finding=name, kind=kind) for kind in DEVICES[:3]]
    else:
        edits = [bare.edit(finding=name, severity=severity) for severity in SEVERITIES]
    return [each.film(SIZE).image for each in (bare, *edits)]


def thorax_row(name: str, index: int) -> list[np.ndarray]:
    """The same of the data set `thorax`, all with the display window of the first."""
    bare = frontal(SEED, index)._replace(findings=())
    side = "" if name in MIDDLE else "left"
    edits = [with_finding(bare, name, severity, side) for severity in SEVERITIES]  # type: ignore[arg-type]
    return [render(each, SIZE, bare).image for each in (bare, *edits)]


def words_of(name: str) -> list[str]:
    return list(DEVICES[:3]) if name == "support device" else [f"severity {severity}" for severity in SEVERITIES]


def sheet(what: str, rows: Mapping[str, list[np.ndarray]]) -> Image.Image:
    """Rows of films under their names."""
    canvas = Image.new("L", (4 * (SIZE + GAP) + GAP, len(rows) * (SIZE + HEAD + GAP) + GAP), 250)
    draw = ImageDraw.Draw(canvas)
    for place, (name, films) in enumerate(rows.items()):
        top = GAP + place * (SIZE + HEAD + GAP)
        for column, (film, said) in enumerate(zip(films, ["without", *words_of(name)])):
            left = GAP + column * (SIZE + GAP)
            draw.text((left + 2, top + 3), f"{name}, {said}" if column else f"{what}, simulated", fill=30)
            canvas.paste(Image.fromarray(film), (left, top + HEAD))
    return canvas


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    sheets = {level: {name: row(level, name, 20 + place) for place, name in enumerate(FINDINGS)} for level in ("clinical", "teaching")}
    sheets["thorax"] = {name: thorax_row(name, 40 + place) for place, name in enumerate(THORAX)}
    for what, rows in sheets.items():
        path = FOLDER / f"findings-{what}.png"
        sheet(what, rows).save(path, optimize=True)
        print(f"{path.name}: {path.stat().st_size // 1000} kB")


if __name__ == "__main__":
    main()
