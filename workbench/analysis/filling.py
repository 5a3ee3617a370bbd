"""Which hidden words of a report does a method guess, and does it need the image for that? The model itself runs in workbench/filling.py."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from workbench.run import read_json

IMAGE, EMPTY, OTHER = "its image", "an empty film", "another's image"
CONDITIONS = (IMAGE, EMPTY, OTHER)  # beside which the words are filled in


@dataclass(frozen=True)
class Filled:
    """One report with some tokens hidden, at one snapshot, beside its own image and beside others.

    `pieces` are the report's tokens, `words` the places of each word's tokens and `spelt` those words; `hidden` (h) are places in `pieces`. By condition:
    `truth` (h) is the probability of the hidden token, `best` (h k) the likeliest tokens and `chances` (h k) their probabilities,
    falling. A condition that was not there, another's image where there is none, is missing.
    """

    key: str
    run: str
    step: int
    vocabulary: int
    pieces: tuple[str, ...]
    words: tuple[tuple[int, ...], ...]
    spelt: tuple[str, ...]
    hidden: tuple[int, ...]
    truth: Mapping[str, np.ndarray]
    best: Mapping[str, tuple[tuple[str, ...], ...]]
    chances: Mapping[str, np.ndarray]

    @property
    def conditions(self) -> tuple[str, ...]:
        """Those that were there, the own image first."""
        return tuple(name for name in CONDITIONS if name in self.truth)

    @property
    def wanted(self) -> tuple[str, ...]:
        """The hidden tokens."""
        return tuple(self.pieces[place] for place in self.hidden)

    @property
    def hidden_words(self) -> tuple[int, ...]:
        """Numbers of the words whose tokens are hidden."""
        return tuple(number for number, word in enumerate(self.words) if set(word) <= set(self.hidden))

    @property
    def level(self) -> float:
        """The surprise of one to whom all tokens are equally likely: ln v."""
        return float(np.log(self.vocabulary))

    def right(self, condition: str) -> np.ndarray:
        """(h) bool: whether the likeliest token is the hidden one."""
        return np.array([each[0] == token for each, token in zip(self.best[condition], self.wanted)], bool)

    def surprise(self, condition: str) -> float | None:
        """Mean of -ln p of the hidden tokens in nats: 0 is perfect, ln v knows nothing; None where nothing is hidden."""
        p = np.asarray(self.truth[condition], np.float64)
        return float(-np.log(np.maximum(p, np.finfo(float).tiny)).mean()) if len(p) else None


def likeliest(logits: np.ndarray, most: int) -> tuple[np.ndarray, np.ndarray]:
    """Numbers (h k) of the `most` likeliest tokens of logits (h v) and their probabilities, falling; of equal ones the first."""
    p = probabilities(logits)
    order = np.argsort(-p, axis=1, kind="stable")[:, :most]
    return order, np.take_along_axis(p, order, 1)


def probabilities(logits: np.ndarray) -> np.ndarray:
    """Softmax over the tokens (h v) in float64."""
    shifted = np.exp(np.asarray(logits, np.float64) - np.max(logits, axis=1, keepdims=True, initial=-np.inf))
    return shifted / shifted.sum(1, keepdims=True)


def as_dict(found: Filled) -> dict[str, object]:
    """What the job `filling` writes, as plain values."""
    arrays = {name: {key: np.asarray(each).tolist() for key, each in getattr(found, name).items()} for name in ("truth", "chances")}
    return {**vars(found), **arrays}


def read(folder: Path) -> Filled:
    """What the job `filling` wrote."""
    facts = read_json(folder / "found.json")
    facts |= {name: tuple(facts[name]) for name in ("pieces", "spelt", "hidden")}
    facts["words"] = tuple(tuple(word) for word in facts["words"])
    facts["best"] = {name: tuple(tuple(each) for each in rows) for name, rows in facts["best"].items()}
    for name in ("truth", "chances"):
        facts[name] = {key: np.asarray(each, np.float64) for key, each in facts[name].items()}
    return Filled(**facts)
