"""Prompts in a method's shared space: one way for monitors, jobs, evaluations and claims. Needs torch."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, cast

import numpy as np
import torch

from workbench.analysis import zeroshot
from workbench.batches import to_device
from workbench.method import Batch, Method
from workbench.randomness import torch_stream
from workbench.text import sequences, text_batch, tokenizer

BATCH = 64  # prompts of one pass
UNKNOWN = "\U00013000"  # a hieroglyph: what a tokenizer makes of it is its mark for what it does not know


class Reading(NamedTuple):
    """How much of a prompt its tower reads."""

    unknown: float  # share of tokens the tokenizer does not know
    cut: bool  # longer than the tower reads


@torch.no_grad()
def project(method: Method, texts: Sequence[str], dtype: torch.dtype | None = None) -> np.ndarray:
    """Rows (t d) float32 of unit length in the shared space, one per text, in eval mode without autocast; the method is left as it was."""
    device, training = next(method.parameters()).device, method.training
    method.eval()
    with torch_stream(0, "look"), torch.autocast(device.type, enabled=False):
        batch = to_device(cast(Batch, text_batch(cast(Any, method), list(texts))), device, dtype)
        found = cast(Any, method).project_text(batch).float().cpu().numpy()
    method.train(training)
    return found


def scores(
    method: Method,
    projected: np.ndarray,
    prompts: Mapping[str, Mapping[str, Sequence[str]]],
    names: Sequence[str],
    dtype: torch.dtype | None = None,
) -> np.ndarray:
    """(n, k): the prompt difference of images `projected` (n d) for the findings `names`."""
    positive, negative = ([project(method, prompts[name][side], dtype) for name in names] for side in ("positive", "negative"))
    return zeroshot.scores(projected, positive, negative)


def vectors(method: Method, texts: Sequence[str]) -> np.ndarray:
    """Rows (t d) of many texts, some at a time."""
    return np.concatenate([project(method, texts[start : start + BATCH]) for start in range(0, len(texts), BATCH)])


def temperature(method: Method) -> float | None:
    """The method's softmax temperature, where it has one."""
    own = getattr(method, "temperature", None)
    return float(own().detach()) if callable(own) else None


def reading(config: Any, texts: Sequence[str]) -> list[Reading]:
    """Per text, how much of it the tower reads: unknown tokens, and whether it was cut."""
    encode = tokenizer(config.text, config.text_tokens)
    mark = encode(UNKNOWN)
    unknown = mark[1] if len(mark) == 3 else None  # start, unknown, end
    found = []
    for text in texts:
        batch = text_batch(_Owner(config), [text])
        ids = batch["input_ids"].numpy()
        parts = [np.frombuffer(part, np.int64) for part in sequences(ids, [ids.shape[1]], config.text_pooling)[0]]
        tokens = sum(max(len(part) - 2, 0) for part in parts)
        strange = sum(int((part == unknown).sum()) for part in parts)
        found.append(Reading(strange / max(tokens, 1), any(len(part) >= config.text_tokens for part in parts)))
    return found


class _Owner:
    """A configuration as `text_batch` asks for it."""

    def __init__(self, config: Any) -> None:
        self.config = config
