"""Is a latent space collapsing? A verdict in plain words on all looks so far: a fall that two consecutive looks confirm, never a snapshot."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from workbench.analysis import _fall
from workbench.analysis._fall import Drop, Series, between, fallen, judge
from workbench.analysis._look import Look, series_of

Kind = Literal["none", "low-rank", "total", "dimensional", "offset", "scale", "tower", "class", "between-class", "projector"]
SILENT = ("none", "low-rank")
LOW = 0.25  # of the participation ratio of an isotropic cloud: below, a single look is called low rank
ROWS = 20  # of a class; below, it is not judged
BACKBONE, PROJECTED = "backbone", "projected"


@dataclass(frozen=True)
class Verdict:
    """What became of the latent space, of which feature, between which steps; `evidence` is a sentence with the numbers."""

    kind: Kind
    feature: str
    from_step: int
    to_step: int
    evidence: str

    @property
    def alarm(self) -> bool:
        """Whether anything fell; a low rank that did not fall is none."""
        return self.kind not in SILENT


@dataclass(frozen=True)
class _Found:
    """One feature: its series, what fell, and which classes did."""

    feature: str
    series: Series
    drop: Drop | None
    classes: tuple[str, ...]
    judged: int  # classes that were
    span: tuple[int, int]  # steps between which classes fell


def sentinel(history: Sequence[Look]) -> Verdict:
    """Judge all looks of a run so far, of one or several features, in any order; what it says holds at the last look.

    A fall is measured against the run's own running maximum, over two consecutive looks (`analysis._fall`). Which of the features fell
    tells a projector (its backbone did not) and a tower (the other did not) from the run as a whole. Raises ValueError without a look.
    """
    if not history:
        raise ValueError("no look to judge")
    looks: dict[str, list[Look]] = {}
    for look in history:
        looks.setdefault(look.feature, []).append(look)
    found = [_found(name, sorted(own, key=lambda look: look.step)) for name, own in looks.items()]
    fell, of_classes = [each for each in found if each.drop], [each for each in found if each.classes]
    points = [each for each in of_classes if _classes(each) == "between-class"]
    if points:  # first: classes that become points take directions and scale along, never the other way round
        return _of_classes(points[0])
    if fell:
        worst = max(fell, key=_severity)
        return _of_fall(worst, _place(worst, fell, found), found)
    return _of_classes(of_classes[0]) if of_classes else _silent(found)


def _found(feature: str, looks: Sequence[Look]) -> _Found:
    series = series_of(looks)
    fell, judged, span = _class_falls(looks)
    return _Found(feature, series, judge(series), fell, judged, span)


def _class_falls(looks: Sequence[Look]) -> tuple[tuple[str, ...], int, tuple[int, int]]:
    """Classes whose scale beside that of all rows fell, how many could be judged, and between which steps the first fell."""
    with_classes = [look for look in looks if look.classes]
    steps = np.array([look.step for look in with_classes])
    names = [name for name, own in (looks[-1].classes or {}).items() if own.n >= ROWS]
    names = [name for name in names if all(name in (look.classes or {}) for look in with_classes)]
    fell: list[str] = []
    span = (looks[0].step, looks[-1].step)
    for name in names:
        within = np.array([(look.classes or {})[name].std / max(look.std, 1e-150) for look in with_classes])
        top = fallen(within, _fall.WITHIN)
        if top is not None:
            span = span if fell else between(steps[top:], within[top:])
            fell.append(name)
    return tuple(fell), len(names), span


def _classes(found: _Found) -> Kind | None:
    """Half of the classes or more, and at least two: between-class; fewer: one class."""
    if not found.classes:
        return None
    return "between-class" if len(found.classes) >= max(2, found.judged / 2) else "class"


def _severity(found: _Found) -> float:
    drop = found.drop
    return 0.0 if drop is None else float(np.log(max(drop.before, 1e-12) / max(drop.now, 1e-12)))


def _tower(feature: str) -> str:
    return feature.partition(".")[0]


def _level(feature: str) -> str:
    return feature.partition(".")[2]


def _kept(found: Sequence[_Found]) -> list[_Found]:
    """Features that were looked at long enough to be judged, and did not fall."""
    return [each for each in found if not each.drop and len(each.series.steps) > 2]


def _place(worst: _Found, fell: Sequence[_Found], found: Sequence[_Found]) -> Kind:
    """Where the fall is: behind a backbone that holds, in one tower while another holds, or everywhere that was looked at."""
    assert worst.drop is not None
    kept = _kept(found)
    backbones = {_tower(each.feature) for each in kept if _level(each.feature) == BACKBONE}
    if all(_level(each.feature) == PROJECTED and _tower(each.feature) in backbones for each in fell):
        return "projector"
    towers = {_tower(each.feature) for each in fell}
    standing = {_tower(each.feature) for each in kept} - towers
    return "tower" if standing & {"image", "text"} and towers & {"image", "text"} else worst.drop.kind


def named(feature: str) -> str:
    """A feature in words: image.projected is the projected image features."""
    tower, level = _tower(feature), _level(feature)
    if level == PROJECTED:
        return f"the projected {tower} features"
    return f"the {tower} backbone's features" if level == BACKBONE else f"the features {feature}"


def number(value: float) -> str:
    """Three significant digits, shares without the leading zero."""
    text = f"{value:.3g}"
    return text.replace("0.", ".", 1) if text.startswith("0.") else text


def auroc(value: float) -> str:
    return f"{value:.2f}".replace("0.", ".", 1)


def happened(drop: Drop) -> str:
    """What fell, from where to where, without the subject."""
    when = f"between steps {drop.from_step} and {drop.to_step}"
    before = max(1, round(drop.before))
    lost = min(before, max(1, round(drop.before - drop.now)))
    spread = f"their standard deviation fell from {number(drop.before)} to {number(drop.now)}"
    return {
        "dimensional": f"lost {lost} of {before} directions {when}",
        "total": f"shrank to a point {when}: {spread}",
        "scale": f"shrank as a whole {when}: {spread}",
        "offset": f"came to share one mean {when}: the rank with it fell from {number(drop.before)} to {number(drop.now)}",
    }[drop.kind]


def _beside(worst: _Found, kind: Kind, found: Sequence[_Found]) -> list[str]:
    """What did not fall: the same tower's other features first, then the other tower's; of a tower that fell alone the other way round."""
    kept = sorted(_kept(found), key=lambda each: (_tower(each.feature) == _tower(worst.feature)) == (kind == "tower"))
    if not kept:
        return []
    first = kept[0].feature
    other = "the backbone" if _tower(first) == _tower(worst.feature) and _level(first) == BACKBONE else named(first)
    return [f"{other} did not"]


def _probe(series: Series, top: int) -> list[str]:
    """The probe from the maximum until now, where both were read."""
    before, now = float(series.probe[top]), float(series.probe[-1])
    if not np.isfinite([before, now]).all():
        return []
    if auroc(before) == auroc(now):
        return [f"the probe stayed at {auroc(now)}"]
    return [f"the probe {'fell' if now < before else 'rose'} from {auroc(before)} to {auroc(now)}"]


def _of_fall(worst: _Found, kind: Kind, found: Sequence[_Found]) -> Verdict:
    drop = worst.drop
    assert drop is not None
    said = "; ".join([f"{named(worst.feature)} {happened(drop)}", *_beside(worst, kind, found), *_probe(worst.series, drop.top)])
    return Verdict(kind, worst.feature, drop.from_step, drop.to_step, said)


def _of_classes(found: _Found) -> Verdict:
    kind = _classes(found)
    assert kind is not None
    when = f"between steps {found.span[0]} and {found.span[1]}"
    who = ", ".join(found.classes[:3]) + (f" and {len(found.classes) - 3} more" if len(found.classes) > 3 else "")
    what = "each drew together to a point of its own" if kind == "between-class" else "drew together to a point while the others did not"
    said = f"in {named(found.feature)} {len(found.classes)} of {found.judged} classes ({who}) {what} {when}"
    return Verdict(
        kind, found.feature, *found.span, "; ".join([said, *_probe(found.series, int(np.argmax(found.series.steps >= found.span[0])))])
    )


def _silent(found: Sequence[_Found]) -> Verdict:
    """No fall: at most a low rank, and that of a single look alone."""
    single = [each for each in found if len(each.series.steps) == 1 and not each.series.short]
    low = [each for each in single if each.series.rank[-1] < LOW * each.series.full]
    chosen = min(low or found, key=lambda each: each.series.rank[-1] / each.series.d)
    series, uses = chosen.series, f"{named(chosen.feature)} use {number(chosen.series.rank[-1])} of {chosen.series.d} directions"
    first, last = int(series.steps[0]), int(series.steps[-1])
    if low:
        return Verdict("low-rank", chosen.feature, first, last, f"{uses}; one look says low, not whether it fell")
    if series.short:
        return Verdict("none", chosen.feature, first, last, f"{uses}; {series.n} rows are too few to judge ranks of {series.d} dimensions")
    return Verdict("none", chosen.feature, first, last, f"{uses}; nothing fell")
