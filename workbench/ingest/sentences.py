"""Sentences and prompts written from labels."""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from workbench.config import read_yaml
from workbench.randomness import rng

FILE = Path(__file__).parent / "prompts.yaml"


@cache
def wordings() -> dict[str, Any]:
    return read_yaml(FILE)


def in_words(label: str) -> str:
    """`Pleural_Thickening` -> `pleural thickening`; abbreviations keep their capitals."""
    named = wordings()["names"].get(label)
    words = label.replace("_", " ").split()
    return named or " ".join(word if word.isupper() or any(mark.isdigit() for mark in word) else word.lower() for word in words)


def fill(template: str, label: str) -> str:
    """A template with the label in words, its first letter a capital."""
    text = template.format(finding=in_words(label))
    return text[:1].upper() + text[1:]


def prompts(labels: Sequence[str]) -> dict[str, dict[str, list[str]]]:
    """Label -> the positive and the negative wordings of the zero-shot rule."""
    templates = wordings()["prompts"]
    return {label: {side: [fill(template, label) for template in templates[side]] for side in ("positive", "negative")} for label in labels}


def report(labels: Sequence[str], values: np.ndarray, negatives: int, seed: int, key: str) -> str:
    """What a labeled film would read like: every present label, then up to `negatives` absent ones; empty where nothing is stated.

    The wording is a function of (seed, key): a study reads the same every time.
    """
    draw, templates = rng(seed, "label sentences", 0, key), wordings()["sentences"]

    def one(of: str) -> str:
        return templates[of][int(draw.integers(len(templates[of])))]

    present = [label for label, value in zip(labels, values) if value == 1]
    absent = [label for label, value in zip(labels, values) if value == 0]
    sentences = [fill(one("present"), label) for label in present]
    if absent and not present:
        sentences.append(one("normal"))
    sentences += [fill(one("absent"), absent[place]) for place in draw.permutation(len(absent))[:negatives]]
    return " ".join(sentences)


def digest_source(used: bool) -> bytes:
    """What a data hash must cover where texts are written from labels."""
    return FILE.read_bytes() if used else b""


Prompts = Mapping[str, Mapping[str, Sequence[str]]]
