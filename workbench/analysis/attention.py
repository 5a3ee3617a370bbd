"""What do heads look at, how sharply, how far, and what reaches the last layer? The model itself runs in workbench/attending.py."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np

from workbench.errors import UserError
from workbench.run import read_json

Fusion = Literal["mean", "max", "min"]
STATISTICS = ("entropy", "distance")
FUSIONS: Mapping[Fusion, str] = {"mean": "mean of the heads", "max": "strongest head", "min": "weakest head"}


@dataclass(frozen=True)
class Colouring:
    """Three directions (3 d) along which patch tokens of many images vary most, and the range that becomes 0 to 1 in each."""

    mean: np.ndarray
    directions: np.ndarray
    low: np.ndarray
    high: np.ndarray
    explained: tuple[float, ...]
    images: int


class Weights(ABC):
    """Counts of attention weights (l h … t) over tokens of an image: a few prefix tokens, then a square of patches."""

    @property
    @abstractmethod
    def weights(self) -> np.ndarray:
        """The weights, (l h … t)."""

    @property
    def layers(self) -> int:
        return self.weights.shape[0]

    @property
    def heads(self) -> int:
        return self.weights.shape[1]

    @property
    def count(self) -> int:
        """Tokens, prefix included."""
        return self.weights.shape[-1]

    @property
    def side(self) -> int:
        """Patches along an edge."""
        return side_of(self.count)

    @property
    def prefix(self) -> int:
        """Tokens before the patches: class token, registers."""
        return self.count - self.side**2


@dataclass(frozen=True)
class Attention(Weights):
    """Attention of one image at one snapshot: `maps` (l h t t), rows are queries, prefix tokens first, then `side` x `side` patches.

    `film` (h w) uint8 is what the network was shown; `patch_mm` the edge of a patch, where the film's spacing is known. `untrained` holds
    the statistics (l h) of the same network with random weights on the same image.
    """

    key: str
    run: str
    step: int
    film: np.ndarray
    maps: np.ndarray
    patch_mm: float | None
    untrained: Mapping[str, np.ndarray]

    @property
    def weights(self) -> np.ndarray:
        return self.maps

    @cached_property
    def entropy(self) -> np.ndarray:
        """Of every head in nats, (l h)."""
        return head_entropy(self.maps)

    @cached_property
    def distance(self) -> np.ndarray:
        """How far every head looks, in patches, (l h)."""
        return attention_distance(self.maps)

    def statistic(self, name: str) -> np.ndarray:
        """`entropy` or `distance`, (l h)."""
        return self.entropy if name == "entropy" else self.distance

    def levels(self, name: str) -> tuple[str, float]:
        """What attention that is equal everywhere reads: name and value."""
        return ("ln t", float(np.log(self.count))) if name == "entropy" else ("equal attention", uniform_distance(self.side))


def side_of(count: int) -> int:
    """Patches along an edge of a square grid that comes after a few prefix tokens."""
    return int(count**0.5)


def head_entropy(maps: np.ndarray) -> np.ndarray:
    """Mean over queries of -sum a ln a in nats, (… q k) -> (…); ln k for equal attention, 0 for attention on one token."""
    a = np.asarray(maps, np.float64)
    return -(a * np.log(np.where(a > 0, a, 1.0))).sum(-1).mean(-1)


def grid_distances(side: int) -> np.ndarray:
    """(n n): distances between the centres of the patches of a square grid, in patches."""
    places = np.stack(np.divmod(np.arange(side**2), side), 1).astype(np.float64)
    return np.sqrt(np.square(places[:, None] - places[None]).sum(-1))


def attention_distance(maps: np.ndarray) -> np.ndarray:
    """Mean distance a patch looks, in patches, (… t t) -> (…): weights among patches, each row scaled to 1. Dosovitskiy et al., ICLR 2021."""
    side = side_of(maps.shape[-1])
    among = np.asarray(maps, np.float64)[..., -(side**2) :, -(side**2) :]
    among = among / np.maximum(among.sum(-1, keepdims=True), np.finfo(np.float64).tiny)
    return (among * grid_distances(side)).sum(-1).mean(-1)


def uniform_distance(side: int) -> float:
    """The mean distance of attention that is equal on all patches."""
    return float(grid_distances(side).mean())


def rollout(maps: np.ndarray, fusion: Fusion = "mean", discard: float = 0.0) -> np.ndarray:
    """What of the input reaches each token after the last layer, (l h t t) -> (t t), rows sum to 1. Abnar and Zuidema, ACL 2020.

    Heads are fused, the smallest `discard` share of each row is set to zero, the identity is added for the skip connection, rows are
    scaled to 1, and the layers multiplied.
    """
    if fusion not in FUSIONS or not 0 <= discard < 1:
        raise UserError(f"rollout: fusion {fusion!r}, discard {discard}; expected one of {', '.join(FUSIONS)} and 0 <= discard < 1")
    a = np.asarray(maps, np.promote_types(maps.dtype, np.float32))
    fused = a.mean(1) if fusion == "mean" else a.max(1) if fusion == "max" else a.min(1)
    fused, count = fused.astype(np.float64), fused.shape[-1]
    if dropped := int(discard * count):
        np.put_along_axis(fused, np.argsort(fused, -1)[..., :dropped], 0.0, -1)
    with_skip = fused + np.eye(count)
    with_skip /= with_skip.sum(-1, keepdims=True)
    found = np.eye(count)
    for layer in with_skip:
        found = layer @ found
    return found


def seen_from(rows: np.ndarray, query: int | None, prefix: int) -> np.ndarray:
    """Weights on the patches (… n) of one patch's query, or, for None, of the class token; where there is none, the mean over patches."""
    chosen = rows.mean(-2) if query is None and not prefix else rows[..., 0 if query is None else prefix + query, :]
    return np.asarray(chosen[..., prefix:], np.float64)


