"""Reports are read back by the grammar's templates: what they state is what the labels say."""

import re
from itertools import chain

import numpy as np
import pytest

from workbench.phantom import FINDINGS
from workbench.phantom.latents import DEVICES, draw_study
from workbench.phantom.marks import plain
from workbench.phantom.report import grammar, prompts, report, text_of

SLOTS = re.compile(r"\\\{(\w+)\\\}")
WORDS = grammar()["words"]
VALUES = {
    "side": "right|left",
    "amount": "|".join(chain.from_iterable(WORDS[name] for name in ("trace", "small", "moderate", "large"))),
    "degree": "mild|mildly|moderate|moderately|severe|severely",
    "density": "faint|patchy|dense",
    "zone": "|".join(chain.from_iterable(WORDS["zone"].values())),
    "millimetres": r"\d+",
    "ratio": r"0\.\d\d",
}


def pattern(template):
    """A regular expression of one template; "a" may have become "an"."""
    escaped = re.sub(r"\b([Aa])\\ ", r"\1n?\\ ", re.escape(plain(template)))
    return re.compile(SLOTS.sub(lambda slot: f"({VALUES[slot[1].lower()]})", escaped), re.IGNORECASE)


def bank():
    """(pattern, finding or None, present)."""
    rules, found = grammar(), []
    for section in ("present", "impression"):
        for name, templates in rules[section].items():
            plain = name.removeprefix("bilateral ")
            finding = "support device" if plain in DEVICES else plain if plain != "normal" else None
            found += [(pattern(template), (finding,) if finding else (), True) for template in templates]
    found += [(pattern(template), (name,), False) for name, templates in rules["absent"].items() for template in templates]
    found += [(pattern(template), tuple(rule["findings"]), False) for rule in rules["absent together"] for template in rule["sentences"]]
    rest = [*rules["normal"], *chain(*rules["technique"].values()), *chain(*rules["breath"].values())]
    return found + [(pattern(template), (), True) for template in rest]


def sentences(text):
    return re.split(r"(?<=\.) (?=[A-Z])", text)


@pytest.mark.parametrize("level", ["clinical", "teaching"])
def test_reports_state_what_the_labels_say(level):
    templates, named = bank(), 0
    for index in range(400):
        study = draw_study(7, index, level)
        written, said = report(study), {}
        for sentence in sentences(text_of(written.findings)) + sentences(text_of(written.impression)):
            matching = {(findings, present) for rule, findings, present in templates if rule.fullmatch(sentence)}
            assert len(matching) == 1, f"{sentence!r} is of {len(matching)} kinds"
            findings, present = matching.pop()
            for name in findings:
                assert said.setdefault(name, present) == present
        assert {name for name, present in said.items() if present} == {name for name in FINDINGS if study.has(name)}
        assert {name: present for sentence in (*written.findings, *written.impression) for name, present in sentence.says.items()} == said
        named += sum(not present for present in said.values())
    absent = 400 * 6 - sum(sum(draw_study(7, index, level).labels) for index in range(400))
    assert 0.3 < named / absent < 0.7  # some of what is absent is ruled out, not all


def test_sides_and_sizes_are_those_of_the_latents():
    for index in range(300):
        study = draw_study(9, index, "clinical")
        nodules = [finding for finding in study.findings if finding.name == "nodule"]
        text = text_of(report(study).findings)
        if nodules:
            own = next(sentence for sentence in sentences(text) if re.search(r"\d+ mm", sentence))
            assert f"{round(20 * nodules[0].size)} mm" in own and nodules[0].side in own.lower()
        air = [finding.side for finding in study.findings if finding.name == "pneumothorax"]
        if air:
            own = [sentence for sentence in report(study).findings if sentence.says.get("pneumothorax")]
            assert len(own) == 1 and air[0] in own[0].text.lower()
        assert not re.search(r"[{}]|\ba [aeio]|\ban [^aeio]|  ", text, re.IGNORECASE)


def test_wording_varies_and_boilerplate_repeats():
    written = [report(draw_study(0, index, "clinical")) for index in range(300)]
    effusions = {sentence.text for each in written for sentence in each.findings if sentence.says == {"effusion": True}}
    assert len(effusions) > 15
    impressions = [text_of(each.impression) for each in written]
    _, counts = np.unique(impressions, return_counts=True)
    assert counts.max() > 10 and len(counts) > 100
    assert report(draw_study(0, 5, "clinical")) == written[5]


def test_prompts_are_complete_and_opposed():
    assert tuple(prompts()) == FINDINGS
    for name, sides in prompts().items():
        assert len(sides["positive"]) >= 3 and len(sides["negative"]) >= 3 and not set(sides["positive"]) & set(sides["negative"]), name
