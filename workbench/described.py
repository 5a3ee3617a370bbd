"""What a set of studies is, at a look of a run or in a whole data set: what separates it in words, its own cloud, its neighbours.  (no torch)"""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from workbench import columns
from workbench.analysis import subcloud
from workbench.analysis.factors import placed
from workbench.analysis.subcloud import Purity, Subcloud
from workbench.analysis.subset import Separation, separate
from workbench.criteria import Lasso, Near, Text, Where, leaves
from workbench.dataset import Dataset
from workbench.embeddings import Embeddings
from workbench.errors import UserError
from workbench.figures import subcloud as clouds
from workbench.figures import subset as forests
from workbench.figures.theme import Palette
from workbench.queries import Query
from workbench.run import Run

Part = Literal["properties", "words", "spectrum"]
CIRCULAR = "It was chosen by these features: its spectrum and neighbours only say that. Findings, factors and words do not follow from it, unless the points were chosen by their colour"


@dataclass(frozen=True)
class Described:
    """A set among `studies` of `total`; `gone`: its studies that the data no longer has. What could not be measured is None, and `why` says why."""

    studies: int
    total: int
    gone: int
    separation: Separation
    cloud: Subcloud | None
    purity: Purity | None
    why: tuple[str, ...]
    by: tuple[str, ...]


def of_look(query: Query, run: Run, feature: str, step: int, dataset: Dataset) -> Described:
    """A set among the studies of a look (n, d): compared with the others, its spectrum, its neighbours. Raises UserError where features do not fit the data."""
    look = run.embeddings(feature, step)
    member, why = query.mask(look.keys), list(notes(query, dataset, feature))
    found, purity = None, None
    try:
        found = subcloud.subcloud(look, member)
        purity = subcloud.purity(look, member)
    except UserError as error:
        why.append(str(error))
    return described(query, dataset, placed(run, look, dataset), member, found, purity, why)


def of_data(query: Query, dataset: Dataset) -> Described:
    """A set among all studies of a data set: compared with the others."""
    member = query.mask(dataset.keys)
    return described(query, dataset, np.arange(len(dataset)), member, None, None, list(notes(query, dataset, "")))


def described(
    query: Query, dataset: Dataset, rows: np.ndarray, member: np.ndarray, cloud: Subcloud | None, near: Purity | None, why: list[str]
) -> Described:
    """Compare the studies at `rows` (n,) of a data set that are in the set, `member` (n,) bool, with those that are not."""
    spoken = columns.spoken(dataset)
    states = {name: values[rows] for name, values in columns.states(dataset).items()}
    patients = columns.numbers(dataset)[rows]
    present = None if spoken.present is None else spoken.present[rows]
    ranks = {name: values[rows] for name, values in columns.ranks(dataset).items()}
    found = separate(member, states, patients, present, spoken.words, ranks)
    why += [f"No words: {spoken.why}"] if spoken.why else []
    here = set(dataset.keys)
    gone = sum(key not in here for key in query.keys)
    return Described(int(member.sum()), len(member), gone, found, cloud, near, tuple(why), columns_of(query))


def columns_of(query: Query) -> tuple[str, ...]:
    """What it was filtered by: of these columns a difference says how it was made."""
    return tuple(dict.fromkeys(each.column for each in leaves(query.expression) if isinstance(each, Where)))


def notes(query: Query, dataset: Dataset, feature: str) -> tuple[str, ...]:
    """What to know before reading: data it was not made of, features it was drawn on, columns it was chosen by."""
    found = []
    if query.data_hash != dataset.data_hash:
        found.append(
            f"This set was made of other data (#{query.data_hash[:8]}, here #{dataset.data_hash[:8]}): studies are matched by their keys"
        )
    if any(isinstance(each, Lasso | Near | Text) and each.feature == feature for each in leaves(query.expression)):
        found.append(CIRCULAR)
    if columns_of(query):
        found.append(f"It was chosen by {', '.join(columns_of(query))}: that these differ, and words for them, says how it was made")
    return tuple(found)


def seen(found: Described, part: Part, palette: Palette) -> tuple[Any, Any, list[dict[str, object]]]:
    """Data, figure and rows of one part; raises UserError where it could not be measured."""
    if part == "spectrum":
        if found.cloud is None:
            raise UserError("; ".join(found.why) or "no features of this set")
        return found.cloud, clouds.spectrum(found.cloud, palette.of(0), palette, clouds.headline(found.cloud)), clouds.rows(found.cloud)
    words = part == "words"
    of = found.separation.words if words else found.separation.properties
    return found, forests.shares(of, palette, forests.headline(found.separation, words)), forests.table(found.separation)


def subset_of(embeddings: Embeddings, query: Query) -> Embeddings:
    """The rows of a set; raises UserError where it has none of them."""
    rows = np.flatnonzero(query.mask(embeddings.keys))
    if not len(rows):
        raise UserError(f"{query!r}: none of its studies is among the {len(embeddings.keys)} looked at")
    keys, patients = (tuple(column[row] for row in rows) for column in (embeddings.keys, embeddings.patients))
    return Embeddings(embeddings.features[rows], keys, patients, embeddings.feature, embeddings.checkpoint, embeddings.data_hash)