def colouring(tokens: np.ndarray, images: int) -> Colouring:
    """Principal directions of patch tokens (m d) of some images; each points where its largest weight is positive."""
    z = np.asarray(tokens, np.float64)
    mean = z.mean(0)
    _, singular, directions = np.linalg.svd(z - mean, full_matrices=False)
    directions = directions[:3]
    if len(directions) < 3:
        raise UserError(f"patch colours: {min(z.shape)} directions in these patches, three are needed; use a wider tower or more images")
    directions = directions * np.sign(directions[np.arange(3), np.abs(directions).argmax(1)])[:, None]
    along = (z - mean) @ directions.T
    low, high = np.percentile(along, [2, 98], axis=0)
    total = float(np.square(singular).sum())
    explained = tuple(float(each) for each in np.square(singular[:3]) / total) if total > 0 else (0.0, 0.0, 0.0)
    return Colouring(mean, directions, low, high, explained, images)


def colours(tokens: np.ndarray, by: Colouring) -> np.ndarray:
    """Red, green and blue in [0, 1] of patch tokens (n d) -> (n 3)."""
    along = (np.asarray(tokens, np.float64) - by.mean) @ by.directions.T
    span = by.high - by.low
    return np.clip((along - by.low) / np.where(span > 0, span, 1.0), 0, 1)


def read(folder: Path) -> Attention:
    """What the job `attention` wrote; the maps stay on disk until they are looked at."""
    facts = read_json(folder / "found.json")
    load = {name: np.load(folder / f"{name}.npy", allow_pickle=False) for name in ("film", *(f"untrained_{each}" for each in STATISTICS))}
    maps = np.load(folder / "maps.npy", mmap_mode="r", allow_pickle=False)
    untrained = {name: load[f"untrained_{name}"] for name in STATISTICS}
    return Attention(facts["key"], facts["run"], facts["step"], load["film"], maps, facts["patch_mm"], untrained)


def read_colours(folder: Path) -> tuple[np.ndarray, Colouring]:
    """What the job `patch_colours` wrote: an image's patch tokens (n d), and the colours it shares with others."""
    facts, found = read_json(folder / "found.json"), {}
    for name in ("tokens", "mean", "directions", "low", "high"):
        found[name] = np.load(folder / f"{name}.npy", allow_pickle=False)
    return found.pop("tokens"), Colouring(**found, explained=tuple(facts["explained"]), images=facts["images"])
