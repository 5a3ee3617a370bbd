"""How long 1,000 run folders take to list: warm, and as a new process, both without torch. `python -m tests.benchmarks.listing`"""

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.full.record import head, write
from tests.unit.test_run import many
from workbench.run import list_runs

COUNT, WARM, COLD = 1000, 0.3, 2.0


def main() -> None:
    """Medians of several repeats; CPU seconds beside wall."""
    begun = time.time()
    with tempfile.TemporaryDirectory() as folder:
        many(Path(folder), COUNT)
        assert len(list_runs(folder)) == COUNT
        warm, cpu = [], []
        for _ in range(9):
            start, spent = time.perf_counter(), time.process_time()
            list_runs(folder)
            warm.append(time.perf_counter() - start)
            cpu.append(time.process_time() - spent)
        code = "import sys; from workbench.run import list_runs; n = len(list_runs(sys.argv[1])); assert n == 1000 and 'torch' not in sys.modules"
        cold, before = [], resource.getrusage(resource.RUSAGE_CHILDREN)
        for _ in range(5):
            start = time.perf_counter()
            subprocess.run([sys.executable, "-c", code, folder], check=True, cwd=Path(__file__).parents[2])
            cold.append(time.perf_counter() - start)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cold_cpu = (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) / 5
    found = {
        "runs": COUNT,
        "warm_seconds": statistics.median(warm),
        "warm_cpu_seconds": statistics.median(cpu),
        "new_process_seconds": statistics.median(cold),
        "new_process_cpu_seconds": cold_cpu,
        "load": os.getloadavg()[0],
        "cores": os.cpu_count(),
        "allowed": {"warm_seconds": WARM, "new_process_seconds": COLD},
    }
    write("listing", head({"runs": COUNT}, "none", [], begun) | found)
    print(found)
    assert found["warm_cpu_seconds"] < WARM and cold_cpu < COLD, "too slow"  # wall as well where nothing else runs


if __name__ == "__main__":
    main()
