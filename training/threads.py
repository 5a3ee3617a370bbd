"""Thread count and wait policy, set once, before torch is imported."""

import os


def set_threads(threads: int | None = None) -> int:
    """Threads = what was asked for, else the environment's, else the physical cores; waiting threads sleep.

    On busy cores spinning OpenMP threads made a step ten times slower.
    """
    import psutil

    count = threads or int(os.environ.get("OMP_NUM_THREADS") or 0) or psutil.cpu_count(logical=False) or os.cpu_count() or 1
    os.environ["OMP_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = str(count)
    os.environ["OMP_WAIT_POLICY"] = "PASSIVE"
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    return count
