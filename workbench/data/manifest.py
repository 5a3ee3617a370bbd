"""Your own radiographs: a folder of PNG or JPEG files and a table, CSV or JSON lines, with one row an image."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Sequence
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from workbench.config import Config as Base
from workbench.dataset import DatasetConfig, Image, Sample, Split, Terms, Text
from workbench.errors import UserError
from workbench.ingest import boxes as boxes_sidecar
from workbench.ingest import labels as label_table
from workbench.ingest import sentences, shards
from workbench.ingest.decode import Decoded, decode
from workbench.ingest.source import Source

KEPT_BYTES = 1 << 29  # decoded films kept in memory where nothing was prepared


class Columns(Base):
    """Names of the table's columns; absent = the usual name, where there is such a column."""

    image: str | None = None
    """Image file, relative to the image folder. Usual: filename."""
    patient: str | None = None
    """Patient, or the group that must stay in one split. Usual: group, else patient_id; without either every study is its own patient."""
    study: str | None = None
    """Study that several images belong to; absent = every row is a study, keyed by its file's stem."""
    split: str | None = None
    """Split of the row. Usual: split; without it patients are divided by `fractions`."""
    labels: str | None = None
    """Labels joined in one cell. Usual: labels. A label with a column of its own is read there."""
    text: str | None = None
    """Report. Usual: text."""
    view: str | None = None
    """Projection, PA or AP. Usual: view."""
    sex: str | None = None
    """Sex. Usual: sex."""
    age: str | None = None
    """Age in years. Usual: age."""
    source: str | None = None
    """Where the file came from, for the source floor; never given to a model. Usual: source_repo."""


class Config(DatasetConfig):
    """A folder with a table and images."""

    root: str | None = None
    """Folder of the data; `${WORKBENCH_…}` names an environment variable. `--root DIR` on the command line."""
    table: str = "data.csv"
    """Table below the root: .csv with a head line, or .jsonl."""
    images: str = "images"
    """Folder below the root that the image column is relative to; "." = the root."""
    columns: Columns = Columns()
    """Names of the columns, where they differ from the usual ones."""
    labels: tuple[str, ...] | None = None
    """Declared label set: another label in the table is an error. Absent = the set found."""
    ignore_labels: tuple[str, ...] = ()
    """Labels that may occur and are not read."""
    label_separator: Annotated[str, Field(min_length=1, max_length=3)] = "|"
    """What joins labels in one cell."""
    closed_labels: bool = False
    """Whether a label that a labelled row does not list is absent (0) rather than not stated (NaN)."""
    text: Literal["column", "labels", "none"] = "column"
    """Texts from the column, or written from the labels as sentences (a model trained on them is label-supervised), or none."""
    negatives: Annotated[int, Field(ge=0, le=50)] = 3
    """Absent labels mentioned in a text written from labels."""
    boxes: str | None = None
    """Boxes beside the table: a CSV with filename, label, x, y, w, h in pixels of the file."""
    splits: dict[Literal["train", "val", "test", "unused"], tuple[str, ...]] = {
        "train": ("train",),
        "val": ("val", "valid", "validate", "validation", "dev"),
        "test": ("test",),
    }
    """What the split column says for each split; rows of `unused` are left out."""
    fractions: tuple[float, float, float] = (0.7, 0.15, 0.15)
    """Shares of patients in train, val and test where the table has no split column."""
    size: Annotated[int, Field(ge=8, le=2048)] = 64
    """Side of the square films handed to methods, in pixels."""
    fit: Literal["pad", "crop"] = "pad"
    """How an oblong film becomes square: black bars, or its middle."""
    terms: Terms = "no-redistribution"
    """Below `open`, exports carry no pixels and no text."""
    seed: Annotated[int, Field(ge=0)] = 0
    """Addresses the wording of written texts and the division of patients."""


