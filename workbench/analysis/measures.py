"""What does every measure of the catalogue read at a look, and against what: an isotropic cloud, the untrained network, the pixels? No torch."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from workbench.analysis._reading import ENOUGH, Features
from workbench.analysis.baselines import pixel_features
from workbench.analysis.catalogue import needing
from workbench.analysis.collapse import NO_LABEL, class_rows
from workbench.analysis.factors import placed
from workbench.analysis.sheets import Sheet, Value, part, sheet, value_of
from workbench.analysis.towers import IMAGE, TEXT
from workbench.dataset import Dataset
from workbench.embeddings import Embeddings
from workbench.errors import UserError
from workbench.run import Run, read_json

PAIR = f"{IMAGE} + {TEXT}"
ONE_VIEW = "a look holds one row a study; this needs several views of each"
BY_CLASS = ("feature_std", "participation_ratio", "effective_rank")
Progress = Callable[[float, str], None]


@dataclass(frozen=True)
class OfClass:
    """The studies that have a finding: their scale and ranks, and those of the untrained network."""

    label: str
    trained: Sheet
    untrained: Sheet | None


@dataclass(frozen=True)
class Measured:
    """A feature, or both towers together, with the untrained network's; `missing` says why that is not there."""

    feature: str
    trained: Sheet
    untrained: Sheet | None
    missing: str
    classes: tuple[OfClass, ...]


@dataclass(frozen=True)
class Measures:
    """Every feature of a run at a look, and the pixels of the same studies; `missing` says, by name, why something is not there."""

    run: str
    step: int
    features: tuple[Measured, ...]
    pixels: Sheet | None
    missing: Mapping[str, str]

    def __getitem__(self, feature: str) -> Measured:
        for each in self.features:
            if each.feature == feature:
                return each
        known = f"there are {', '.join(each.feature for each in self.features)}"
        raise UserError(f"{self.run}: no {feature!r} at step {self.step}: {self.missing.get(feature, known)}")

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)

    @classmethod
    def of_dict(cls, values: Mapping[str, Any]) -> "Measures":
        """What `as_dict` gave, also through JSON."""
        features = []
        for row in values["features"]:
            own = tuple(OfClass(each["label"], *sheets(each)) for each in row["classes"])
            features.append(Measured(row["feature"], *sheets(row), row["missing"], own))
        pixels = Sheet.of_dict(values["pixels"]) if values["pixels"] else None
        return cls(values["run"], values["step"], tuple(features), pixels, dict(values["missing"]))


def sheets(row: Mapping[str, Any]) -> tuple[Sheet, Sheet | None]:
    """Of the trained and, where there is one, the untrained network."""
    return Sheet.of_dict(row["trained"]), Sheet.of_dict(row["untrained"]) if row["untrained"] else None


