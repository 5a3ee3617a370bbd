"""Reports as radiologists write them: spans, sides, doubt, comparisons, typos and repeats, and the plain reports left alone."""

import re
from collections import Counter
from difflib import get_close_matches

import numpy as np
import pytest

from tests.full.reports import Text, sequences, violations
from workbench.analysis.statistics import auroc
from workbench.data.phantoms import Config, load
from workbench.phantom import DEVICES, FINDINGS, styles
from workbench.phantom.annotations import SECTIONS, annotate
from workbench.phantom.annotations import rows_of as entity_rows
from workbench.phantom.concepts import concept_of, concepts
from workbench.phantom.marks import SIDE_OF_WORD
from workbench.phantom.report import report, sentence, text_of
from workbench.phantom.styles import HEDGED, HEDGED_ABSENT, MISSPELT, STYLES, style_of, styled, written
from workbench.phantom.thorax.course import drawn_study, prior_of
from workbench.phantom.thorax.latents import size_of
from workbench.phantom.thorax.variants import Variant
from workbench.phantom.typos import misspelt
from workbench.randomness import rng
from workbench.text import sentences

STUDIES = [drawn_study(31, index) for index in range(2000)]
REPORTS = [written(study, prior_of(study), "radiologists") for study in STUDIES]
SIDED = ("effusion", "pneumothorax", "consolidation", "atelectasis", "nodule", "mass", "rib fracture")
CHANGES = {
    "resolved": r"resol|clear|gone|remov|regressed completely",
    "new": r"new|develop|appeared|not present|not seen",
    "unchanged": r"unchanged|stable|same|no change|not significantly changed|no significant change",
    "increased": r"increas|wors|progress|larger",
    "decreased": r"decreas|improv|smaller|better|diminish|regress|reduc",
}


def texts_of(own):
    return [text_of(getattr(own, section)) for section in SECTIONS]


def rows_of(own):
    """The mentions of a report that is at hand."""
    return [(SECTIONS.index(each.section), entity) for each in annotate(own) for entity in each.entities]


def test_plain_reports_are_the_plain_reports():
    for study in STUDIES[:50]:
        prior = prior_of(study)
        assert written(study, prior) == written(study, prior, "plain") == report(study, prior)
        assert written(study, prior, "radiologists") == styled(study, prior) != report(study, prior)


def test_nothing_disagrees_with_text_or_latents():
    assert set(violations(STUDIES[:800], "radiologists").values()) == {0}


def test_sentences_cover_their_section():
    for own in REPORTS[:600]:
        for section, text in zip(SECTIONS, texts_of(own)):
            spans = [each for each in annotate(own) if each.section == section]
            assert [text[each.start : each.end] for each in spans] == sentences(text) and spans
            assert not re.search(r"[{}<>|\[\]]|  | [.,]|\ba [aeio]|\ban [bcdfgj-np-qt-wyz]", text), text


def test_the_four_styles_are_drawn_and_differ():
    counted = Counter(map(style_of, STUDIES))
    for style, share in STYLES.items():
        assert abs(counted[style] / len(STUDIES) - share) < 0.04, (style, counted)
    length = {
        style: np.mean(
            [len(each.text.split()) for own, study in zip(REPORTS, STUDIES) if style_of(study) == style for each in own.findings]
        )
        for style in STYLES
    }
    assert length["telegram"] < 5 < length["prose"] < length["academic"]
    headed = Counter(
        style_of(study) for study, own in zip(STUDIES, REPORTS) if re.search(r"\b(Heart|Pleura|Bones)\b[\w ]*:", text_of(own.findings))
    )
    assert set(headed) == {"organs"} and headed["organs"] > 200


def test_doubt_is_as_frequent_as_stated():
    """A finding of the film is hedged at one rate, what is not there at a lower one, and the labels know nothing of it."""
    hedged = {True: [], False: []}
    for study, own in zip(STUDIES, REPORTS):
        said = {(entity.label, entity.assertion) for place, entity in rows_of(own) if place == 0}
        for name in FINDINGS[: -len(DEVICES)]:
            hedged[study.has(name)].append((name, "uncertain") in said and (name, "present") not in said)
            assert not study.has(name) or {(name, "present"), (name, "uncertain")} & said
            assert study.has(name) or (name, "present") not in said
        assert not {(name, "uncertain") for name in DEVICES} & said
    assert abs(np.mean(hedged[True]) - HEDGED) < 0.02
    assert abs(np.mean(hedged[False]) - HEDGED_ABSENT) < 0.006


