"""Reports as radiologists write them: four styles, hedging, comparison with the prior film, recommendations, macros and typos."""

import re
from collections.abc import Sequence
from types import MappingProxyType
from typing import Literal

from workbench.phantom import DEVICES, FINDINGS
from workbench.phantom.comparison import Change, changes, of
from workbench.phantom.marks import OPENING
from workbench.phantom.report import Report, Sentence, report, sentence
from workbench.phantom.speech import Author, filled, phrases, slots
from workbench.phantom.thorax.latents import MIDDLE, Finding, Side, Study, size_of
from workbench.phantom.typos import misspelt
from workbench.randomness import rng

Reports = Literal["plain", "radiologists"]
STYLES = {"telegram": 0.25, "prose": 0.4, "organs": 0.2, "academic": 0.15}  # share of the studies
ORGANS = {
    "lines": DEVICES,
    "heart": ("cardiomegaly",),
    "lungs": ("consolidation", "atelectasis", "oedema", "nodule", "mass"),
    "pleura": ("effusion", "pneumothorax"),
    "bones": ("rib fracture",),
    "abdomen": (),
}
HEDGED = 0.15  # of what is in the film, devices excepted
HEDGED_ABSENT = 0.02  # of what is not
COMPARED = 0.85  # of the changes
NEGATED = MappingProxyType(  # chance that an absent finding is denied
    {"cardiomegaly": 0.7, "effusion": 0.8, "pneumothorax": 0.8, "consolidation": 0.75, "nodule": 0.25}
    | {"atelectasis": 0.15, "oedema": 0.4, "mass": 0.2, "rib fracture": 0.15}
    | dict.fromkeys(DEVICES, 0.03)
)
TOGETHER = 0.45  # chance that what is denied of lungs and pleura stands in one sentence
MACRO = 0.95  # of the films that show nothing and showed nothing before: a text kept for normal films, word for word
MISSPELT = 0.03  # of the sentences outside macros
NORMALS = {"heart": 0.3, "lungs": 0.4, "pleura": 0.1, "bones": 0.35, "abdomen": 0.1}
ARTICLE = re.compile(rf"\b([Aa]) (?={OPENING}*(?:[aeioAEIO]|8|1[18] ))")
FIRST_LETTER = re.compile(rf"^((?:{OPENING})*)([a-z])")
SIGNS = {"present": "<", "absent": "<!", "uncertain": "<?"}


def style_of(study: Study) -> str:
    """The style of the radiologist who reads a study."""
    return str(rng(study.seed, "phantom radiologist", 0, study.number).choice([*STYLES], p=[*STYLES.values()]))


def written(study: Study, prior: Study | None, reports: Reports = "plain") -> Report:
    """The report of a study whose patient's prior study is known, in either kind of writing."""
    return report(study, prior) if reports == "plain" else styled(study, prior)


def styled(study: Study, prior: Study | None) -> Report:
    """The report of a study by one of four radiologists: every finding is stated or hedged, the rest is ruled out, normal or passed over."""
    author = Author(study, style_of(study), rng(study.seed, "phantom styles", 0, study.number))
    changed = changes(study, prior)
    if not study.findings and not changed and author.chance(MACRO):
        macro = author.pick(phrases()["macros"][author.style])
        return Report(*(tuple(finished(author, each, 0) for each in macro[section]) for section in ("findings", "impression")))
    hedged = {name for name in FINDINGS if name not in DEVICES and author.chance(HEDGED if study.has(name) else HEDGED_ABSENT)}
    hedged -= {name for name, how in changed.items() if how == "resolved"}
    changed = {name: how for name, how in changed.items() if author.chance(COMPARED)}
    shown = {name: of(study, name) or [imagined(author, name)] for name in FINDINGS if study.has(name) or name in hedged}
    body = {organ: [*stated(author, {name: shown.get(name, []) for name in names}, hedged, changed)] for organ, names in ORGANS.items()}
    spoken = {*hedged, *changed}
    for organ, said in ruled_out(author, spoken).items():
        body[organ] += said
    for organ, how_often in NORMALS.items():
        if author.chance(how_often) and not any(study.has(name) or name in hedged for name in ORGANS[organ]):
            body[organ].append(author.own(phrases()["normal"][organ]))
    body["bones"] += besides(author)
    lines = [*opening(author, prior), *(line for organ in body for line in headed(author, organ, body[organ]))]
    lines = lines or [author.own(phrases()["normal"]["heart"])]
    return Report(
        *(tuple(finished(author, each, MISSPELT) for each in section) for section in (lines, impression(author, shown, hedged, changed)))
    )