class Manifest:
    """Studies of a table, films decoded when asked for or read from what `data prepare` made."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.source = Source(config)
        self.terms: Terms = config.terms
        self.shards = shards.find(self.source.films, config.size, config.fit)
        listed = self.shards.unreadable if self.shards else {}
        self.kept: dict[int, Decoded] = {}
        self._check_files(listed)
        self._group([place for place, film in enumerate(self.source.films) if film.name not in listed])
        self._describe()
        self.boxes = boxes_sidecar.read(self.source.root, config.boxes, self.source.films)
        self.data_hash = self._hash(listed)
        has = {"image": True, "text": any(map(self.text_of, range(min(len(self), 2000)))), "labels": bool(self.label_names)}
        self.provides = frozenset(name for name, there in (has | {"boxes": bool(self.boxes)}).items() if there)

    def _check_files(self, listed: dict[str, str]) -> None:
        missing = [film.name for film in self.source.films if film.size is None and film.name not in listed]
        if missing:
            raise UserError(
                f"{self.config.table}: {len(missing)} image files are missing, first {missing[0]}; restore them, or `workbench data prepare` lists them"
            )

    def _group(self, places: Sequence[int]) -> None:
        """Rows into studies, each with one patient and one split."""
        source = self.source
        members: dict[str, list[int]] = defaultdict(list)
        for place in places:
            if source.splits[place] != "unused":
                members[source.keys[place]].append(place)
        self.keys, self.members = list(members), list(members.values())
        if not members:
            raise UserError(f"{self.config.table}: no study is left; check `splits` and the split column")
        self.patients = [source.patients[rows[0]] for rows in self.members]
        self._splits = np.array([source.splits[rows[0]] for rows in self.members])
        for key, rows in members.items():
            for what, values in (("patient", source.patients), ("split", source.splits)):
                if len({values[row] for row in rows}) > 1:
                    raise UserError(f"{self.config.table}: study {key!r} has rows of two {what}s; correct columns.study or the rows")
        of_patient: dict[str, str] = {}
        for patient, split in zip(self.patients, self._splits):
            if of_patient.setdefault(patient, split) != split:
                raise UserError(
                    f"{self.config.table}: patient {patient!r} is in {of_patient[patient]} and in {split}; keep a patient in one split"
                )

    def _describe(self) -> None:
        """Labels and covariates of the studies."""
        source = self.source
        self.label_names = source.label_names
        self.labels = label_table.of_studies(source.labels, self.members) if self.label_names else np.zeros((len(self), 0), np.float32)
        self.uncertain = (
            np.stack([source.uncertain[rows].any(0) for rows in self.members]) if self.label_names else np.zeros((len(self), 0), bool)
        )
        self.prompts = sentences.prompts(self.label_names)
        self.covariates: dict[str, np.ndarray] = {}
        for name in ("view", "sex", "source"):
            column = source.columns[name]
            if column:
                self.covariates[name] = np.array([" ".join(source.table.rows[rows[0]][column].split()) for rows in self.members])
        if source.columns["age"]:
            self.covariates["age"] = np.array([age(source.table.rows[rows[0]][source.columns["age"]]) for rows in self.members])

    def _hash(self, listed: dict[str, str]) -> str:
        settings = {key: value for key, value in self.config.to_dict().items() if key != "root"}
        sizes = [(film.name, film.size) for film in self.source.films]
        written = sentences.digest_source(self.config.text == "labels")
        parts = [shards.VERSION, self.source.table.digest, settings, sizes, sorted(listed), written.decode(), self.boxes]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]

    def __len__(self) -> int:
        return len(self.keys)

    def split(self, name: Split) -> np.ndarray:
        return np.flatnonzero(self._splits == name)

    def text_of(self, index: int) -> str:
        """The text of a study, without its films; empty where there is none."""
        column = self.source.columns["text"]
        if self.config.text == "labels":
            return sentences.report(self.label_names, self.labels[index], self.config.negatives, self.config.seed, self.keys[index])
        if self.config.text == "none" or column is None:
            return ""
        return "\n".join(dict.fromkeys(filter(None, (self.source.table.rows[row][column] for row in self.members[index]))))

    def film(self, place: int) -> Decoded:
        """One film, (size, size) uint8; raises UserError that names a file that does not decode."""
        if self.shards:
            return self.shards[place]
        if place not in self.kept:
            film = self.source.films[place]
            found = decode(film.path, film.name, self.config.size, self.config.fit)
            if len(self.kept) * found.array.nbytes >= KEPT_BYTES:
                return found
            self.kept[place] = found
        return self.kept[place]

    def __getitem__(self, index: int) -> Sample:
        rows, column = self.members[index], self.source.columns["view"]
        decoded = [self.film(row) for row in rows]
        views = [self.source.table.rows[row][column] or None if column else None for row in rows]
        text = self.text_of(index)
        sample: Sample = {
            "key": self.keys[index],
            "patient": self.patients[index],
            "images": [Image(film.array, view=view) for film, view in zip(decoded, views)],
            "texts": [Text(text, source=self.config.text)] if text else [],
        }
        if self.label_names:
            sample["labels"], sample["uncertain"] = self.labels[index], self.uncertain[index]
        if self.boxes:
            sample["boxes"] = [
                boxes_sidecar.on_film(box, image, film, self.config.fit)
                for image, (row, film) in enumerate(zip(rows, decoded))
                for box in self.boxes.get(self.source.films[row].name, ())
            ]
        return sample


def age(text: str) -> float:
    """Years; NaN where blank or not a number."""
    try:
        return float(text.rstrip("Yy") or "nan")
    except ValueError:
        return float("nan")


def load(config: Config) -> Manifest:
    return Manifest(config)
