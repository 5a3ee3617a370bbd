"""Where does a word of the report look in the image, and which words does a patch look at? The model itself runs in workbench/crossing.py."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from workbench.analysis.attention import Weights
from workbench.run import read_json

ARRAYS = ("film", "on_patches", "on_words", "untrained")


@dataclass(frozen=True)
class Crossing(Weights):
    """Attention between one report and one image at one snapshot, by layer of the fusion and head.

    film (h w) uint8; `on_patches` (l h w t): what each word, the mean of its tokens, sees on class token and patches, rows sum to 1;
    `on_words` (l h t w): what class token and patches see on the words, the sum over their tokens: what is missing to 1 goes to marks.
    `untrained` (l h w): over how many tokens of the image each word spreads in the same network with random weights.
    """

    key: str
    run: str
    step: int
    words: tuple[str, ...]
    film: np.ndarray
    on_patches: np.ndarray
    on_words: np.ndarray
    untrained: np.ndarray

    @property
    def weights(self) -> np.ndarray:
        return self.on_patches

    def of_word(self, layer: int, head: int | None, word: int) -> np.ndarray:
        """What one word sees on the patches (s s), of one head or of their mean."""
        return over_heads(self.on_patches[layer], head)[word, self.prefix :].reshape(self.side, self.side)

    def of_patch(self, layer: int, head: int | None, patch: int) -> np.ndarray:
        """What one patch sees on the words (w), of one head or of their mean."""
        return over_heads(self.on_words[layer], head)[self.prefix + patch]

    def spread(self, layer: int) -> np.ndarray:
        """Over how many tokens of the image each word spreads in a layer, median over heads (w)."""
        return np.median(spread(self.on_patches[layer]), 0)


def over_heads(rows: np.ndarray, head: int | None) -> np.ndarray:
    """One head of (h …), or the mean of all, in float64."""
    rows = np.asarray(rows, np.float64)
    return rows.mean(0) if head is None else rows[head]


def spread(rows: np.ndarray) -> np.ndarray:
    """e to the entropy of each row (… t): t for equal attention, 1 for attention on one token."""
    a = np.asarray(rows, np.float64)
    return np.exp(-(a * np.log(np.where(a > 0, a, 1.0))).sum(-1))


def by_words(maps: np.ndarray, words: list[list[int]], mean: bool) -> np.ndarray:
    """Tokens (… l) brought together to words (… w): their mean, or their sum."""
    found = [maps[..., word].mean(-1) if mean else maps[..., word].sum(-1) for word in words]
    return np.stack(found, -1) if found else maps[..., :0]


def read(folder: Path) -> Crossing:
    """What the job `crossing` wrote."""
    facts = read_json(folder / "found.json")
    arrays = {name: np.load(folder / f"{name}.npy", allow_pickle=False) for name in ARRAYS}
    return Crossing(facts["key"], facts["run"], facts["step"], tuple(facts["words"]), **arrays)
