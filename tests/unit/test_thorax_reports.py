"""Reports of the thorax of either kind: spans, sides, comparisons and measurements are those of the latents."""

import re
from collections import Counter
from difflib import get_close_matches
from itertools import pairwise

import numpy as np
import pytest

from tests.unit.test_styles import CHANGES
from workbench.phantom import DEVICES, FINDINGS, styles
from workbench.phantom.annotations import SECTIONS, annotate
from workbench.phantom.comparison import changes
from workbench.phantom.concepts import concepts, knowledge_graph
from workbench.phantom.questions import CONCEPT
from workbench.phantom.report import text_of
from workbench.phantom.styles import HEDGED, HEDGED_ABSENT, MISSPELT, written
from workbench.phantom.thorax.course import drawn_study, prior_of
from workbench.phantom.thorax.latents import MIDDLE
from workbench.phantom.typos import misspelt

STUDIES = [drawn_study(41, index) for index in range(700)]
PRIORS = [prior_of(study) for study in STUDIES]
KINDS = ("plain", "radiologists")
REPORTS = {kind: [written(study, prior, kind) for study, prior in zip(STUDIES, PRIORS)] for kind in KINDS}


def mentions(own):
    """(section, text of the section, mention) of a report."""
    for each in annotate(own):
        for entity in each.entities:
            yield each.section, text_of(getattr(own, each.section)), entity


@pytest.mark.parametrize("kind", KINDS)
def test_annotations_agree_with_text_and_latents(kind):
    for study, own in zip(STUDIES, REPORTS[kind]):
        told = set()
        for section, text, entity in mentions(own):
            words, concept = text[entity.start : entity.end].lower(), concepts()[entity.concept]
            known = concept.synonyms + (concept.denials if entity.assertion == "absent" else ())
            assert get_close_matches(words, known, cutoff=0.7) if entity.typo else words in known, (text, entity)
            for each in entity.attributes:
                assert text[each.start : each.end] == each.words and each.name in concept.takes
            if not entity.label:
                continue
            assert entity.assertion == "uncertain" or (entity.assertion == "present") == study.has(entity.label), (text, entity)
            sides = {finding.side for finding in study.findings if finding.name == entity.label}
            if entity.assertion == "present" and entity.side:
                assert entity.side == ("both" if len(sides) == 2 else next(iter(sides))), (text, entity)
            if section == "findings" and entity.assertion != "absent":
                told.add(entity.label)
        assert {name for name in FINDINGS if study.has(name)} <= told, text_of(own.findings)
        doubt = {entity.label for _, _, entity in mentions(own) if entity.assertion == "uncertain"} - {""}
        assert not doubt & {entity.label for _, _, entity in mentions(own) if entity.assertion != "uncertain"}, text_of(own.findings)
        for section in SECTIONS:
            text = text_of(getattr(own, section))
            assert text and not re.search(r"[{}<>|\[\]]|  | [.,]|\ba [aeio]|\ban [bcdfgj-np-qt-wyz]", text), text


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_compared_agrees_with_both_studies(kind):
    said, possible = Counter(), Counter()
    for study, prior, own in zip(STUDIES, PRIORS, REPORTS[kind]):
        known = changes(study, prior)
        possible.update(known.values())
        texts = " ".join(text_of(getattr(own, section)) for section in SECTIONS)
        if prior is None:
            assert not re.search("prior study|has resolved|since the prior", texts)
        for _, text, entity in mentions(own):
            for each in entity.attributes if entity.label else ():
                if each.name == "change":
                    how = next((how for how, words in CHANGES.items() if re.search(words, each.words.lower())), None)
                    said[how] += 1
                    if how:  # None: misspelt
                        assert known[entity.label] == how and (entity.assertion == "absent") == (how == "resolved"), (text, entity)
    assert said[None] < 15 and all(said[how] > 0.5 * possible[how] > 10 for how in CHANGES), (said, possible)