def test_doubt_has_a_word_of_doubt_and_stays_itself_in_the_impression():
    words = r"possib|probab|likely|exclu|susp|suggest|may |might|could|query|question|equivocal|compatible|consideration|is possible"
    misread, read = 0, 0
    for own in REPORTS:
        doubtful = {entity.label for place, entity in rows_of(own) if entity.assertion == "uncertain" and entity.label}
        for each in (*own.findings, *own.impression):
            for entity in each.entities:
                if entity.assertion == "uncertain" and entity.label:
                    hedges = [attribute.words for attribute in entity.attributes if attribute.name == "hedge"]
                    assert hedges
                    read += 1
                    misread += not re.search(words, f"{' '.join(hedges).lower()} ")
        assert not doubtful & {entity.label for _, entity in rows_of(own) if entity.assertion != "uncertain"}, texts_of(own)
    assert misread < 0.02 * read and read > 400  # typos


def test_denials_are_of_many_kinds():
    denied = [each.text.lower() for own in REPORTS for each in own.findings if False in each.says.values()]
    for kind in (r"\bno\b", "without", "free of", "negative for", "resolved", r"\bnot\b", "normal"):
        assert sum(bool(re.search(kind, text)) for text in denied) > 20, kind
    negated = np.mean(
        [bool(re.search(r"\b(no|not|without|negative|free of)\b", each.text.lower())) for own in REPORTS for each in own.findings]
    )
    assert 0.3 < negated < 0.5


def test_sides_are_those_of_the_latents_and_can_be_read():
    seen = set()
    for study, own in zip(STUDIES, REPORTS):
        texts = texts_of(own)
        for place, entity in rows_of(own):
            sides = {finding.side for finding in study.findings if finding.name == entity.label}
            said = [each for each in entity.attributes if each.name == "side"]
            if entity.label in SIDED and entity.assertion == "present":
                assert entity.side == ("both" if len(sides) == 2 else next(iter(sides))), texts
                seen.add((entity.label, entity.side))
            if entity.side and not entity.typo and texts[place][said[0].start : said[0].end].lower() in SIDE_OF_WORD:
                assert SIDE_OF_WORD[texts[place][said[0].start : said[0].end].lower()] == entity.side
            assert bool(said) == bool(entity.side) and (entity.assertion != "absent" or not entity.side)
    assert len(seen) == 2 * len(SIDED) + 2


def test_measurements_are_those_of_the_latents():
    units = Counter()
    for study, own in zip(STUDIES, REPORTS):
        for _, entity in rows_of(own):
            found = [finding for finding in study.findings if finding.name == entity.label]
            for each in entity.attributes if found else ():
                worst = max(found, key=lambda finding: finding.severity)
                if each.name == "size":
                    assert each.number == pytest.approx(round(20 * worst.size) / {"mm": 1, "cm": 10}[each.unit])
                elif each.name == "height":
                    assert each.number == pytest.approx(worst.size, abs=0.051) and each.unit == "cm"
                elif each.name == "cardiothoracic ratio":
                    assert each.number == pytest.approx(0.52 + 0.15 * worst.severity, abs=0.0051)
                units[each.name, each.unit] += 1
    assert min(units[kind] for kind in (("size", "mm"), ("size", "cm"), ("height", "cm"), ("cardiothoracic ratio", ""))) > 20


def test_without_a_prior_film_nothing_is_compared():
    for study, own in zip(STUDIES, REPORTS):
        if not study.visit:
            assert not [each for _, entity in rows_of(own) for each in entity.attributes if each.name == "change"]
    first = " ".join(text_of(own.findings) for study, own in zip(STUDIES, REPORTS) if not study.visit)
    assert "No prior for comparison." in first and "Compared with the prior" not in first


def test_typos_are_as_frequent_as_stated(monkeypatch):
    calls = Counter()
    monkeypatch.setattr(styles, "misspelt", lambda own, draw: (calls.update(["typo"]), misspelt(own, draw))[1])
    made = [written(study, prior_of(study), "radiologists") for study in STUDIES[:1500]]
    assert made == REPORTS[:1500]
    normal = [own for study, own in zip(STUDIES, made) if not study.findings]
    count = sum(len(own.findings) + len(own.impression) for own in made) - sum(len(own.findings) + len(own.impression) for own in normal)
    assert abs(calls["typo"] / count - MISSPELT) < 0.008


