"""Features with their keys, on disk: the hinge between what needs torch and what does not."""

import json
import os
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from workbench.errors import UserError

FORMAT = 1
FULL_ROWS = 4096  # beyond, rows are float16 of (z - mean) / scale: half the disk, and no rank is reported below that floor


@dataclass(frozen=True)
class Embeddings:
    """Features (n, d) float32 of one named vector at one checkpoint, a row per key."""

    features: np.ndarray
    keys: tuple[str, ...]
    patients: tuple[str, ...]
    feature: str
    checkpoint: int
    data_hash: str
    mean: np.ndarray | None = None  # (d,) float64, where quantised
    scale: np.ndarray | None = None
    quantised: bool = False

    def __post_init__(self) -> None:
        if not len(self.features) == len(self.keys) == len(self.patients):
            raise ValueError(f"{self.feature}: {len(self.features)} rows, {len(self.keys)} keys, {len(self.patients)} patients")


def save(embeddings: Embeddings, folder: Path) -> None:
    """Write features.npy and keys.json into `folder`, aside and renamed."""
    folder.mkdir(parents=True, exist_ok=True)
    z, extra, quantised = embeddings.features.astype(np.float32), {}, embeddings.quantised
    if len(z) > FULL_ROWS:
        mean, scale = z.mean(0, dtype=np.float64), np.maximum(z.std(0, dtype=np.float64), 1e-30)
        z, quantised = ((z - mean) / scale).astype(np.float16), True
        extra = {"mean": mean.tolist(), "scale": scale.tolist()}
    head = {"format": FORMAT, "feature": embeddings.feature, "checkpoint": embeddings.checkpoint, "data_hash": embeddings.data_hash}
    head |= {"quantised": quantised, "keys": list(embeddings.keys), "patients": list(embeddings.patients)} | extra
    with open(folder / "features.npy.part", "wb") as file:
        np.save(file, z)
    os.replace(folder / "features.npy.part", folder / "features.npy")
    (folder / "keys.json.part").write_text(json.dumps(head))
    os.replace(folder / "keys.json.part", folder / "keys.json")


def load(folder: Path) -> Embeddings:
    """Read what `save` wrote; raises UserError where a file is missing or of another format."""
    try:
        head = json.loads((folder / "keys.json").read_text())
        z = np.load(folder / "features.npy", allow_pickle=False)
    except (FileNotFoundError, json.JSONDecodeError) as error:
        raise UserError(f"{folder}: no readable embeddings ({error}); compute them again from the checkpoint") from None
    if head["format"] != FORMAT:
        raise UserError(f"{folder}: embeddings of format {head['format']}, this version reads {FORMAT}; compute them again")
    mean = np.asarray(head["mean"]) if "mean" in head else None
    scale = np.asarray(head["scale"]) if "scale" in head else None
    found = Embeddings(z, tuple(head["keys"]), tuple(head["patients"]), head["feature"], head["checkpoint"], head["data_hash"])
    if mean is not None:
        z = (z.astype(np.float64) * scale + mean).astype(np.float32)
    return replace(found, features=z, mean=mean, scale=scale, quantised=head["quantised"])
