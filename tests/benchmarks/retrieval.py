"""Seconds of one query among 100,000 rows, all compared and by a graph of neighbours. `python -m tests.benchmarks.retrieval`

Wanted: a query under one second either way, once the index is there. The rows lie in clusters, as features do: a graph finds little in a cloud
without any.
"""

import os
import statistics
import time

import numpy as np

from tests.full.record import head, write
from workbench.analysis.search import Index

N, D, CENTRES, QUERIES = 100_000, 128, 400, 20
ALLOWED = 1.0


def main() -> None:
    """Medians over queries, how long each index takes to be built, and what the graph finds of the true ten nearest."""
    begun, draw = time.time(), np.random.default_rng(0)
    z = (draw.normal(size=(CENTRES, D))[draw.integers(CENTRES, size=N)] + 0.7 * draw.normal(size=(N, D))).astype(np.float32)
    record: dict[str, object] = {"n": N, "d": D, "allowed": {"query": ALLOWED}}
    for name, exact in (("all compared", True), ("graph", False)):
        start = time.perf_counter()
        index = Index(z, exact)
        index.nearest(z[:1], 12)
        built, took = time.perf_counter() - start, []
        for row in range(QUERIES):
            start = time.perf_counter()
            index.nearest(z[row : row + 1] + 0.1, 12)
            took.append(time.perf_counter() - start)
        record[name] = {"ready": built, "query": statistics.median(took), "slowest": max(took), "recall": index.recall}
        print(name, record[name], flush=True)
    write("search", head({"n": N, "d": D}, "none", [0], begun) | record | {"load": os.getloadavg()[0], "cores": os.cpu_count()})
    assert all(record[name]["query"] < ALLOWED for name in ("all compared", "graph")), "too slow"  # type: ignore[index]


if __name__ == "__main__":
    main()
