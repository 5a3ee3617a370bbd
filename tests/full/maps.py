"""Is "no clusters" said of Gaussian clouds and "clusters" of mixtures; are the real maps fast, repeatable and in register? `python -m tests.full maps`

Clouds: Gaussians of several n and d, round and long, off the origin; mixtures of unit Gaussians whose means lie `apart` deviations from each
other in a few or many dimensions; shapes without a gap. Layouts: umap-learn and openTSNE themselves, in this process, on one thread; the first
run compiles umap-learn. Parts are saved as they finish.
"""

import json
import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np

from tests.full.record import FOLDER, head, write
from workbench import layouts, mapping
from workbench.analysis.clumps import clumps
from workbench.analysis.projection import pca
from workbench.embeddings import Embeddings
from workbench.randomness import rng

NAME, SEED, DRAWS = "maps", 0, 100
SIZES = [(20, 5), (60, 5), (60, 90), (200, 2), (200, 128), (512, 32), (512, 128), (2000, 16)]
MIXTURES = [(2, 4.0), (2, 5.0), (3, 6.0), (8, 6.0), (20, 8.0)]
ROWS, COLUMNS, LOOKS = 10_000, 256, 6


def gaussian(n: int, d: int, power: float) -> Callable[[np.random.Generator], np.ndarray]:
    return lambda draw: draw.normal(size=(n, d)) * np.arange(1.0, d + 1) ** -power + 3


def mixture(groups: int, apart: float, n: int, d: int) -> Callable[[np.random.Generator], np.ndarray]:
    """Means on orthogonal axes, so that any two lie `apart`, turned at random; in fewer dimensions than groups, random directions."""

    def cloud(draw: np.random.Generator) -> np.ndarray:
        means = np.linalg.qr(draw.normal(size=(d, d)))[0][:groups] * apart / np.sqrt(2)
        return draw.normal(size=(n, d)) + means[draw.integers(groups, size=n)]

    return cloud


def ring(draw: np.random.Generator) -> np.ndarray:
    turn = draw.uniform(0, 2 * np.pi, 512)
    return np.c_[np.cos(turn), np.sin(turn)] + 0.1 * draw.normal(size=(512, 2))


def arc(draw: np.random.Generator) -> np.ndarray:
    x = draw.normal(size=512)
    return np.c_[x, x**2] + 0.3 * draw.normal(size=(512, 2))


CLOUDS = {
    **{f"round {n} x {d}": gaussian(n, d, 0) for n, d in SIZES},
    **{f"long {n} x {d}": gaussian(n, d, 1) for n, d in SIZES},
    **{f"{groups} groups {apart:g} apart, 512 x {d}": mixture(groups, apart, 512, d) for groups, apart in MIXTURES for d in (32, 128)},
    "uniform 512 x 2": lambda draw: draw.uniform(size=(512, 2)),
    "uniform 512 x 10": lambda draw: draw.uniform(size=(512, 10)),
    "gamma 512 x 10": lambda draw: draw.gamma(2.0, size=(512, 10)),
    "t of 3 degrees 512 x 10": lambda draw: draw.standard_t(3, size=(512, 10)),
    "ring": ring,
    "arc": arc,
}


def verdicts(name: str) -> dict[str, float]:
    """Share of draws that each verdict was given."""
    kinds = [clumps(CLOUDS[name](rng(SEED, NAME, draw, name)), draw) for draw in range(DRAWS)]
    return {kind: sum(each.kind == kind for each in kinds if each) / DRAWS for kind in ("none", "shape", "clusters")}


def embedded(z: np.ndarray, step: int = 1) -> Embeddings:
    names = tuple(map(str, range(len(z))))
    return Embeddings(z.astype(np.float32), names, names, "image.projected", step, "")


def timed(call: Callable[[], Any]) -> tuple[Any, dict[str, float]]:
    wall, cpu = time.monotonic(), time.process_time()
    found = call()
    return found, {"seconds": time.monotonic() - wall, "cpu_seconds": time.process_time() - cpu}


def pictures() -> dict[str, Any]:
    """Seconds of PCA with its quality, by rows."""
    found = {}
    for n in (10_000, 100_000, 1_000_000):
        z = rng(SEED, NAME, n, "pca").standard_normal((n, COLUMNS), dtype=np.float32) / np.sqrt(np.arange(1, COLUMNS + 1, dtype=np.float32))
        look = embedded(z)
        found[f"{n} x {COLUMNS}"] = timed(lambda look=look: pca(look))[1]
    return found