def one_finding(labels: np.ndarray, names: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Rows (m,) of `labels` (n, c) with one finding or none, and which (m,): classes that exclude each other."""
    present = np.asarray(labels) > 0.5
    kept = np.flatnonzero(present.sum(1) <= 1)
    known = np.array([*names, NO_LABEL], dtype=object)
    return kept, known[np.where(present[kept].any(1), present[kept].argmax(1), len(names))].astype(str)


def of_feature(z: Features, patients: np.ndarray, labels: np.ndarray | None = None, names: Sequence[str] = ()) -> Sheet:
    """Every measure of one feature (n, d): of its rows, and of the classes among `labels` (n, c) where there are some."""
    found = sheet(z, patients)
    more = [Value(name, None, None, None, ONE_VIEW, found.n, found.d) for name in needing("views")]
    if labels is not None and len(names):
        kept, which = one_finding(labels, names)
        if len(kept):
            more += sheet(part(z, kept), patients[kept], needing("classes"), which).values
    return replace(found, values=(*found.values, *more))


def by_class(z: Features, patients: np.ndarray, rows: np.ndarray) -> Sheet:
    """Scale and ranks of some rows (n,) bool alone; a rank that their number decides is withheld."""
    own = np.flatnonzero(rows)
    found = sheet(part(z, own), patients[own], BY_CLASS)
    few = f"{found.n} rows for {found.d} dimensions, fewer than {ENOUGH} each: their number decides the rank"
    values = [replace(each, value=None, why=few) if each.limited and each.value is not None else each for each in found.values]
    return replace(found, values=tuple(values))


def of_looks(
    run: Run,
    step: int,
    features: Mapping[str, Embeddings],
    untrained: Mapping[str, Embeddings],
    missing: Mapping[str, str],
    dataset: Dataset | None,
    progress: Progress = lambda share, message: None,
) -> Measures:
    """Every measure of the features (n, d) of one look, of both towers together where they share a space, of the untrained network and of pixels.

    `missing["untrained"]` says why there is no untrained network. Studies without a data set have no classes and no pixels, which `missing` then says.
    """
    told, look = dict(missing), next(iter(features.values()))
    places, labels = None, None
    try:
        places = placed(run, look, dataset) if dataset is not None else None
    except UserError as error:
        told |= {"pixels": str(error), "classes": str(error)}
    if dataset is None:
        told |= dict.fromkeys(("pixels", "classes"), "the run names no data set")
    elif places is not None and len(dataset.label_names):
        labels = np.asarray(dataset.labels, float)[places]
    elif places is not None:
        told["classes"] = "the data has no labels"
    names = tuple(dataset.label_names) if dataset is not None and labels is not None else ()
    found = []
    for order, (name, z) in enumerate(features.items()):
        progress(0.1 + 0.6 * order / len(features), f"measuring {name}")
        found.append(measured(name, z, untrained.get(name), told.get("untrained", ""), labels, names))
    if {IMAGE, TEXT} <= set(features):
        found.append(of_pair(features, untrained, told.get("untrained", "")))
    pixels = None
    if places is not None and dataset is not None:
        progress(0.8, "measuring the pixels")
        if "image" in dataset.provides:
            pixels = of_feature(pixel_features(dataset, places), np.asarray(look.patients), labels, names)
        else:
            told["pixels"] = "the data has no images"
    return Measures(run.id, step, tuple(found), pixels, told)


def measured(
    name: str, z: Embeddings, before: Embeddings | None, why: str, labels: np.ndarray | None, names: Sequence[str]
) -> Measured:  # fmt: skip
    """One feature and, where it was looked at on the same studies, the untrained network's."""
    if before is not None and before.keys != z.keys:
        before, why = None, "the first look was at other studies"
    patients, same = np.asarray(z.patients), before is not None and before.checkpoint == z.checkpoint
    own = of_feature(z, patients, labels, names)
    first = own if same else of_feature(before, patients, labels, names) if before is not None else None
    rows = class_rows(labels, names) if labels is not None else {}
    classes = []
    for label, kept in rows.items():
        mine = by_class(z, patients, kept)
        classes.append(OfClass(label, mine, mine if same else by_class(before, patients, kept) if before is not None else None))
    return Measured(name, own, first, "" if first else why or "the first look did not store this feature", tuple(classes))


def with_views(
    found: Measures, trained: Mapping[str, np.ndarray], untrained: Mapping[str, np.ndarray], samples: np.ndarray, why: str = ""
) -> Measures:
    """The same with LiDAR read from rows (n, d) by feature that are several views of `samples` (n,); where there are none `why` says so."""

    def put(own: Sheet, rows: np.ndarray | None) -> Sheet:
        return replace(own, values=tuple(of_views(each, rows, samples, why) for each in own.values))

    features = []
    for each in found.features:
        before = each.untrained and put(each.untrained, untrained.get(each.feature))
        features.append(replace(each, trained=put(each.trained, trained.get(each.feature)), untrained=before))
    return replace(found, features=tuple(features))


def of_views(known: Value, rows: np.ndarray | None, samples: np.ndarray, why: str) -> Value:
    """A measure of views from its rows (n, d); any other as it is."""
    if known.name not in needing("views"):
        return known
    if rows is None:
        return replace(known, why=why or known.why)
    if all(not np.ptp(rows[samples == one], axis=0).any() for one in np.unique(samples)):
        return replace(known, why="the views of a study do not differ in this feature")
    return value_of(known.name, rows, samples, samples)


def of_pair(features: Mapping[str, Embeddings], untrained: Mapping[str, Embeddings], why: str) -> Measured:
    """Measures of both towers together (n, d), images and reports of the same studies."""
    pairs, (wide, other) = [], (features[name].features.shape[1] for name in (IMAGE, TEXT))
    if wide != other:
        told = f"images have {wide} dimensions and reports {other}: they share no space"
        return Measured(PAIR, Sheet(0, 0, 0, 0, "", ()), None, told, ())
    for each in (features, untrained):
        x, y = each.get(IMAGE), each.get(TEXT)
        known = x is not None and y is not None and x.keys == y.keys == features[IMAGE].keys
        pairs.append(sheet(x, x.patients, needing("towers"), y) if known and x is not None else None)
    if pairs[0] is None:
        empty = Sheet(0, 0, 0, 0, "", ())
        return Measured(PAIR, empty, None, "images and reports were looked at on other studies", ())
    return Measured(PAIR, pairs[0], pairs[1], "" if pairs[1] else why or "the first look stored one of them alone", ())


def stored(run: Run, step: int) -> dict[str, Embeddings]:
    """Every vector feature that the look at `step` kept; raises UserError where it kept none."""
    return {name: run.embeddings(name, step) for name in run.geometry(step)}


def read_measures(folder: Path) -> Measures:
    """What the job `measures` wrote."""
    return Measures.of_dict(read_json(folder / "found.json"))