def test_spans_are_exact_where_every_sentence_has_a_typo(monkeypatch):
    monkeypatch.setattr(styles, "MISSPELT", 1.0)
    typos = 0
    for study in STUDIES[:500]:
        own = written(study, prior_of(study), "radiologists")
        texts = texts_of(own)
        for place, entity in rows_of(own):
            words, concept = texts[place][entity.start : entity.end].lower(), concepts()[entity.concept]
            known = concept.synonyms + concept.denials
            assert get_close_matches(words, known, cutoff=0.7) if entity.typo else words in known, (texts[place], entity)
            assert not texts[place][max(entity.start - 1, 0) : entity.start].isalnum() and not texts[place][entity.end].isalnum()
            typos += entity.typo
            for each in entity.attributes:
                assert texts[place][each.start : each.end] == each.words
                assert each.name not in ("size", "height", "cardiothoracic ratio") or each.number is not None
    assert typos > 400


def test_a_typo_by_hand():
    whole = sentence("A [size:18 mm] [side:left] <pulmonary nodule>, no <!pneumothorax>.")
    kinds = Counter()
    for key in range(300):
        own = misspelt(whole, rng(0, "typo", 0, key))
        nodule, air = (own.text[each.start : each.end] for each in own.entities)
        assert own.text.startswith("A 18 mm left ") and own.entities[0].attributes == whole.entities[0].attributes
        assert [each.typo for each in own.entities] == [nodule != "pulmonary nodule", air != "pneumothorax"]
        kinds[len(own.text) - len(whole.text)] += 1
        if len(own.text) == len(whole.text):
            assert sorted(own.text) == sorted(whole.text) and own.text != whole.text
        elif len(own.text) > len(whole.text):
            assert re.search(r"\b(\w+) \1\b", own.text)
    assert kinds[0] > 50 and kinds[-1] > 50 and sum(count for longer, count in kinds.items() if longer > 0) > 40
    short = sentence("No <!mass>.")
    assert misspelt(short, rng(0, "typo")) == short


def test_normal_reports_repeat_and_others_hardly():
    normal = [tuple(texts_of(own)) for study, own in zip(STUDIES, REPORTS) if not study.findings]
    others = [tuple(texts_of(own)) for study, own in zip(STUDIES, REPORTS) if study.findings]
    assert 0.12 < 1 - len({*normal, *others}) / len(STUDIES) < 0.28  # Open-I: .21
    assert len(set(others)) > 0.97 * len(others)


def test_a_finding_that_is_imagined_is_a_slight_one():
    slight = size_of("nodule", 0.1)
    sizes = {
        each.number * {"mm": 1, "cm": 10}[each.unit]
        for study, own in zip(STUDIES, REPORTS)
        for _, entity in rows_of(own)
        if entity.label == "nodule" and not study.has("nodule")
        for each in entity.attributes
        if each.name == "size"
    }
    assert {round(each) for each in sizes} == {round(20 * slight)}


def test_single_words_still_give_the_labels_away():
    """Said in docs/results/reports.json as well, there above .95 with more reports: a logistic regression on words reads every finding."""
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.linear_model import LogisticRegression

    texts = [Text(*texts_of(own)) for own in REPORTS]
    counter = CountVectorizer(analyzer=lambda text: [*sequences([text], 1)], binary=True)
    fit, held = counter.fit_transform(texts[:1400]), counter.transform(texts[1400:])
    labels = np.array([study.labels for study in STUDIES])
    scores = np.stack([LogisticRegression(max_iter=500).fit(fit, own).decision_function(held) for own in labels[:1400].T], 1)
    assert min(auroc(scores[:, place], labels[1400:, place]) for place in range(len(FINDINGS))) > 0.9


def test_the_data_set_has_the_option_and_never_mixes_the_two(monkeypatch, tmp_path):
    monkeypatch.setenv("WORKBENCH_CACHE", str(tmp_path))
    small = {"level": "teaching", "size": 16, "train": 30, "val": 10, "test": 0, "seed": 7}
    plain, found = load(Config(**small)), load(Config(**small, reports="radiologists"))
    assert plain.data_hash == load(Config(**small, reports="plain")).data_hash != found.data_hash
    lesson = Variant(level="teaching")
    for index in range(40):
        ours, theirs, study = found[index], plain[index], drawn_study(7, found.studies[index]["index"], lesson)
        own = written(study, prior_of(study, lesson), "radiologists")
        assert [each.text for each in ours["texts"]] == texts_of(own) != [each.text for each in theirs["texts"]]
        np.testing.assert_array_equal(ours["images"][0].array, theirs["images"][0].array)
        assert (ours["labels"] == theirs["labels"]).all() and list(ours["questions"]) == list(theirs["questions"])
        assert list(ours["entities"]) == entity_rows(annotate(own))
        for row in ours["entities"]:
            words = ours["texts"][row["text"]].text[row["start"] : row["end"]].lower()
            assert row["typo"] or concept_of()[words].name == row["concept"]
