"""What is known of every study of a data set, column by column: labels, covariates, factors, split, patient; and what its reports say.  (no torch)"""

import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_matrix
from scipy.stats import rankdata

from workbench.analysis.directions import WORD, as_states
from workbench.analysis.subset import numbered
from workbench.dataset import Dataset, Factored, Split, report_of
from workbench.errors import UserError

SPLITS: tuple[Split, ...] = ("train", "val", "test")
STATES = {"present": 1.0, "absent": 0.0}
UNSTATED = "not stated"
COLUMNS: dict[str, dict[str, np.ndarray]] = {}  # by data hash: pages and queries share them
REPORTS: dict[str, tuple[str, ...]] = {}
STATED: dict[str, dict[str, np.ndarray]] = {}
SPOKEN: dict[str, "Spoken"] = {}
RANKED: dict[str, dict[str, np.ndarray]] = {}
NUMBERED: dict[str, np.ndarray] = {}


class Spoken(NamedTuple):
    """Words of three letters at least, and which of them each of n reports has: (n, w) bool, sparse. `why` says why there are none."""

    words: tuple[str, ...]
    present: csr_matrix | None
    why: str


def columns(dataset: Dataset) -> dict[str, np.ndarray]:
    """Name -> values (n,) over all studies: labels (1 present, 0 absent, NaN not stated), covariates, factors, split, patient, in this order.

    Where two have one name the first is meant.
    """
    if dataset.data_hash not in COLUMNS:
        found = {name: np.asarray(values, float) for name, values in zip(dataset.label_names, np.asarray(dataset.labels).T)}
        factors = dataset.factors if "factors" in dataset.provides and isinstance(dataset, Factored) else {}
        for name, values in (*dataset.covariates.items(), *factors.items()):
            found.setdefault(name, np.asarray(values))
        split = np.full(len(dataset), "", "<U5")
        for part in SPLITS:
            split[dataset.split(part)] = part
        found.setdefault("split", split)
        found.setdefault("patient", np.asarray(dataset.patients).astype(str))
        COLUMNS[dataset.data_hash] = found
    return COLUMNS[dataset.data_hash]


def column(dataset: Dataset, name: str) -> np.ndarray:
    """One of them (n,); raises UserError that lists what there is."""
    known = columns(dataset)
    if name not in known:
        raise UserError(f"no column {name!r} in this data; there are {', '.join(known)}, and report for words")
    return known[name]


def reports(dataset: Dataset) -> tuple[str, ...]:
    """The report of every study (n); raises UserError where the data has none."""
    if "text" not in dataset.provides:
        raise UserError("this data has no reports to look for words in; filter by another column")
    if dataset.data_hash not in REPORTS:
        REPORTS[dataset.data_hash] = tuple(report_of(dataset, place) for place in range(len(dataset)))
    return REPORTS[dataset.data_hash]


def said_to_be(dataset: Dataset, name: str, wanted: Sequence[str]) -> np.ndarray:
    """(n,) bool: a label that is one of `present`, `absent`, `not stated`, or a column of words that is one of `wanted`; raises UserError."""
    values = column(dataset, name)
    if name in dataset.label_names:
        unknown = [each for each in wanted if each not in (*STATES, UNSTATED)]
        if unknown:
            raise UserError(f"{name}: a label is {', '.join(STATES)} or {UNSTATED}, got {unknown[0]!r}; choose one of them")
        stated = np.any([values == STATES[each] for each in wanted if each in STATES] or [np.zeros(len(values), bool)], axis=0)
        return stated | (np.isnan(values) & (UNSTATED in wanted))
    known = np.array(["" if value is None or value != value else str(value) for value in values.tolist()], str)
    absent = [each for each in wanted if each not in known]
    if absent:
        there = np.unique(known[known != ""])[:8]
        raise UserError(f"{name}: no study has {absent[0]!r}; there are {', '.join(there)}")
    return np.isin(known, list(wanted))


def compared(dataset: Dataset, name: str, low: float, high: float) -> np.ndarray:
    """(n,) bool: low <= value <= high of a column of numbers; what is not stated is not in it. Raises UserError for words and labels."""
    values = column(dataset, name)
    if values.dtype.kind not in "fiub" or name in dataset.label_names:
        raise UserError(f"{name}: holds no numbers, so nothing is at least or at most; ask what it `is`")
    numbers = values.astype(float)
    return (numbers >= low) & (numbers <= high)


def saying(dataset: Dataset, words: str) -> np.ndarray:
    """(n,) bool: the report has these words one after the other, whatever their case and the white space between them; raises UserError."""
    wanted = words.casefold().split()
    if not wanted:
        raise UserError("report: no word to look for; type at least one")
    pattern = re.compile(r"(?<!\w)" + r"\s+".join(map(re.escape, wanted)) + r"(?!\w)")
    return np.array([pattern.search(text.casefold()) is not None for text in reports(dataset)], bool)


def spoken(dataset: Dataset) -> Spoken:
    """The words of all reports, read once; those of credentialed reports are not."""
    if dataset.terms == "credentialed":
        return Spoken((), None, "the terms of this data set are credentialed: its words stay in its reports")
    if "text" not in dataset.provides:
        return Spoken((), None, "the data has no reports")
    if dataset.data_hash not in SPOKEN:
        number: dict[str, int] = {}
        places: list[int] = []
        ends = [0]
        for text in reports(dataset):
            places += {number.setdefault(word, len(number)) for word in WORD.findall(text.lower())}
            ends.append(len(places))
        shape = (len(dataset), len(number))
        SPOKEN[dataset.data_hash] = Spoken(tuple(number), csr_matrix((np.ones(len(places), bool), places, ends), shape), "")
    return SPOKEN[dataset.data_hash]


def states(dataset: Dataset) -> dict[str, np.ndarray]:
    """What a set is compared by (n,): labels, then covariates, factors and split as numbers, or a column of 0 and 1 for each class; no patients."""
    if dataset.data_hash not in STATED:
        known = {name: values for name, values in columns(dataset).items() if name != "patient"}
        labels = {name: known.pop(name) for name in dataset.label_names}
        STATED[dataset.data_hash] = labels | as_states(known)
    return STATED[dataset.data_hash]


def ranks(dataset: Dataset) -> dict[str, np.ndarray]:
    """The numbers among `states` as ranks among all studies (n,), sorted once; what is not stated has no meaning there."""
    if dataset.data_hash not in RANKED:
        known = {name: values for name, values in states(dataset).items() if np.any((values != 0) & (values != 1) & np.isfinite(values))}
        RANKED[dataset.data_hash] = {name: rankdata(values, nan_policy="omit") for name, values in known.items()}
    return RANKED[dataset.data_hash]


def numbers(dataset: Dataset) -> np.ndarray:
    """(n,) the number of each study's patient."""
    if dataset.data_hash not in NUMBERED:
        NUMBERED[dataset.data_hash] = numbered(dataset.patients)[0]
    return NUMBERED[dataset.data_hash]