def layout(method: str) -> dict[str, Any]:
    """Time, steps of progress, quality of ROWS x COLUMNS; and whether a smaller one is the same twice and another for another seed."""
    z = mixture(5, 8.0, ROWS, COLUMNS)(rng(SEED, NAME, 0, method))
    small, told = embedded(z[:600]), []
    first, second, other = (mapping.lay_out(small, method, seed)[0].xy for seed in (0, 0, 1))
    (found,), spent = timed(lambda: mapping.lay_out(embedded(z), method, 0, lambda share, said: told.append((time.monotonic(), share))))
    still = np.diff([at for at, _ in told])
    quality = {name: getattr(found.quality, name) for name in ("trustworthiness", "continuity", "overlap", "chance_trustworthiness")}
    return spent | quality | {
        "words_of_progress": len(told),
        "longest_silence": float(still.max()),
        "progress_rises": [share for _, share in told] == sorted(share for _, share in told),
        "same_seed_same_map": bool(np.array_equal(first, second)),
        "other_seed_other_map": not np.array_equal(first, other),
    }  # fmt: skip


def travel(looks: list[np.ndarray]) -> float:
    """Mean way of a point between two looks, in root mean square distances from the middle of the map."""
    ways = [np.linalg.norm(one - other, axis=1).mean() for one, other in pairwise(looks)]
    return float(np.mean(ways) / np.sqrt(np.mean([np.sum((xy - xy.mean(0)) ** 2) / len(xy) for xy in looks])))


def turned(xy: np.ndarray, onto: np.ndarray) -> np.ndarray:
    """The best rotation, reflection, shift and scale of a map onto another (Procrustes)."""
    a, b = xy - xy.mean(0), onto - onto.mean(0)
    u, s, v = np.linalg.svd(a.T @ b)
    return a @ u @ v * s.sum() / np.sum(a**2) + onto.mean(0)


def register() -> dict[str, Any]:
    """How far points travel from look to look: aligned, and as maps of their own that are then turned onto each other."""
    draw = rng(SEED, NAME, 0, "register")
    start, end = (mixture(groups, apart, 500, 64)(draw) for groups, apart in ((6, 3.0), (6, 7.0)))
    looks = [embedded(start * np.cos(turn) + end * np.sin(turn), step) for step, turn in enumerate(np.linspace(0, np.pi / 2, LOOKS))]
    aligned, spent = timed(lambda: mapping.lay_out(looks, "aligned_umap"))
    alone = [mapping.lay_out(each)[0].xy for each in looks]
    for place in range(1, LOOKS):
        alone[place] = turned(alone[place], alone[place - 1])
    again = mapping.lay_out(looks, "aligned_umap")
    return spent | {
        "aligned": travel([each.xy for each in aligned]),
        "alone_after_procrustes": travel(alone),
        "aligned_trustworthiness": float(np.mean([each.quality.trustworthiness for each in aligned if each.quality])),
        "alone_trustworthiness": float(np.mean([mapping.projection.shown(look, xy, "umap").quality.trustworthiness for look, xy in zip(looks, alone)])),
        "same_seed_same_map": all(np.array_equal(one.xy, other.xy) for one, other in zip(aligned, again)),
    }  # fmt: skip


def placement() -> dict[str, float]:
    """New rows on a UMAP: how far `mapping.place` puts them from where umap-learn's own transform does, in units of the map's spread."""
    from umap import UMAP

    z = mixture(5, 8.0, 1000, 32)(rng(SEED, NAME, 0, "placement")).astype(np.float32)
    model = UMAP(n_neighbors=layouts.NEIGHBOURS, min_dist=layouts.MIN_DIST, random_state=SEED, n_jobs=1).fit(z[:800])
    found = mapping.projection.shown(embedded(z[:800]), model.embedding_, "umap")
    ours, theirs = mapping.place(found, embedded(z[:800]), z[800:]), model.transform(z[800:])
    spread = np.sqrt(np.mean(np.sum((found.xy - found.xy.mean(0)) ** 2, 1)))
    mixed = ours[rng(SEED, NAME, 0, "mixed").permutation(200)]
    return {
        "median": float(np.median(np.linalg.norm(ours - theirs, axis=1)) / spread),
        "median_of_mixed_rows": float(np.median(np.linalg.norm(mixed - theirs, axis=1)) / spread),
    }


PARTS: dict[str, Callable[[], Any]] = {
    "pca": pictures,
    "tsne": lambda: layout("tsne"),
    "umap": lambda: layout("umap"),
    "register": register,
    "placement": placement,
}


def main() -> None:
    """Compute the parts that docs/results/maps.json lacks."""
    path, begun = FOLDER / f"{NAME}.json", time.time()
    found: dict[str, Any] = json.loads(path.read_text())["found"] if path.is_file() else {}
    layouts.keep_compiled()
    for name in [*CLOUDS, *PARTS]:
        if name not in found:
            found[name] = verdicts(name) if name in CLOUDS else PARTS[name]()
            write(NAME, head({"draws": DRAWS, "rows": ROWS, "columns": COLUMNS}, "none", [SEED], begun) | {"found": found})
            print(name, found[name], flush=True)


if __name__ == "__main__":
    main()
