"""How do images and reports lie in the space they share, and what if the gap between them is closed? One look of a run, no torch."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from workbench.analysis._interval import Interval
from workbench.analysis._reading import normalised
from workbench.analysis.collapse import alignment, modality_gap, uniformity
from workbench.analysis.factors import placed
from workbench.analysis.isotropy import cone_angle
from workbench.analysis.modality import Closing, closing, cross_spectrum, gap_share, gap_walk, principal_angles, relative_gap, separability
from workbench.analysis.projection import IMAGE, JOINT, TEXT
from workbench.dataset import Dataset
from workbench.embeddings import Embeddings
from workbench.errors import UserError
from workbench.run import Run, read_json

RECALL = 5
Prompts = tuple[Sequence[np.ndarray], Sequence[np.ndarray]]  # positive and negative vectors (t, d) of every label


MEASURED = {  # a number that is one tower's measure -> that of the catalogue; others are called as there
    "uniformity of images": "uniformity",
    "uniformity of reports": "uniformity",
    "share of the gap": "gap_share",
    "cone of images": "cone_angle",
    "cone of reports": "cone_angle",
}


@dataclass(frozen=True)
class Number:
    """One number about the towers, and what isotropic clouds or pairs at random give of it, where that is known."""

    name: str
    value: float
    reference: float | None = None

    @property
    def measure(self) -> str:
        """Its name in the catalogue, where its sentence and formula stand."""
        return MEASURED.get(self.name, self.name.replace(" ", "_"))


@dataclass(frozen=True)
class Moved:
    """What `amount` of the mean difference removed gives: the gap that is left, recall at 5 from image to report and back, zero-shot."""

    amount: float
    gap: float
    forth: Interval
    back: Interval
    auroc: Interval | None


@dataclass(frozen=True)
class Towers:
    """Images and reports of `n` studies at a step; `why` says why there is no zero-shot. `chance`: of recall at 5, forth and back.

    `moved`: both towers moved towards each other on the sphere; `walked`: the texts alone along the gap, to one and a half of it.
    """

    run: str
    step: int
    n: int
    d: int
    patients: int
    repeated: int
    numbers: tuple[Number, ...]
    moved: tuple[Moved, ...]
    walked: tuple[Moved, ...]
    chance: tuple[float, float]
    temperature: float | None
    why: str

    def __getitem__(self, name: str) -> float:
        return next(each.value for each in self.numbers if each.name == name)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)

    @classmethod
    def of_dict(cls, values: Mapping[str, Any]) -> "Towers":
        """What `as_dict` gave, also through JSON."""
        nested: dict[str, Any] = {"numbers": tuple(Number(**row) for row in values["numbers"]), "chance": tuple(values["chance"])}
        for way in ("moved", "walked"):
            nested[way] = tuple(
                Moved(**row | {name: Interval(**row[name]) if row[name] else None for name in ("forth", "back", "auroc")})
                for row in values[way]
            )
        return cls(**dict(values) | nested)


def stored(run: Run, step: int) -> tuple[Embeddings, Embeddings]:
    """The projected images and reports of the look at `step`; raises UserError where it has not both."""
    missing = sorted({IMAGE, TEXT} - set(run.geometry(step)))
    if missing:
        told = f"no {' and no '.join(missing)} at step {step}"
        raise UserError(f"{run.id}: {told}; towers are compared where images and reports share a space")
    return run.embeddings(IMAGE, step), run.embeddings(TEXT, step)


def paired(run: Run, x: Embeddings, y: Embeddings) -> tuple[Embeddings, Embeddings]:
    """Both towers at the studies that they share, in one order; raises UserError where their widths differ."""
    if x.features.shape[1] != y.features.shape[1]:
        raise UserError(f"{run.id}: images have {x.features.shape[1]} dimensions and reports {y.features.shape[1]}: they share no space")
    if x.keys != y.keys:
        rows = {key: place for place, key in enumerate(y.keys)}
        kept = [place for place, key in enumerate(x.keys) if key in rows]
        x, y = taken(x, kept), taken(y, [rows[x.keys[place]] for place in kept])
    return x, y


def together(run: Run, x: Embeddings, y: Embeddings) -> Embeddings:
    """Both towers in one cloud (2 n, d): the images' unit rows, then the reports' of the same studies, since cosines are what is compared.

    Raises UserError where widths differ.
    """
    x, y = paired(run, x, y)
    z = np.concatenate([normalised(x), normalised(y)]).astype(np.float32)
    return Embeddings(z, x.keys * 2, x.patients * 2, JOINT, x.checkpoint, x.data_hash)


def taken(of: Embeddings, rows: Sequence[int]) -> Embeddings:
    """Some rows."""
    keys, patients = (tuple(column[row] for row in rows) for column in (of.keys, of.patients))
    return Embeddings(of.features[list(rows)], keys, patients, of.feature, of.checkpoint, of.data_hash)


def same_text(texts: Sequence[str]) -> np.ndarray:
    """(n, n) bool: whether two studies say the same."""
    _, number = np.unique(np.array(texts, dtype=str), return_inverse=True)
    return np.asarray(number[:, None] == number)


def of_run(
    run: Run,
    towers: tuple[Embeddings, Embeddings],
    dataset: Dataset,
    prompts: Prompts | None = None,
    judged: Sequence[int] = (),
    temperature: float | None = None,
    why: str = "",
    progress: Callable[[float, str], None] = lambda share, message: None,
) -> Towers:
    """Projected images and reports (n, d) of one look: uniformity, alignment, gap, cones, what they share, and the gap closed by quarters.

    `prompts` are vectors in the same space for the labels at the columns `judged`; without them `why` says why zero-shot is missing. The same text is
    right for every study that has it. Raises UserError where there are not two towers of one width.
    """
    x, y = paired(run, *towers)
    places = placed(run, x, dataset)
    texts = [" ".join(text.text for text in dataset[int(place)]["texts"]) for place in places]
    spoken = [row for row, text in enumerate(texts) if text.strip()]
    x, y, places, texts = taken(x, spoken), taken(y, spoken), places[spoken], [texts[row] for row in spoken]
    correct = same_text(texts)
    progress(0.2, "measuring both towers")
    shared = cross_spectrum(x, y)
    numbers = [
        Number("uniformity of images", float(uniformity(x)), -4.0),
        Number("uniformity of reports", float(uniformity(y)), -4.0),
        Number("alignment", float(alignment(x, y)), 2.0),
        Number("modality gap", float(modality_gap(x, y))),
        Number("share of the gap", float(gap_share(x, y)), gap_share(x, y).ceiling),
        Number("relative gap", float(relative_gap(x, y)), 0.5),
        Number("separability", float(separability(x, y, x.patients)), 0.5),
        Number("cone of images", float(cone_angle(x)), 90.0),
        Number("cone of reports", float(cone_angle(y)), 90.0),
        Number("shared directions", shared.shared),
        Number("shared strength", shared.strength, shared.chance_strength),
    ]
    numbers += angle(x, y)
    progress(0.5, "closing the gap")
    labels = np.asarray(dataset.labels, float)[places][:, list(judged)] if prompts is not None else None
    rows = closing(x, y, x.patients, correct, prompts, labels)
    moved = tuple(as_moved(each) for each in rows)
    progress(0.7, "walking along the gap")
    walked = tuple(as_moved(each) for each in gap_walk(x, y, x.patients, correct, prompts, labels))
    chance = rows[0].forth.chance[RECALL], rows[0].back.chance[RECALL]
    n, d = x.features.shape
    repeated = n - len(set(texts))
    return Towers(run.id, x.checkpoint, n, d, len(set(x.patients)), repeated, tuple(numbers), moved, walked, chance, temperature, why)


def angle(x: Embeddings, y: Embeddings) -> list[Number]:
    """The angle between the first principal axes, where both towers have one."""
    moving = all(np.ptp(each.features, axis=0).any() for each in (x, y))
    return [Number("first principal angle", float(principal_angles(x, y, 1)[0]), 90.0)] if moving else []


def as_moved(each: Closing) -> Moved:
    """What is kept of one amount."""
    return Moved(each.amount, each.gap, each.forth.recall[RECALL], each.back.recall[RECALL], macro(each.auroc))


def macro(found: Any) -> Interval | None:
    """The macro score alone."""
    return None if found is None else Interval(found.value, found.low, found.high, found.procedure, found.why)


def read(folder: Path) -> Towers:
    """What the job `towers` wrote."""
    return Towers.of_dict(read_json(folder / "found.json"))
