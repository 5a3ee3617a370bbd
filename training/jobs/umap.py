"""A UMAP of the features stored with a look (McInnes, Healy and Melville, 2018), with the trustworthiness and continuity of the picture."""

import os
from pathlib import Path
from typing import Any

import numpy as np

from training.bench import Task
from workbench.analysis.projection import neighbourhoods
from workbench.errors import UserError
from workbench.run import write_json

VERSION = 1
NEIGHBOURS = 15


def compute(task: Task) -> None:
    """Write layout.npy (n, 2) float32 in the order of the stored keys, and quality.json."""
    feature, step, seed = task.parameters["feature"], int(task.parameters["step"]), int(task.parameters.get("seed", 0))
    stored = task.run.embeddings(feature, step)
    z = stored.features
    if len(z) <= NEIGHBOURS:
        raise UserError(
            f"{task.job.run}: {feature} at step {step} has {len(z)} rows, a map needs more than {NEIGHBOURS}; keep a larger probe set"
        )
    task.progress(0.05, "loading umap")
    layout = lay_out(z, seed, task)
    task.progress(0.9, "measuring the map")
    np.save(task.folder / "layout.npy", layout)
    write_json(
        task.folder / "quality.json", quality(z, layout) | {"n": len(z), "d": int(z.shape[1]), "seed": seed, "keys": list(stored.keys)}
    )


def lay_out(z: np.ndarray, seed: int, task: Task) -> np.ndarray:
    """Two coordinates a row; the compiled parts are cached on disk, the first time takes longer."""
    cache = Path(os.environ.get("WORKBENCH_CACHE") or Path.home() / ".cache" / "latent-geometry-workbench") / "numba"
    cache.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("NUMBA_CACHE_DIR", str(cache))
    import umap

    task.progress(0.3, f"laying out {len(z)} points")
    model = umap.UMAP(n_components=2, n_neighbors=NEIGHBOURS, min_dist=0.1, random_state=seed, n_jobs=1)
    return np.asarray(model.fit_transform(z), np.float32)


def quality(z: np.ndarray, layout: np.ndarray) -> dict[str, Any]:
    """How far the map can be trusted: 1 where no neighbour in it is false, none is missing."""
    trustworthiness, continuity = neighbourhoods(z.astype(np.float64), layout.astype(np.float64))
    return {"trustworthiness": trustworthiness, "continuity": continuity}
