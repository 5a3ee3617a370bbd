"""Contact sheets of the simulated findings at three severities, `docs/phantoms/*.png`: to be looked at. `python -m tests.full sheet`

One patient a row and level: without the finding, mild, moderate, severe; everything else, noise included, is the same. Simulated films only.
"""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from workbench.phantom import FINDINGS, GENERATOR_VERSION
from workbench.phantom.counterfactual import phantom
from workbench.phantom.latents import DEVICES

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


def sheet(level: str) -> Image.Image:
    """All findings of a level, a row each."""
    width, height = 4 * (SIZE + GAP) + GAP, len(FINDINGS) * (SIZE + HEAD + GAP) + GAP
    canvas = Image.new("L", (width, height), 250)
    draw = ImageDraw.Draw(canvas)
    for place, name in enumerate(FINDINGS):
        top = GAP + place * (SIZE + HEAD + GAP)
        words = [f"severity {severity}" for severity in SEVERITIES] if name != "support device" else list(DEVICES[:3])
        for column, (film, said) in enumerate(zip(row(level, name, 20 + place), ["without", *words])):
            left = GAP + column * (SIZE + GAP)
            draw.text((left + 2, top + 3), f"{name}, {said}" if column else f"{level}, simulated", fill=30)
            canvas.paste(Image.fromarray(film), (left, top + HEAD))
    return canvas


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    for level in ("clinical", "teaching"):
        path = FOLDER / f"findings-{level}.png"
        sheet(level).save(path, optimize=True)
        print(f"{path.name}: generator version {GENERATOR_VERSION}, {path.stat().st_size // 1000} kB")


if __name__ == "__main__":
    main()
