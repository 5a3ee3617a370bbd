"""The data card: what is in a data set, as counts; nothing of a single study."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from workbench.dataset import Dataset

SPLITS = ("train", "val", "test")
LOOKED_AT = 128  # studies opened for counts that a data set does not tell without opening them


@dataclass(frozen=True)
class Card:
    """Counts of one data set; `labels`: label -> split -> patients and studies by what is stated."""

    studies: int
    patients: int
    images: dict[str, Any]
    splits: dict[str, dict[str, int]]
    labels: dict[str, dict[str, dict[str, int]]]
    covariates: dict[str, dict[str, Any]]
    texts: dict[str, Any]
    sources: dict[str, Any]
    provides: list[str]
    terms: str
    data_hash: str
    notes: list[str]

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    def text(self) -> str:
        return "\n\n".join(filter(None, (self._head(), self._labels(), self._covariates(), self._texts(), self._sources())))

    def _head(self) -> str:
        splits = ", ".join(f"{name} {counts['studies']} ({counts['patients']} patients)" for name, counts in self.splits.items())
        of = f" in {self.images['looked_at']} studies opened" if self.images["looked_at"] < self.studies else ""
        return (
            f"{self.studies} studies of {self.patients} patients; {self.images['count']} images{of}, {', '.join(self.images['sizes'])}\n"
            f"splits: {splits}\nprovides: {', '.join(self.provides)}\nterms of use: {self.terms}\ndata hash: {self.data_hash}"
            + "".join(f"\nnote: {note}" for note in self.notes)
        )

    def _labels(self) -> str:
        if not self.labels:
            return "no labels"
        head = ["label", *(f"{split} +/-/not stated" for split in self.splits)]
        rows = [
            [name, *(f"{counts[split]['positive']} / {counts[split]['negative']} / {counts[split]['not_stated']}" for split in self.splits)]
            for name, counts in self.labels.items()
        ]
        return "patients by label (+ present in one study, - stated absent in one and present in none)\n" + columns([head, *rows])

    def _covariates(self) -> str:
        lines = []
        for name, found in self.covariates.items():
            if "quantiles" in found:
                low, middle, high = found["quantiles"]
                lines.append(f"{name}: median {middle:.0f}, 5 to 95 % {low:.0f} to {high:.0f}; not stated {found['not_stated']}")
            else:
                lines.append(f"{name}: " + ", ".join(f"{value or 'not stated'} {count}" for value, count in found["counts"].items()))
        return "\n".join(lines)

    def _texts(self) -> str:
        found = self.texts
        if not found["with_text"]:
            return "no texts"
        low, middle, high = found["words"]
        return (
            f"texts: {found['with_text']} of {found['looked_at']} studies; median {middle:.0f} words, 5 to 95 % {low:.0f} to {high:.0f}; "
            f"{found['distinct']} distinct, {found['duplicates']} studies share theirs with another"
        )

    def _sources(self) -> str:
        if not self.sources:
            return ""
        names = list(self.sources["counts"])
        rows = [[label, *(f"{counts[name]}" for name in names)] for label, counts in self.sources["labels"].items()]
        table = columns([["present, by source", *names], *rows, ["studies", *(str(self.sources["counts"][name]) for name in names)]])
        return f"{table}\n{self.sources['warning']}" if self.sources["warning"] else table


def columns(rows: Sequence[Sequence[str]]) -> str:
    """Aligned columns."""
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows)


def card(dataset: Dataset) -> Card:
    """Describe a data set; films are opened only of a few studies spread over it, texts and labels of all."""
    patients = np.asarray(dataset.patients)
    indices = {split: dataset.split(split) for split in SPLITS}  # type: ignore[arg-type]
    spread = np.unique(np.linspace(0, len(dataset) - 1, min(LOOKED_AT, len(dataset))).astype(int)) if len(dataset) else np.zeros(0, int)
    opened = [dataset[int(index)] for index in spread]
    return Card(
        studies=len(dataset),
        patients=len(set(dataset.patients)),
        images=images_of(dataset, opened),
        splits={split: {"studies": len(found), "patients": len(set(patients[found]))} for split, found in indices.items() if len(found)},
        labels=labels_of(dataset, patients, indices),
        covariates={name: describe(np.asarray(values)) for name, values in dataset.covariates.items() if name != "source"},
        texts=texts_of(dataset, opened),
        sources=sources_of(dataset),
        provides=sorted(dataset.provides),
        terms=dataset.terms,
        data_hash=dataset.data_hash,
        notes=list(getattr(dataset, "notes", ())),
    )


def images_of(dataset: Dataset, opened: Sequence[Any]) -> dict[str, Any]:
    """Number of images and the sizes they are handed out in."""
    members = getattr(dataset, "members", None)  # a manifest knows its images without opening them
    sizes = Counter(" x ".join(map(str, image.array.shape)) + f" {image.array.dtype}" for sample in opened for image in sample["images"])
    count = sum(map(len, members)) if members is not None else sum(len(sample["images"]) for sample in opened)
    return {"count": count, "looked_at": len(dataset) if members is not None else len(opened), "sizes": dict(sizes.most_common(5))}


def labels_of(dataset: Dataset, patients: np.ndarray, indices: dict[str, np.ndarray]) -> dict[str, dict[str, dict[str, int]]]:
    """Per label and split the patients with, without and of unknown finding, and the studies with it."""
    found: dict[str, dict[str, dict[str, int]]] = {}
    for column, name in enumerate(dataset.label_names):
        found[name] = {}
        for split, rows in indices.items():
            if not len(rows):
                continue
            values, who = dataset.labels[rows, column], patients[rows]
            positive = set(who[values == 1])
            negative = set(who[values == 0]) - positive
            unknown = len(set(who)) - len(positive) - len(negative)
            found[name][split] = {
                "positive": len(positive),
                "negative": len(negative),
                "not_stated": unknown,
                "studies": int((values == 1).sum()),
            }
    return found


def describe(values: np.ndarray) -> dict[str, Any]:
    """Counts of words, quantiles of numbers."""
    if values.dtype.kind in "fiu":
        stated = values[np.isfinite(values)] if values.dtype.kind == "f" else values
        if not len(stated):
            return {"counts": {"": len(values)}}
        return {"quantiles": [float(value) for value in np.quantile(stated, [0.05, 0.5, 0.95])], "not_stated": len(values) - len(stated)}
    return {"counts": dict(Counter(map(str, values.tolist())).most_common(12))}


def texts_of(dataset: Dataset, opened: Sequence[Any]) -> dict[str, Any]:
    """Lengths and repetitions; of all studies where the data set tells texts without films."""
    text_of = getattr(dataset, "text_of", None)
    texts = (
        [text_of(index) for index in range(len(dataset))]
        if text_of is not None
        else [" ".join(text.text for text in sample["texts"]) for sample in opened]
    )
    written = [" ".join(text.lower().split()) for text in texts if text]
    counts = Counter(written)
    words = [len(text.split()) for text in written]
    return {
        "looked_at": len(texts),
        "with_text": len(written),
        "distinct": len(counts),
        "duplicates": sum(count for count in counts.values() if count > 1),
        "words": [float(value) for value in np.quantile(words, [0.05, 0.5, 0.95])] if words else None,
    }


def sources_of(dataset: Dataset) -> dict[str, Any]:
    """Label counts by source, and a warning where the source alone predicts a label."""
    if "source" not in dataset.covariates:
        return {}
    source = np.asarray(dataset.covariates["source"]).astype(str)
    counts = Counter(source.tolist())
    names = [name for name, _ in counts.most_common(8)]
    table: dict[str, dict[str, int]] = {}
    predicted = []
    for column, label in enumerate(dataset.label_names):
        present = dataset.labels[:, column] == 1
        table[label] = {name: int(present[source == name].sum()) for name in names}
        shares = [table[label][name] / counts[name] for name in names]
        if present.sum() >= 10 and len(names) > 1 and max(shares) > 2 * min(shares):
            predicted.append(label)
    warning = (
        f"shortcut: the source alone predicts {', '.join(predicted)} (share more than twice as high in one source as in another); "
        "report the source floor beside every score"
        if predicted
        else ""
    )
    return {"counts": {name: counts[name] for name in names}, "labels": table, "warning": warning}
