"""The simulator's speed: first use, CPU time of a film and of its stages, films a second on all processes and from disk. `python -m tests.benchmarks.phantoms`

CPU times are beside that of a fixed piece of numpy in the same run, since other work on the machine lengthens both.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import numpy as np

from workbench.phantom.store import Request, fetch, helpers
from workbench.phantom.thorax import course
from workbench.phantom.thorax.film import display, expose, ground_truth, log_exposure, placed
from workbench.phantom.thorax.films import filmed
from workbench.phantom.thorax.latents import Study
from workbench.phantom.thorax.paths import paths

FIRST = "from workbench.phantom.thorax.rows import stored_row\nfor index in range(32):\n    stored_row('first', 0, index, 128, (), 'plain')"
SIZES = {32: 400, 64: 400, 128: 200, 224: 60}  # films of each


def yardstick() -> float:
    """CPU seconds of a fixed amount of numpy: sorting and square roots of as many numbers as 20 films have rays."""
    numbers = np.random.default_rng(0).random(20 * 128 * 128, np.float32)
    start = time.process_time()
    for _ in range(5):
        np.sqrt(np.sort(numbers))
    return (time.process_time() - start) / 5


def started(cache: str) -> float:
    """Seconds to the first batch of 32 films at 128 px in a new process, with compiled loops in the folder `cache`."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", FIRST], env=os.environ | {"NUMBA_CACHE_DIR": cache}, check=True)
    return time.perf_counter() - start


def stages(size: int, films: int) -> dict[str, float]:
    """CPU seconds a film of each of its stages, one after the other on the same studies."""
    spent = defaultdict[str, float](float)

    def timed(name: str, made: Callable[..., Any], *given: Any) -> Any:
        start = time.process_time()
        result = made(*given)
        spent[name] += (time.process_time() - start) / films
        return result

    course.history.cache_clear()
    for index in range(films):
        study: Study = timed("latents", course.drawn_study, 0, index)
        fine = size if size >= 128 else 2 * size
        before = timed("solids and beam", placed, study, fine)
        found = timed("paths", paths, study, before)
        exposure, _ = timed("things, beam and blur", log_exposure, study, size, lambda *_: found)  # noqa: B023, called at once
        density = timed("noise", expose, study, exposure)
        timed("display and marks", display, study, density, density)
        timed("masks and boxes", ground_truth, study, found, size)
    return dict(spent)


def main(count: int = 600) -> None:
    """Print one line a measurement."""
    with tempfile.TemporaryDirectory() as folder:
        fresh, again = started(folder), started(folder)
        print(f"first batch of 32 in a new process: {fresh:.1f} s with compiling, once an installation; {again:.2f} s after that")
    filmed(course.drawn_study(0, 0), 0, 128)
    for size, films in SIZES.items():
        unit, start = yardstick(), time.process_time()
        course.history.cache_clear()
        for index in range(films):
            filmed(course.drawn_study(0, index), 0, size)
        own = (time.process_time() - start) / films
        print(f"{size} px: {1000 * own:.2f} ms CPU a film, {own / unit:.3f} of the yardstick's {1000 * unit:.1f} ms; of which")
        print("   " + ", ".join(f"{name} {1000 * spent:.2f}" for name, spent in stages(size, films).items()))
    with tempfile.TemporaryDirectory() as folder:
        os.environ["WORKBENCH_CACHE"] = folder
        for size, films in ((64, 2 * count), (128, count), (224, count // 2)):
            start = time.perf_counter()
            fetch(Request("first", size, 0, 0, films))
            took = time.perf_counter() - start
            print(f"{size} px: {films / took:.0f} films/s on {1 + helpers(films)} processes, their start included")
        from workbench.data.phantoms import Config, load

        data = load(Config(size=128, train=count, val=0, test=0))
        data[0]  # writes the words of all
        start = time.process_time()
        for index in range(count):
            data[index]["images"][0].array.sum()
        print(f"128 px from disk: {count / (time.process_time() - start):.0f} studies/s")


if __name__ == "__main__":
    main()
