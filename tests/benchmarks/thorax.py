"""The thorax simulator's speed: first use, CPU time of a film, films a second on all processes and from disk. `python -m tests.benchmarks.thorax`

CPU times are beside that of a fixed piece of numpy in the same run, since other work on the machine lengthens both.
"""

import os
import subprocess
import sys
import tempfile
import time

import numpy as np

from workbench.phantom.store import Request, fetch, shares
from workbench.phantom.thorax.rows import drawn

FIRST = "from workbench.phantom.thorax.rows import drawn\nfor index in range(32):\n    drawn(0, index, 128, None)"


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


def main(count: int = 600) -> None:
    """Print one line a measurement."""
    with tempfile.TemporaryDirectory() as folder:
        fresh, again = started(folder), started(folder)
        print(
            f"first batch of 32 in a new process: {fresh:.1f} s with compiling, once an installation; {again:.1f} s after that ({again / fresh:.2f})"
        )
    drawn(0, 0, 128, None)
    for size, films in ((64, 40), (128, 40), (224, 20)):
        unit, start = yardstick(), time.process_time()
        for index in range(films):
            drawn(0, index, size, None)
        own = (time.process_time() - start) / films
        print(f"{size} px: {1000 * own:.1f} ms CPU a film, {own / unit:.2f} of the yardstick's {1000 * unit:.1f} ms")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["WORKBENCH_CACHE"] = folder
        for size, films in ((128, count), (224, count // 2)):
            start = time.perf_counter()
            fetch(Request("", size, 0, 0, films, engine="thorax"))
            print(f"{size} px: {films / (time.perf_counter() - start):.0f} films/s on {len(shares(films))} processes, their start included")
        from workbench.data.phantoms import Config, load

        data = load(Config(size=128, train=count, val=0, test=0))
        start = time.process_time()
        for index in range(count):
            data[index]
        print(f"128 px from disk: {count / (time.process_time() - start):.0f} studies/s")


if __name__ == "__main__":
    main()