def stated(author: Author, shown: dict[str, list[Finding]], hedged: set[str], changed: dict[str, Change]) -> Sequence[str]:
    """What is there, what may be there and what has gone, of one organ."""
    rules, said = phrases(), []
    for name, found in shown.items():
        how = changed.get(name)
        if how == "resolved":
            gone = author.pick([each for each in rules["ruled out"][name] if "<!" not in each]).replace("<*", "<!")
            frame = author.pick(rules["device removed"]) if name in DEVICES else author.own(rules["changed"]["resolved"])
            said.append(filled(author, frame, {"gone": gone}))
        elif name in hedged:
            said.append(hedge(author, name, found))
        elif found and how:
            said.append(framed(author, author.own(rules["changed"][how]), found))
        elif found and len(found) == 1 and author.style != "telegram" and name in rules["sentences"] and author.chance(0.3):
            said.append(filled(author, author.pick(rules["sentences"][name]), slots(author, found)))
        elif found:
            said.append(framed(author, author.own(rules["present"]), found))
    return said


def imagined(author: Author, name: str) -> Finding:
    """A slight finding that is not there, for a radiologist who cannot exclude it."""
    side: Side = "" if name in MIDDLE else author.pick(("right", "left"))
    return Finding(name, side, 0.1, size_of(name, 0.1, author.study.level), (0.0, author.pick((-0.3, 0.0, 0.4)), 0.0))


def hedge(author: Author, name: str, found: list[Finding]) -> str:
    """A finding that may be there: as a sign that may have another cause, or with words of doubt."""
    if len(found) == 1 and author.chance(0.4):
        return filled(author, author.pick(phrases()["signs"][name]), slots(author, found))
    return framed(author, author.own(phrases()["hedged"]), found, "uncertain")


def ruled_out(author: Author, spoken: set[str]) -> dict[str, list[str]]:
    """Organ -> denials of what is neither there nor spoken of; those of lungs and pleura often together."""
    rules = phrases()
    denied = [name for name in FINDINGS if not author.study.has(name) and name not in spoken and author.chance(NEGATED[name])]
    found: dict[str, list[str]] = {organ: [] for organ in ORGANS}
    joint = [name for name in denied if name in (*ORGANS["lungs"], *ORGANS["pleura"])]
    if len(joint) > 1 and author.chance(TOGETHER):
        denied = [name for name in denied if name not in joint]
        named = [noun_denied(author, joint[place]) for place in author.draw.permutation(len(joint))]
        organ = "lungs" if {*joint} & {*ORGANS["lungs"]} else "pleura"
        found[organ].append(filled(author, author.own(rules["absent"]), {"list": listed(author, named)}))
    for name in denied:
        organ = next(each for each, names in ORGANS.items() if name in names)
        alone = rules["absent alone"].get(name, {}).get(author.style) or rules["absent alone"].get(name, {}).get("all")
        frame = author.pick(alone) if alone and (name == "cardiomegaly" or author.chance(0.4)) else author.own(rules["absent"])
        found[organ].append(filled(author, frame, {"list": noun_denied(author, name)}))
    return found


def noun_denied(author: Author, name: str) -> str:
    """A noun with the mark of what is absent."""
    table = phrases()["ruled out"]
    options = table.get(author.style, {}).get(name) or table[name]
    return str(author.pick(options)).replace("<*", "<!")


