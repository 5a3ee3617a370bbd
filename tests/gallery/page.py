"""docs/gallery.md in words and numbers: every number in it is computed here."""

from collections.abc import Sequence
from itertools import groupby

from tests.gallery.clouds import D, N
from tests.gallery.entry import Entry
from tests.gallery.kinds import Kind
from tests.gallery.words import WORDS
from workbench.figures.theme import number

HEAD = """# One healthy, one broken, and what fools it

Every diagnostic of `workbench.analysis` on rows whose truth is known, and every kind of collapse that the sentinel tells on simulated runs. *closed form* is what the value must be, where there
is such a formula; *reference* is what an isotropic Gaussian cloud of the same N and d gives, or, of two clouds, pairs at random. No bound here is a rule for real data: it lies between the two examples.
The third case is one that the diagnostic judges wrongly: no number is enough alone. Unless said otherwise a cloud has {n} rows and {d} columns. Made by `python -m tests.full gallery`, pictures and numbers alike.
"""
FILES = {
    "collapse": "Ranks, scale and offset",
    "spectra": "Spectra",
    "isotropy": "Cones, crowding, spikes and hubs",
    "dimension": "Dimension and clusters",
    "classes": "Classes",
    "similarity": "Two layers or runs",
    "modality": "Images and reports",
}
KINDS = """## What the sentinel tells

`sentinel(history)` judges the looks of a run. All runs here are of one simulated world ({n} rows of {d} dimensions, {looks} looks, a look a step); *healthy* is what must not alarm beside it.
How often it errs on many such runs: [sentinel.md](sentinel.md).
"""


def of_entry(entry: Entry) -> str:
    """A diagnostic: the question, the formula, the picture, three rows of numbers and what fools it."""
    answers, formula = WORDS[entry.name]
    formula = formula.replace("\\|", "\\Vert ")  # Markdown takes the backslash of a bar away
    rows = [row(entry, name) for name in entry.cases]
    table = "\n".join(["| | given | reads | closed form | reference |", "|---|---|---|---|---|", *rows])
    picture = f"![{entry.name}: a healthy and a broken example](gallery/{entry.name}.png)"
    bound = f"Told apart here: broken {entry.alarm} {number(entry.bound)}. **What fools it** ({entry.mistake}): {entry.told()}"
    return f"### {entry.name}\n\n{answers} `{entry.called}`: {formula}.\n\n{picture}\n\n{table}\n\n{bound}\n"


def row(entry: Entry, name: str) -> str:
    """A case as a row of the table."""
    case, reference = entry.cases[name], entry.reference(name)
    truth = "" if case.truth is None else number(case.truth)
    return f"| {name} | {case.said} | {number(entry.value(name))} | {truth} | {'' if reference is None else number(reference)} |"


def of_kind(kind: Kind) -> str:
    """A kind: the question, the rule, the picture and three verdicts."""
    rows = [f"| {name} | {told.said} | {told.verdict.kind} | {told.verdict.evidence} |" for name, told in kind.cases.items()]
    table = "\n".join(["| | history | verdict | it says |", "|---|---|---|---|", *rows])
    picture = f"![{kind.name}: a healthy and a broken run](gallery/sentinel-{kind.name}.png)"
    return f"### {kind.name}\n\n{kind.answers} {kind.rule}\n\n{picture}\n\n{table}\n\n**What fools it**: {kind.why}\n"


def text(entries: Sequence[Entry], kinds: Sequence[Kind]) -> str:
    """The whole page."""
    parts = [HEAD.format(n=N, d=D)]
    order = sorted(entries, key=lambda entry: list(FILES).index(entry.module))
    for module, own in groupby(order, key=lambda entry: entry.module):
        parts += [f"## {FILES[module]}\n\n`workbench.analysis.{module}`\n", *map(of_entry, own)]
    looks = kinds[0].broken.looks
    parts += [KINDS.format(n=looks[0].n, d=looks[0].d, looks=len({look.step for look in looks})), *map(of_kind, kinds)]
    return "\n".join(parts)
