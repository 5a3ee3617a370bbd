"""Layouts (n, 2) that follow neighbours: UMAP, AlignedUMAP and t-SNE on exact neighbours, with progress; equal seeds give equal maps on one machine.

One thread: with several, umap-learn's order of additions is not fixed. umap-learn compiles itself for a minute the first time; the result of
that is kept under the cache folder.
"""

import functools
import os
import re
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from workbench.cache import cache_root

Progress = Callable[[float, str], None]
NEIGHBOURS, PERPLEXITY = 15, 30
MIN_DIST = 0.1
FEWEST = 5
EXACT_NEIGHBOURS = 20_000  # rows; beyond, neighbours are found approximately, by pynndescent
BLOCK = 512
EXAGGERATED, EPOCHS = 250, 500  # of t-SNE
ALIGNMENT, WINDOW = 0.2, 3  # pull of a study's places at looks next to each other, and how many looks it reaches
EVERY = 0.25  # seconds between two words about progress


def umap(z: np.ndarray, start: np.ndarray, seed: int, progress: Progress) -> np.ndarray:
    """UMAP (McInnes, Healy and Melville, 2018) of rows (n, d), begun at `start` (n, 2), 15 neighbours, min_dist .1."""
    keep_compiled()
    progress(0.02, "loading UMAP")
    from umap import UMAP

    k = min(NEIGHBOURS, len(z) - 1)
    indices, apart = neighbours(z, k, share(progress, 0.05, 0.3))
    known = np.c_[np.arange(len(z)), indices][:, :k].astype(np.int32), np.c_[np.zeros(len(z)), apart][:, :k].astype(np.float32)
    progress(0.3, f"building the graph of {len(z)} points")
    bar = {
        "disable": False,
        "file": Bar(share(progress, 0.3, 0.95), f"laying out {len(z)} points"),
        "bar_format": BAR,
        "mininterval": EVERY,
    }
    model = UMAP(
        n_neighbors=k, min_dist=MIN_DIST, random_state=seed, n_jobs=1, init=stretched(start), precomputed_knn=known, tqdm_kwds=bar
    )  # fmt: skip
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "precomputed_knn")  # that such a fit cannot transform: rows are placed by mapping.place
        return np.asarray(model.fit_transform(z), np.float64)


def aligned_umap(looks: Sequence[np.ndarray], seed: int, progress: Progress) -> list[np.ndarray]:
    """AlignedUMAP of the same rows at several looks, (n, d) each: places that are pulled towards those at the looks beside, in one frame."""
    keep_compiled()
    progress(0.02, "loading UMAP")
    import numba
    from umap import aligned_umap as package

    n, done = len(looks[0]), 0

    class Counted(package.UMAP):  # type: ignore[misc]  # the graph of one look: its own layout is not used, and not made
        def __init__(self, **values: Any) -> None:
            super().__init__(**values | {"transform_mode": "graph", "n_jobs": 1})

        def fit(self, *rows: Any) -> Any:
            nonlocal done
            progress(0.05 + 0.35 * done / len(looks), f"neighbours at look {done + 1} of {len(looks)}")
            done += 1
            return super().fit(*rows)

    bar = {
        "disable": False,
        "file": Bar(share(progress, 0.4, 0.95), f"laying out {len(looks)} looks"),
        "bar_format": BAR,
        "mininterval": EVERY,
    }
    moved = functools.partial(package.optimize_layout_aligned_euclidean, tqdm_kwds=bar)
    values = {"n_neighbors": min(NEIGHBOURS, n - 1), "min_dist": MIN_DIST, "random_state": seed, "transform_seed": seed}
    model = package.AlignedUMAP(alignment_regularisation=ALIGNMENT, alignment_window_size=WINDOW, **values)
    relations = [{row: row for row in range(n)}] * (len(looks) - 1)
    before = numba.get_num_threads()
    numba.set_num_threads(1)
    try:  # the package hands neither progress nor the choice of a graph alone through
        with instead(package, UMAP=Counted, optimize_layout_aligned_euclidean=moved):
            return [
                np.asarray(xy, np.float64) for xy in model.fit_transform([each.astype(np.float32) for each in looks], relations=relations)
            ]
    finally:
        numba.set_num_threads(before)


