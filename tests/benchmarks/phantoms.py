"""How many simulated films a second: 128 px on all processes, as the data set renders them. `python -m tests.benchmarks.phantoms`"""

import os
import tempfile
import time

from workbench.phantom.store import Request, fetch, helpers


def main(count: int = 600) -> None:
    """Films a second, cold, with the start of the processes."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["WORKBENCH_CACHE"] = folder
        for level, size in (("clinical", 128), ("clinical", 64), ("teaching", 32)):
            start = time.perf_counter()
            fetch(Request(level, size, 0, 0, count))
            cold = time.perf_counter() - start
            start = time.perf_counter()
            fetch(Request(level, size, 0, 0, count))
            warm = time.perf_counter() - start
            print(
                f"{level} {size} px: {count / cold:.0f} films/s on {1 + helpers(count)} processes; again from disk in {1000 * warm:.0f} ms"
            )


if __name__ == "__main__":
    main()
