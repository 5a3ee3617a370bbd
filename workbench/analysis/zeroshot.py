"""What do prompts say of an image, without a label seen? The difference rule, scored per label."""

from collections.abc import Sequence

import numpy as np


def unit(rows: np.ndarray) -> np.ndarray:
    """Rows (… d) of unit length, float64; a zero row stays zero."""
    rows = np.asarray(rows, np.float64)
    length = np.linalg.norm(rows, axis=-1, keepdims=True)
    return rows / np.where(length > 0, length, 1)


def scores(image: np.ndarray, positive: Sequence[np.ndarray], negative: Sequence[np.ndarray]) -> np.ndarray:
    """(n, k): cosine to the positive prompts minus cosine to the negative ones, each averaged over its templates.

    `image` is (n, d); `positive` and `negative` hold per label (t, d), template counts may differ. The positive
    prompt alone ranks images worse than the difference does.
    """
    if len(positive) != len(negative):
        raise ValueError(f"{len(positive)} labels with positive prompts, {len(negative)} with negative ones")
    z = unit(image)
    sides = [np.stack([(z @ unit(prompts).T).mean(1) for prompts in side], 1) for side in (positive, negative)]
    return sides[0] - sides[1]
