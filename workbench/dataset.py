"""What a data set is: a file that yields studies as they lie on disk, in numpy."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple, NotRequired, Protocol, TypedDict, runtime_checkable

import numpy as np

from workbench.config import Config

Split = Literal["train", "val", "test"]
Terms = Literal["open", "no-redistribution", "credentialed"]


class Image(NamedTuple):
    """One image as stored: uint8, uint16, int16 or float32."""

    array: np.ndarray
    axes: Literal["hw", "hwc", "zhw", "thwc"] = "hw"
    spacing_mm: tuple[float, ...] | None = None
    view: str | None = None


class Text(NamedTuple):
    """One text of a study: a report, a section of it, or a sentence."""

    text: str
    section: str | None = None
    source: str | None = None


class Sample(TypedDict):
    """One study before any transform. Labels are float32: 1 present, 0 absent, NaN not stated."""

    key: str
    patient: str
    images: list[Image]
    texts: list[Text]
    labels: NotRequired[np.ndarray]
    uncertain: NotRequired[np.ndarray]
    boxes: NotRequired[list[dict[str, Any]]]  # {"label", "image", "x", "y", "w", "h"} in pixels of images[image]
    masks: NotRequired[Mapping[str, np.ndarray]]  # name -> bool (h w) of the first image: 1 inside
    film_masks: NotRequired[Sequence[Mapping[str, np.ndarray]]]  # masks of every image, where each has its own
    # {"text", "sentence", "concept", "label", "start", "end", "assertion", "side", "attributes", "typo"}: start and end are characters of texts[text]
    entities: NotRequired[Sequence[dict[str, Any]]]
    # {"kind", "question", "answer", "answer_type", "options", "concepts", "boxes"}: boxes are places in Sample["boxes"] that show the answer
    questions: NotRequired[Sequence[dict[str, Any]]]
    factors: NotRequired[dict[str, float | str]]
    meta: NotRequired[dict[str, Any]]


def masks_of(sample: Sample, place: int) -> Mapping[str, np.ndarray]:
    """The masks of one image of a study by name, each (h w) bool; none where they are of another image."""
    every = sample.get("film_masks") or [sample.get("masks") or {}]
    return every[place] if place < len(every) else {}


class DatasetConfig(Config):
    """Base of the configuration of a data set; each data set file subclasses it as `Config`."""


class Dataset(Protocol):
    """What a data set file's `load(config)` returns. The file also has `Config`, a DatasetConfig."""

    label_names: Sequence[str]  # of Sample["labels"], in order; empty where there are none
    keys: Sequence[str]  # one per study, unique
    patients: Sequence[str]  # one per study
    labels: np.ndarray  # (studies, labels) float32
    covariates: Mapping[str, np.ndarray]  # per study: "view", "age", "sex", "source", … where known
    data_hash: str  # of everything a sample depends on
    terms: Terms
    provides: frozenset[str]  # "image", "text", "labels", "boxes", "masks", "factors" (then it is a Factored), "entities", "questions"

    def __len__(self) -> int: ...
    def __getitem__(self, index: int) -> Sample: ...
    def split(self, name: Split) -> np.ndarray:
        """Indices of the studies of one split; no patient is in two."""
        ...


@runtime_checkable
class Factored(Protocol):
    """A data set whose latent factors are known: "factors" is in its `provides`."""

    @property
    def factors(self) -> Mapping[str, np.ndarray]:
        """One array of floats or words per factor, over all studies."""
        ...


@runtime_checkable
class Spoken(Protocol):
    """A data set that tells a report without opening the study's films."""

    def text_of(self, index: int) -> str:
        """All texts of a study as one; empty where there is none."""
        ...


def report_of(dataset: Dataset, index: int) -> str:
    """All texts of a study as one, without opening its films where the data set can; empty where there is none."""
    if isinstance(dataset, Spoken):
        return dataset.text_of(index)
    return "\n\n".join(text.text for text in dataset[index]["texts"])
