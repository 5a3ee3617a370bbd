"""Examples of what the sentinel tells: for every kind of collapse a simulated run that shows it, one of the same world that must not alarm, one that fools it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from tests.toys import histories
from tests.toys.histories import BACKBONE, IMAGE, TEXT, Cloud
from workbench.analysis import _fall
from workbench.analysis._reading import ENOUGH
from workbench.analysis.sentinel import ROWS, Look, Verdict, sentinel
from workbench.figures.theme import number
from workbench.randomness import rng

HEALTHY = {  # what must not alarm beside each kind, a scenario of tests/toys/histories.py
    "total": "temperature",
    "dimensional": "concentrating",
    "offset": "mask",
    "scale": "rate",
    "tower": "steady",
    "projector": "unfolding",
}


@dataclass(frozen=True)
class Told:
    """A history in words, and what the sentinel says at its end."""

    said: str
    looks: Sequence[Look]

    @cached_property
    def verdict(self) -> Verdict:
        return sentinel(self.looks)


@dataclass(frozen=True)
class Kind:
    """A kind of collapse: when it is told, and three histories; of the `fooled` one it says `instead`. `beside`: the feature, or classes, drawn beside."""

    name: str
    answers: str
    rule: str
    healthy: Told
    broken: Told
    fooled: Told
    instead: str
    why: str
    beside: str = ""

    @property
    def cases(self) -> dict[str, Told]:
        return {"healthy": self.healthy, "broken": self.broken, "fooled": self.fooled}


def run(scenario: str) -> list[Look]:
    """A simulated run of family A; all are of one world: dimensions, rows, looks and spectrum."""
    return counted(histories.simulate(rng(0, "gallery history"), scenario).looks)


def holding() -> list[Look]:
    """Three classes that keep their scale, in the same world."""
    at = histories.world(rng(0, "gallery history"))
    cloud = Cloud(at.variances, at.mean, 0.5 * at.draw.normal(size=(3, at.d)), np.ones(3))
    return counted(histories.told(at, "classes", {IMAGE: [cloud] * at.count}, None, None).looks)


def counted(looks: Sequence[Look]) -> list[Look]:
    """A look at every step."""
    place = {step: number for number, step in enumerate(steps_of(looks))}
    return [replace(look, step=place[look.step]) for look in looks]


def steps_of(looks: Sequence[Look]) -> list[int]:
    return sorted({look.step for look in looks})


def until(looks: Sequence[Look], last: int) -> list[Look]:
    """The looks up to a step."""
    return [look for look in looks if look.step <= last]


def before_alarm(looks: Sequence[Look]) -> list[Look]:
    """The looks before the first at which the sentinel speaks."""
    steps = steps_of(looks)
    first = next(place for place, step in enumerate(steps) if sentinel(until(looks, step)).alarm)
    return until(looks, steps[first - 1])


def without(looks: Sequence[Look], feature: str) -> list[Look]:
    """The same run, one feature not stored."""
    return [look for look in looks if look.feature != feature]


def sized(looks: Sequence[Look], times: Mapping[int, float]) -> list[Look]:
    """The same history, cloud and mean so many times as large at every step."""
    return [replace(look, std=look.std * times[look.step], mean_norm=look.mean_norm * times[look.step]) for look in looks]


def halved(looks: Sequence[Look]) -> list[Look]:
    """Half as large from the middle on."""
    steps = steps_of(looks)
    return sized(looks, {step: 0.5 if place >= len(steps) // 2 else 1.0 for place, step in enumerate(steps)})


def growing(looks: Sequence[Look]) -> list[Look]:
    """Larger by a fifth from look to look."""
    return sized(looks, {step: 1.2**place for place, step in enumerate(steps_of(looks))})


def few(looks: Sequence[Look]) -> list[Look]:
    """The same spectra as if from one row less than four a dimension."""
    return [replace(look, n=ENOUGH * look.d - 1) for look in looks]


def small_classes(looks: Sequence[Look]) -> list[Look]:
    """The same classes as if of one row less than are judged."""
    return [replace(look, classes={name: replace(own, n=ROWS - 1) for name, own in (look.classes or {}).items()}) for look in looks]


def unlabelled(looks: Sequence[Look]) -> list[Look]:
    """The same run on data without labels."""
    return [replace(look, classes=None) for look in looks]


def fall(limit: _fall.Limit) -> str:
    """A limit in words."""
    return f"its logarithm lies {number(limit.first)} below the running maximum at one look and {number(limit.second)} at the next"


def kinds() -> list[Kind]:
    runs, still = {name: run(name) for name in histories.COLLAPSES}, holding()
    healthy = {name: run(scenario) for name, scenario in HEALTHY.items()}
    return [
        Kind(
            "total", "Did the cloud shrink to a point?",
            f"Standard deviation: {fall(_fall.SCALE)}; directions went along, or the mean stayed and is most of what is left.",
            Told("another temperature: the cloud changes its size at one look and stays", healthy["total"]),
            Told("the cloud shrinks, its mean stays", runs["total"]),
            Told("the broken run, one look before the alarm", before_alarm(runs["total"])), "none",
            "Two looks in a row must show it: a fall between the last two looks is not told yet.",
        ),
        Kind(
            "dimensional", "Did directions die out?",
            f"Participation ratio: {fall(_fall.DIRECTIONS)}, or deeper where the cloud grew or the probe learnt.",
            Told("directions concentrate while the probe learns", healthy["dimensional"]),
            Told("all but a few directions die out", runs["dimensional"]),
            Told(f"the broken run as if from one row less than {ENOUGH} a dimension", few(runs["dimensional"])), "none",
            "Few rows decide a rank by themselves, so it is not judged on them, even where directions really die.",
        ),
        Kind(
            "offset", "Did all rows move away together?",
            f"Rank with the mean: {fall(_fall.OFFSET)}, while the mean grows beside the spread.",
            Told("another mask ratio: the mean changes at one look", healthy["offset"]),
            Told("the mean grows, the spread stays", runs["offset"]),
            Told("the broken run while the cloud grows by a fifth from look to look", growing(runs["offset"])), "none",
            "Looks of a smaller cloud are no reference, so that a cloud which keeps growing hides its offset.",
        ),
        Kind(
            "scale", "Did the cloud shrink as a whole, its mean with it?",
            f"Standard deviation: {fall(_fall.SCALE)}; directions and the mean's share stay.",
            Told("another learning rate: a little narrower and smaller from one look on", healthy["scale"]),
            Told("cloud and mean shrink together", runs["scale"]),
            Told("a run that loses half of its scale", halved(healthy["tower"])), "none",
            "A change of the temperature halves a cloud as well: a loss of half of the scale is not told.",
        ),
        Kind(
            "tower", "Did one tower collapse while the other held?",
            "Something fell in a tower of which the other has features that were looked at as long and did not fall.",
            Told("both towers hold", healthy["tower"]),
            Told("images lose directions, reports do not", runs["tower"]),
            Told("the broken run, its reports not stored", without(runs["tower"], TEXT)), "dimensional",
            "Without the other tower's features it cannot say that the run as a whole did not fall.", TEXT,
        ),
        Kind(
            "class", "Did the rows of one class become a point?",
            f"Standard deviation of a class over that of all rows: {fall(_fall.WITHIN)}; fewer than half of the classes.",
            Told("every class keeps its size", still),
            Told("one class draws together", runs["class"]),
            Told(f"the broken run with classes of {ROWS - 1} rows", small_classes(runs["class"])), "none",
            f"A class of fewer than {ROWS} rows is not judged.", "classes",
        ),
        Kind(
            "between-class", "Did every class become a point of its own (neural collapse)?",
            f"The same of at least half of the classes, two at least: {fall(_fall.WITHIN)}.",
            Told("every class keeps its size", still),
            Told("all classes draw together", runs["between-class"]),
            Told("the broken run on data without labels", unlabelled(runs["between-class"])), "dimensional",
            "Classes are those of the labels: without them the points are told as directions that the whole cloud lost.", "classes",
        ),
        Kind(
            "projector", "Did the projector lose what the backbone has?",
            "Only projected features fell, and the backbone of their tower was looked at as long and did not.",
            Told("both hold while the cloud unfolds from nothing", healthy["projector"]),
            Told("projected features lose directions, the backbone's do not", runs["projector"]),
            Told("the broken run, its backbone not stored", without(runs["projector"], BACKBONE)), "dimensional",
            "Without the backbone's features it cannot say where the directions were lost.", BACKBONE,
        ),
    ]  # fmt: skip