def tsne(z: np.ndarray, start: np.ndarray, seed: int, progress: Progress) -> np.ndarray:
    """t-SNE (van der Maaten and Hinton, 2008; openTSNE) of rows (n, d), begun at `start` (n, 2), perplexity 30 or a third of the rows."""
    progress(0.02, "loading openTSNE")
    from openTSNE import TSNE
    from openTSNE.affinity import PerplexityBasedNN
    from openTSNE.nearest_neighbors import PrecomputedNeighbors

    perplexity = min(PERPLEXITY, (len(z) - 1) / 3)
    indices, apart = neighbours(z, min(len(z) - 1, int(3 * perplexity)), share(progress, 0.05, 0.3))
    affinities = PerplexityBasedNN(knn_index=PrecomputedNeighbors(indices, apart), perplexity=perplexity, n_jobs=1)
    seen, told = [0], share(progress, 0.3, 0.95)

    def each(iteration: int, error: float, layout: np.ndarray) -> bool:
        seen[0] += 10  # both phases count from 1
        told(min(1.0, seen[0] / (EXAGGERATED + EPOCHS)), f"laying out {len(z)} points")
        return False

    values = {"early_exaggeration_iter": EXAGGERATED, "n_iter": EPOCHS, "n_jobs": 1, "random_state": seed, "perplexity": perplexity}
    model = TSNE(callbacks=each, callbacks_every_iters=10, **values)
    return np.asarray(model.fit(affinities=affinities, initialization=start / max(float(start[:, 0].std()), 1e-12) * 1e-4), np.float64)


def neighbours(z: np.ndarray, k: int, progress: Progress = lambda share, message: None) -> tuple[np.ndarray, np.ndarray]:
    """The k nearest other rows of every row (n, d), nearest first: indices and distances (n, k); approximate beyond EXACT_NEIGHBOURS rows."""
    if len(z) > EXACT_NEIGHBOURS:
        progress(0.0, f"finding neighbours of {len(z)} points, approximately")
        from pynndescent import NNDescent

        found, apart = NNDescent(z, n_neighbors=k + 1, random_state=0, n_jobs=1).neighbor_graph
        return without_self(found, apart)
    rows = z.astype(np.float32)
    rows = rows - rows.mean(0)
    square = np.einsum("nd,nd->n", rows, rows)
    indices, distances = np.empty((len(z), k), np.int64), np.empty((len(z), k))
    for at in range(0, len(z), BLOCK):
        block = rows[at : at + BLOCK]
        near = square[None] - 2 * block @ rows.T
        near[np.arange(len(block)), at + np.arange(len(block))] = np.inf
        chosen = np.argpartition(near, k - 1, axis=1)[:, :k] if k < len(z) - 1 else near.argsort(1)[:, :k]
        apart = np.linalg.norm(rows[chosen] - block[:, None], axis=2)  # anew: a difference of squares loses what is near
        order = np.argsort(apart, axis=1, kind="stable")
        indices[at : at + BLOCK] = np.take_along_axis(chosen, order, 1)
        distances[at : at + BLOCK] = np.take_along_axis(apart, order, 1)
        progress((at + len(block)) / len(z), f"finding neighbours of {len(z)} points")
    return indices, distances


def without_self(indices: np.ndarray, apart: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Neighbours (n, k + 1) without the row itself, which approximate search may have missed: then without the farthest."""
    own = indices == np.arange(len(indices))[:, None]
    own[:, -1] |= ~own.any(1)
    kept = ~own
    return indices[kept].reshape(len(indices), -1).astype(np.int64), apart[kept].reshape(len(indices), -1).astype(np.float64)


def stretched(start: np.ndarray) -> np.ndarray:
    """A start (n, 2) over twenty units, as UMAP's own; rows on one place are moved by less than anyone sees."""
    reach = float(np.abs(start).max())
    return (start * (10 / reach if reach > 0 else 1)).astype(np.float32)


@contextmanager
def instead(package: Any, **others: Any) -> Iterator[None]:
    """Names of a module stand for something else inside."""
    kept = {name: getattr(package, name) for name in others}
    vars(package).update(others)
    try:
        yield
    finally:
        vars(package).update(kept)


def keep_compiled() -> None:
    """Say where numba keeps what it compiles, before it is imported."""
    cache = cache_root() / "numba"
    cache.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("NUMBA_CACHE_DIR", str(cache))


def share(progress: Progress, low: float, high: float) -> Progress:
    """Progress of a part, from `low` to `high` of the whole, at most four times a second."""
    last = [0.0]

    def told(part: float, message: str) -> None:
        if time.monotonic() - last[0] > EVERY or part >= 1:
            last[0] = time.monotonic()
            progress(low + (high - low) * part, message)

    return told


BAR = "{n}/{total}"


class Bar:
    """A file for umap-learn's bar, its one way to say how far it is."""

    def __init__(self, progress: Progress, message: str) -> None:
        self.progress, self.message = progress, message

    def write(self, text: str) -> None:
        if said := re.search(r"(\d+)/(\d+)", text):
            self.progress(int(said[1]) / int(said[2]), self.message)

    def flush(self) -> None:
        """Nothing is held back."""