def test_changes_by_hand():
    before, now = next((one, two) for one, two in pairwise(STUDIES) if two.visit and one.has("effusion") and two.has("effusion"))
    effusion = next(each for each in now.findings if each.name == "effusion")
    alone = [study._replace(findings=(effusion._replace(severity=severity),)) for study, severity in ((before, 0.3), (now, 0.8))]
    none = now._replace(findings=())
    other = alone[0]._replace(findings=(effusion._replace(side="left" if effusion.side == "right" else "right"),))
    assert changes(alone[1], alone[0]) == {"effusion": "increased"} and changes(alone[0], alone[1]) == {"effusion": "decreased"}
    assert changes(alone[0], alone[0]) == {"effusion": "unchanged"} and changes(none, none) == changes(alone[0], None) == {}
    assert changes(none, alone[0]) == {"effusion": "resolved"} and changes(alone[0], none) == changes(alone[1], other) == {
        "effusion": "new"
    }


def test_measurements_zones_and_grades_are_those_of_the_latents():
    seen = Counter()
    for kind in KINDS:
        for study, own in zip(STUDIES, REPORTS[kind]):
            for _, _, entity in mentions(own):
                found = [finding for finding in study.findings if finding.name == entity.label]
                for each in entity.attributes if found else ():
                    worst = max(found, key=lambda finding: finding.severity)
                    if each.name == "size":
                        assert each.number == pytest.approx(round(20 * worst.size) / {"mm": 1, "cm": 10}[each.unit])
                    elif each.name == "height":
                        assert each.number == pytest.approx(worst.size, abs=0.051)
                    elif each.name == "cardiothoracic ratio":
                        assert each.number == pytest.approx(0.52 + 0.15 * worst.severity, abs=0.0051)
                    elif each.name == "grade" and not entity.typo and each.words.lower() in ("mild", "moderate", "severe"):
                        assert each.words.lower() == ("mild", "moderate", "severe")[min(int(3 * worst.severity), 2)]
                    elif each.name == "zone" and "upper" in each.words.lower():
                        assert worst.zone == "upper"
                    seen[kind, entity.label, each.name] += 1
    for kind in KINDS:
        assert min(seen[kind, name, "size"] for name in ("nodule", "mass")) > 20 and seen[kind, "oedema", "grade"] > 20
        assert all(seen[kind, name, "side"] > 10 for name in FINDINGS if name not in MIDDLE), (kind, seen)


def test_doubt_and_typos_are_as_frequent_as_stated(monkeypatch):
    hedged = {True: [], False: []}
    for study, own in zip(STUDIES, REPORTS["radiologists"]):
        doubt = {entity.label for section, _, entity in mentions(own) if entity.assertion == "uncertain" and section == "findings"}
        assert not doubt & {*DEVICES}
        for name in FINDINGS:
            if name not in DEVICES:
                hedged[study.has(name)].append(name in doubt)
    assert abs(np.mean(hedged[True]) - HEDGED) < 0.04 and abs(np.mean(hedged[False]) - HEDGED_ABSENT) < 0.01
    calls = Counter()
    monkeypatch.setattr(styles, "misspelt", lambda own, draw: (calls.update(["typo"]), misspelt(own, draw))[1])
    again = [(study, written(study, prior, "radiologists")) for study, prior in zip(STUDIES, PRIORS) if study.findings]
    sentences = sum(len(own.findings) + len(own.impression) for _, own in again)
    assert abs(calls["typo"] / sentences - MISSPELT) < 0.012


def test_every_finding_is_in_the_concept_table_and_hangs_in_the_graph():
    edges = {(edge.source, edge.relation, edge.target) for edge in knowledge_graph().edges}
    for name in FINDINGS:
        concept = concepts()[CONCEPT[name][1]]
        assert concept.description.endswith(".") and "change" in concept.takes
        assert any(edge[0] == concept.name and edge[1] == "is_a" for edge in edges)
    for edge in (
        ("atelectasis", "seen_as", "volume loss"),
        ("pulmonary edema", "seen_as", "perihilar haze"),
        ("fracture", "seen_as", "cortical step"),
        ("pulmonary edema", "may_accompany", "pleural effusion"),
        ("fracture", "may_accompany", "pneumothorax"),
    ):
        assert edge in edges
