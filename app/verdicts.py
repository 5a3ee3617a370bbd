"""The verdict of the page Latent space in words: what became of every setting's directions, its scale and its probe, on one basis."""

from app.read import Latent
from app.select import Selection
from workbench.analysis.falls import FALLEN, Fall, follows, together
from workbench.figures import collapse
from workbench.figures.theme import Palette, number


def verdict(found: Latent, chosen: Selection, palette: Palette) -> tuple[list[tuple[str, str]], str, str]:
    """Sentences, the numbers they rest on, and the colour of what they speak about."""
    if not found.falls:
        return [("", "These runs have no look of this feature up to this step.")], "", palette.muted
    worst = min(found.falls, key=lambda each: (each.kind not in FALLEN, each.now / max(each.before, 1e-9)))
    colour = palette.of(chosen.arm_slots[worst.label]) if worst.kind in FALLEN or len(found.falls) == 1 else palette.accent
    if all(each.kind == "short" for each in found.falls):
        short = found.falls[0]
        said = f"{short.n} images are too few to judge {short.d} dimensions: a rank needs four times as many. Compare with the isotropic cloud only."
        return [("", said)], "", palette.muted
    told = []
    for each in found.falls:
        others = [other for other in found.elsewhere if other.label == each.label]
        told.append((each.label, sentence(each, others, around(found, each.label))))
    return told, aside(found), colour


def sentence(here: Fall, elsewhere: list[Fall], beside: str = "") -> str:
    """What one arm did, from its first look to now, and in half a sentence what its other features did. `beside`: the interval of what is now."""
    where = f"between steps {here.from_step} and {here.to_step}"
    start, now = map(number, here.directions)
    course = [f"{start} at the start"]
    if here.kind == "dimensional" and number(here.before) != start:
        course.append(f"{number(here.before)} at most")
    if here.dip:
        course.append(f"fell to {number(here.dip.low)} by step {here.dip.step}")
    course.append(f"{'back to ' if here.dip else ''}{now}{beside} now")
    directions = ", ".join(course)
    said = {
        "total": f"shrank to a point {where}, its scale from {number(here.before)} to {number(here.now)}: directions {directions}",
        "scale": f"shrank as a whole {where}, its scale from {number(here.before)} to {number(here.now)}: directions {directions}",
        "dimensional": f"lost directions {where}: {directions}",
        "offset": f"came to share one mean {where}, its rank with the offset from {number(here.before)} to {number(here.now)}: directions {directions}",
        "kept": f"kept its directions: {directions}",
        "single": f"has {now}{beside} directions in use; one look says low or high, not whether it fell",
        "short": f"cannot be judged: {here.n} images for {here.d} dimensions",
    }[here.kind]
    there = [each for each in elsewhere if (each.kind in FALLEN) != (here.kind in FALLEN) and each.kind in (*FALLEN, "kept")]
    return "; ".join([said, *map(half, there[:1])]) + "."


def half(there: Fall) -> str:
    """What another feature of the arm did, on the same basis."""
    start, now = map(number, there.directions)
    did = {"kept": "kept its own", "dimensional": "lost its own", "offset": "came to share one mean"}.get(there.kind, "shrank")
    return f"{there.feature} {did}, {start} to {now}"


def around(found: Latent, label: str) -> str:
    """Behind the directions now: the interval over patients of a run alone, the least and the most among several seeds; "" where neither is known."""
    if not found.overlay:
        return ""
    own = [each for each in found.trajectories["participation_ratio"] if each.label == label]
    at = [each.at(found.overlay.step) for each in own]
    if len(own) > 1:
        values = [float(each.values[place]) for each, place in zip(own, at)]
        return f" (seeds {number(min(values))} to {number(max(values))})"
    limits = [float(side[place]) for each, place in zip(own, at) for side in (each.low, each.high)]
    return f" [{', '.join(map(number, limits))}]" if limits and all(limit == limit for limit in limits) else ""


def aside(found: Latent) -> str:
    """What is counted, what a probe of the same feature reads beside its references, and whether it went with the directions."""
    feature, ranks = found.falls[0].feature, found.trajectories["participation_ratio"]
    ceiling = next((each.references["isotropic"] for each in ranks if "isotropic" in each.references), None)
    beside = f", isotropic {number(ceiling)}" if ceiling is not None else ""
    said = [f"Directions: participation ratio of {feature} ({found.falls[0].d} wide{beside})."]
    probes = found.trajectories["probe"]
    if not probes or not found.overlay:
        return " ".join([*said, "No probe was fitted: rank is not usefulness."])
    names = dict.fromkeys(each.label for each in probes)
    value = {name: mean([float(each.values[each.at(found.overlay.step)]) for each in probes if each.label == name]) for name in names}
    known = dict(collapse.levels(probes))
    against = ", ".join(f"{name} {number(known[name])}" for name in ("untrained", "pixels") if name in known)
    said.append(f"A probe of {feature} reads {', '.join(f'{name} {number(each)}' for name, each in value.items())} ({against}).")
    lost = {each.label: did for each in found.falls if each.kind in FALLEN and (did := together(each))}
    if lost:
        said.append(
            "Since the fall began "
            + "; ".join(f"it {did} in {' and '.join(named(lost, did))}" for did in dict.fromkeys(lost.values()))
            + "."
        )
    if follows({each.label: each.directions[1] for each in found.falls}, value) is False:
        said.append("The probe does not follow the directions in use.")
    return " ".join(said)


def named(lost: dict[str, str], did: str) -> list[str]:
    """The settings whose probe did that."""
    return [label for label, each in lost.items() if each == did]


def mean(values: list[float]) -> float:
    return sum(values) / len(values)
