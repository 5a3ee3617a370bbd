"""Can simulated chest X-rays be told from real ones? Twenty of each, shuffled, to be judged by eye in three rounds.

`python -m tests.full.blind sheet ROUND FOLDER` draws the numbered films and keeps the key beside them: FOLDER must lie outside of the repository,
real films are never committed. `python -m tests.full.blind judge ROUND FOLDER NUMBER …` takes the numbers called simulated and writes
docs/results/blind.json. Real films come from WORKBENCH_TEST_DATA.
"""

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw
from scipy.stats import binomtest

from tests.full.record import FOLDER, head, write
from workbench.datasets import load_dataset
from workbench.errors import UserError
from workbench.phantom import GENERATOR_VERSION
from workbench.phantom.thorax.course import drawn_study
from workbench.phantom.thorax.film import render
from workbench.randomness import rng

NAME, EACH, SIZE, COLUMNS = "blind", 20, 160, 8
REAL = {"name": "manifest", "root": "${WORKBENCH_TEST_DATA}/nih_cxr14", "table": "data.csv", "images": "images", "size": SIZE}
REAL |= {"closed_labels": True, "terms": "no-redistribution"}


def films(number: int) -> tuple[list[np.ndarray], list[bool]]:
    """Forty films (SIZE, SIZE) in random order, and which are simulated."""
    draw = rng(GENERATOR_VERSION, "blind", number, 0)
    real = load_dataset(REAL, NAME)
    own = [render(drawn_study(100 + number, int(index)), SIZE).image for index in draw.choice(5000, EACH, replace=False)]
    theirs = [real[int(index)]["images"][0].array for index in draw.choice(len(real), EACH, replace=False)]
    order = draw.permutation(2 * EACH)
    return [(own + theirs)[place] for place in order], [bool(place < EACH) for place in order]


def sheet(number: int, folder: Path) -> None:
    """The numbered films of a round and, in a file of its own, the key."""
    if Path(__file__).parents[2].resolve() in folder.resolve().parents:
        raise UserError(f"{folder}: lies in the repository; real films are never committed, give a folder outside of it")
    pictures, key = films(number)
    canvas = Image.new("L", (COLUMNS * SIZE, len(pictures) // COLUMNS * SIZE))
    draw = ImageDraw.Draw(canvas)
    for place, film in enumerate(pictures):
        at = (place % COLUMNS * SIZE, place // COLUMNS * SIZE)
        canvas.paste(Image.fromarray(film), at)
        draw.text((at[0] + 4, at[1] + SIZE - 14), str(place + 1), fill=255, stroke_width=2, stroke_fill=0)
    folder.mkdir(parents=True, exist_ok=True)
    canvas.save(folder / f"round-{number}.png")
    (folder / f"key-{number}.json").write_text(json.dumps(key))


def judge(number: int, folder: Path, called: list[int]) -> None:
    """Score the numbers that were called simulated."""
    key = json.loads((folder / f"key-{number}.json").read_text())
    right = sum((place + 1 in called) == simulated for place, simulated in enumerate(key))
    test = binomtest(right, len(key))
    low, high = test.proportion_ci(0.95, "wilson")
    path = FOLDER / f"{NAME}.json"
    rounds: dict[str, Any] = json.loads(path.read_text())["rounds"] if path.is_file() else {}
    wrong = [place + 1 for place, simulated in enumerate(key) if (place + 1 in called) != simulated]
    rounds[str(number)] = {
        "right": right,
        "of": len(key),
        "share": right / len(key),
        "low": low,
        "high": high,
        "called simulated": called,
        "wrong": wrong,
    }
    config = {"generator": "procedural", "version": GENERATOR_VERSION, "size": SIZE, "each": EACH}
    write(NAME, head(config, "nih_cxr14, 20 films a round", [number], time.time()) | {"config": config, "rounds": rounds})
    print(f"round {number}: {right} of {len(key)} right [{low:.2f}, {high:.2f}], wrong: {wrong}")


def main() -> None:
    """One of the two commands; run as a long table it says how."""
    arguments = sys.argv[1:]
    if len(arguments) < 3 or arguments[0] not in ("sheet", "judge") or "WORKBENCH_TEST_DATA" not in os.environ:
        print("judged by eye: python -m tests.full.blind sheet|judge ROUND FOLDER [NUMBER …], with WORKBENCH_TEST_DATA set")
        return
    number, folder = int(arguments[1]), Path(arguments[2])
    if arguments[0] == "sheet":
        sheet(number, folder)
    else:
        judge(number, folder, [int(each) for each in arguments[3:]])


if __name__ == "__main__":
    main()
