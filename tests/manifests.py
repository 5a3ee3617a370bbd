"""Small made-up manifests for tests: a table and films of noise."""

import csv
from pathlib import Path

import numpy as np
from PIL import Image

from workbench.randomness import rng

HEAD = ("filename", "group", "split", "labels", "view", "sex", "age", "text", "source_repo")
ROWS = [
    ("a1.png", "anna", "train", "Mass|Edema", "PA", "F", "61", "Mass and edema.", "north"),
    ("b1.png", "bert", "train", "No Finding", "AP", "M", "", "Clear.", "south"),
    ("b2.png", "bert", "train", "", "PA", "M", "50", "", "south"),
    ("c1.png", "cleo", "val", "Edema", "AP", "F", "33.0", "Edema.", "south"),
    ("d1.png", "dora", "test", "Hernia", "PA", "", "070Y", "Hernia.", "north"),
]


def film(name: str, height: int = 13, width: int = 13) -> np.ndarray:
    """(h w) uint8 of blurred noise, a function of its name."""
    return rng(0, "test film", 0, name).integers(0, 256, size=(height, width)).astype(np.uint8)


def manifest(root: Path, rows=ROWS, head=HEAD, films: bool = True, height: int = 13, width: int = 13) -> Path:
    """A folder with data.csv and images/*.png."""
    (root / "images").mkdir(parents=True, exist_ok=True)
    with open(root / "data.csv", "w", newline="") as file:
        csv.writer(file).writerows([head, *rows])
    for row in rows if films else ():
        Image.fromarray(film(row[0], height, width)).save(root / "images" / row[0])
    return root


def many(count: int) -> list[tuple[str, ...]]:
    """Rows of `count` patients, one film each."""
    return [(f"f{number:03}.png", f"p{number}", "train", "Mass", "PA", "F", "40", "Mass.", "north") for number in range(count)]
