"""CPU seconds of a spectrum: 1,000,000 x 768 float16 rows streamed from disk, 100,000 x 512 beside SVDs. `python -m tests.benchmarks.spectra [FOLDER]`

Wanted: float64 under 30 CPU seconds, float32 products under 16, less than 1 GB of anonymous memory; at 100,000 x 512 in float64 at least
8 times less CPU time than numpy.linalg.svd and 1.7 times less than torch.linalg.svdvals, 3 times with float32 products. The file of
1.5 GB is written into FOLDER (a temporary one) and removed.
"""

import os
import re
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")  # CPU seconds, not those that threads spend waiting for each other

import numpy as np
import torch

from tests.full.record import head, write
from workbench.analysis.spectra import Spectrum, singular_spectrum

N, D = 1_000_000, 768
BLOCK = 20_000
ALLOWED = {"float64": 30.0, "float32": 16.0, "anonymous_gb": 1.0}
WANTED = {"numpy_svd": 8.0, "torch_svdvals": 1.7, "torch_svdvals_over_float32": 3.0}


def file_of(folder: Path) -> Path:
    """Rows whose variances fall as place^-2, off the origin, in float16."""
    path, draw = folder / "rows.npy", np.random.default_rng(0)
    rows = np.lib.format.open_memmap(path, mode="w+", dtype=np.float16, shape=(N, D))
    mixed = (np.arange(1, D + 1) ** -1.0)[:, None] * np.linalg.qr(draw.normal(size=(D, D)))[0]
    for start in range(0, N, BLOCK):
        rows[start : start + BLOCK] = draw.normal(size=(BLOCK, D)).astype(np.float32) @ mixed.astype(np.float32) + 0.5
    rows.flush()
    return path


@contextmanager
def anonymous():
    """Yields a list of one number, the largest anonymous memory seen, in GB, beyond what the process held at the start."""

    def now() -> float:
        return int(re.search(r"RssAnon:\s+(\d+)", Path("/proc/self/status").read_text())[1]) / 1e6

    first, found, done = now(), [0.0], threading.Event()

    def watch() -> None:
        while not done.wait(0.05):
            found[0] = max(found[0], now() - first)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield found
    finally:
        done.set()
        thread.join()


def spent(call: Callable[[], Any]) -> tuple[float, Any]:
    """CPU seconds of a call, and what it returned."""
    start = time.process_time()
    found = call()
    return time.process_time() - start, found


def streamed(folder: Path) -> dict[str, Any]:
    """The large file, both precisions."""
    path, found, spectra = file_of(folder), {}, {}
    try:
        for precision in ("float64", "float32"):
            with anonymous() as memory:
                seconds, spectra[precision] = spent(lambda precision=precision: singular_spectrum(np.load(path, mmap_mode="r"), precision))
            found[precision] = {"cpu_seconds": seconds, "anonymous_gb": memory[0], "trusted": spectra[precision].trusted}
    finally:
        path.unlink()
    exact: Spectrum = spectra["float64"]
    apart = np.abs((spectra["float32"].values / exact.values) ** 2 - 1)
    found["float32"]["error_of_trusted"] = float(apart[: spectra["float32"].trusted].max())
    return found


def beside() -> dict[str, float]:
    """CPU seconds at 100,000 x 512 of each way to the same singular values."""
    rows = np.random.default_rng(1).normal(size=(100_000, 512)) * np.arange(1, 513) ** -0.5 + 1
    centred = rows - rows.mean(0)
    tensor = torch.from_numpy(centred)
    ways = {
        "float64": lambda: singular_spectrum(rows).values,
        "float32": lambda: singular_spectrum(rows, "float32").values,
        "torch_svdvals": lambda: torch.linalg.svdvals(tensor).numpy(),
        "numpy_svd": lambda: np.linalg.svd(centred, full_matrices=False)[1],
    }
    seconds, exact = {}, None
    for name, way in ways.items():
        seconds[name], values = spent(way)
        exact = values if exact is None else exact
        assert np.allclose(values, exact, rtol=1e-4 if name == "float32" else 1e-8), name
    return seconds


def main(folder: Path | None) -> None:
    begun = time.time()
    with tempfile.TemporaryDirectory(dir=folder) as own:
        large = streamed(Path(own))
    small = beside()
    times = {name: small[name] / small["float64"] for name in ("numpy_svd", "torch_svdvals")}
    times["torch_svdvals_over_float32"] = small["torch_svdvals"] / small["float32"]
    record = {"streamed": large, "beside": small, "times": times, "allowed": ALLOWED, "wanted": WANTED, "load": os.getloadavg()[0]}
    write("spectra", head({"n": N, "d": D}, "none", [0], begun) | record)
    print(record)
    for precision in ("float64", "float32"):
        assert large[precision]["cpu_seconds"] < ALLOWED[precision], f"{precision}: too slow"
        assert large[precision]["anonymous_gb"] < ALLOWED["anonymous_gb"], f"{precision}: too much memory"
    assert all(times[name] >= wanted for name, wanted in WANTED.items()), "not as much faster as wanted"


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