def listed(author: Author, named: list[str]) -> str:
    """One, two or more nouns as a list."""
    if author.style == "telegram" and author.chance(0.5):
        return "/".join(named)
    return f"{', '.join(named[:-1])}{author.pick((' or ', ', or ')) if len(named) > 2 else ' or '}{named[-1]}"


def besides(author: Author) -> list[str]:
    """What no label speaks of: old age, earlier operations, scars. It is in no film."""
    rules, old = phrases(), 0.25 * (author.study.patient.age > 55)
    return [author.pick(rules[kind]) for kind, how_often in (("old age", old), ("incidental", 0.15)) if author.chance(how_often)]


def opening(author: Author, prior: Study | None) -> list[str]:
    """How the film was taken, and what it is compared with."""
    rules, study, said = phrases()["opening"], author.study, []
    if author.chance(0.08):
        said.append(author.pick(rules["technique"][author.style][study.view]))
    if author.chance(0.06 if prior is None else 0.3):
        said.append(author.own(rules["first" if prior is None else "compared"]))
    if prior is not None and not study.findings and not prior.findings and author.chance(0.7):
        said.append(author.pick(rules["same"]))
    if author.chance(0.1):
        said.append(author.own(rules["shallow" if study.inspiration < 0.45 else "deep"]))
    return said


def headed(author: Author, organ: str, said: list[str]) -> list[str]:
    """The sentences of an organ; the style `organs` puts its name in front."""
    if author.style != "organs" or not said:
        return said
    first = capitalised(filled(author, said[0], {}))
    return [f"{author.pick(phrases()['headings'][organ])}: {first}", *said[1:]]


def impression(author: Author, shown: dict[str, list[Finding]], hedged: set[str], changed: dict[str, Change]) -> list[str]:
    """What matters, and what to do next."""
    rules, lines = phrases()["impression"], []
    told = [name for name in shown if author.chance(0.45)] or [*shown][:1]
    for name in told:
        found = shown[name]
        if name in hedged:
            lines.append(hedge(author, name, found))
        elif changed.get(name) == "new" and author.style != "academic":
            lines.append(framed(author, "[change:new] {bare}.", found, brief=True))
        else:
            lines.append(framed(author, author.own(rules["present"]), found, brief=True))
    if not {*shown} - {*DEVICES}:
        lines.append(author.own(rules["normal"]))
    elif author.chance(0.2):
        lines.append(author.pick(rules["otherwise"]))
    lines += [author.pick(rules["recommended"][name]) for name in told if name in rules["recommended"] and author.chance(0.15)]
    if author.style == "organs" and len(lines) > 1:
        return [f"{place}) {capitalised(filled(author, line, {}))}" for place, line in enumerate(lines, 1)]
    return lines


def framed(author: Author, frame: str, found: list[Finding], assertion: str = "present", brief: bool = False) -> str:
    """A statement about a finding: its noun, with the mark of the assertion, in a frame; a brief noun is in nobody's style."""
    worst = max(found, key=lambda finding: finding.severity)
    several = len(found) > 1
    table = phrases()["nouns"][f"bilateral {worst.name}" if several else worst.name]
    noun = filled(author, author.pick(table["all"]) if brief else author.own(table), slots(author, found)).replace("<*", SIGNS[assertion])
    bare = re.sub(r"^an? ", "", noun)
    words = {"np": noun, "bare": bare, "the": f"the {bare}", "is": "are" if several else "is", "has": "have" if several else "has"}
    return filled(author, frame, words)


def capitalised(marked: str) -> str:
    """A marked sentence with a capital letter in front."""
    return FIRST_LETTER.sub(lambda found: found[1] + found[2].upper(), marked)


def finished(author: Author, marked: str, typos: float) -> Sentence:
    """A sentence from its marked text, which may have a typo."""
    marked = filled(author, marked, {})
    own = sentence(capitalised(ARTICLE.sub(r"\1n ", " ".join(marked.split())).replace(" .", ".").replace(" ,", ",")))
    return misspelt(own, author.draw) if author.chance(typos) else own
