"""Annotations of the simulated reports: every span shows its mention, every assertion and side is that of the latents."""

import hashlib
import json
import pickle
import re
from itertools import pairwise

import pytest

from training.setup import ShuffledTexts
from workbench.data import phantoms
from workbench.phantom import FINDINGS
from workbench.phantom.annotations import SECTIONS, annotate, rows_of
from workbench.phantom.concepts import concept_of, concepts
from workbench.phantom.marks import read
from workbench.phantom.report import grammar, report, text_of
from workbench.phantom.speech import ALTERNATIVES, phrases
from workbench.phantom.thorax.course import drawn_study, prior_of
from workbench.phantom.thorax.variants import Variant

# sha256 of the texts of generator version 5
WRITTEN = {
    "clinical": "0723429c3118fbc866fd3972da18e58f2a653ee86d948c8416661f270a0a6d22",
    "teaching": "e71f50cb7ec105ac9e3c94373954720cf268a20e47a27f2ce89dab1a6817c59c",
}
STUDIES = [drawn_study(31, index, Variant(level=level)) for level in WRITTEN for index in range(500)]
SIDED = ("effusion", "pneumothorax", "consolidation", "atelectasis", "nodule", "mass", "rib fracture")


@pytest.mark.parametrize("level", WRITTEN)
def test_not_a_character_of_a_report_has_changed(level):
    digest = hashlib.sha256()
    for index in range(200):
        written = reported(drawn_study(11, index, Variant(level=level)))
        digest.update(json.dumps([text_of(written.findings), text_of(written.impression)]).encode())
    assert digest.hexdigest() == WRITTEN[level]


def told(study):
    """(entity row, its section's text, its sentence) of every mention."""
    written = reported(study)
    texts = [text_of(getattr(written, section)) for section in SECTIONS]
    spans = annotate(written)
    for row in rows_of(spans):
        sentence = spans[row["sentence"]]
        yield row, texts[row["text"]], texts[row["text"]][sentence.start : sentence.end]


def reported(study):
    """The plain report of a study beside the one before it."""
    return report(study, prior_of(study, Variant(level=study.level)))


def sides_of(study, label):
    return {finding.side for finding in study.findings if finding.name == label}


def test_sentences_cover_their_section():
    for study in STUDIES:
        written = reported(study)
        for section in SECTIONS:
            text, own = text_of(getattr(written, section)), [each for each in annotate(written) if each.section == section]
            assert [text[each.start : each.end] for each in own] == re.split(r"(?<=\.) (?=[A-Z])", text)
            assert own[0].start == 0 and own[-1].end == len(text) and all(one.end + 1 == two.start for one, two in pairwise(own))


def test_every_span_shows_its_mention():
    for study in STUDIES:
        for row, text, sentence in told(study):
            words, concept = text[row["start"] : row["end"]], concepts()[row["concept"]]
            assert words.lower() in concept.synonyms + (concept.denials if row["assertion"] == "absent" else ())
            assert words in sentence and row["label"] == concept.label
            assert not text[row["start"] - 1 : row["start"]].strip() and not text[row["end"]].isalnum()
            for each in row["attributes"]:
                assert text[each["start"] : each["end"]] == each["words"] and each["words"] in sentence and each["name"] in concept.takes


def test_assertions_are_those_of_the_labels():
    for study in STUDIES:
        by_text = [{"present": set(), "absent": set()} for _ in SECTIONS]
        for row, _, _ in told(study):
            if row["label"]:
                by_text[row["text"]][row["assertion"]].add(row["label"])
        present = {name for name in FINDINGS if study.has(name)}
        assert by_text[0]["present"] == present and by_text[1]["present"] <= present, text_of(reported(study).findings)
        assert not (by_text[0]["absent"] | by_text[1]["absent"]) & present


def test_an_assertion_can_be_read_in_its_sentence():
    """A mention is absent where a negation stands before it or its own words deny it."""
    absent = 0
    for study in STUDIES:
        for row, text, sentence in told(study):
            words, concept = text[row["start"] : row["end"]], concepts()[row["concept"]]
            before = sentence[: sentence.index(words)].lower()
            denied = bool(re.search(r"\b(no|not|neither|without|clear of)\b", before)) or words.lower() in concept.denials
            denied |= bool(re.search("has (been removed|resolved|cleared)", sentence))
            assert (row["assertion"] == "absent") == denied, (sentence, row)
            absent += denied
    assert absent > 2000


def test_every_word_for_a_finding_has_its_own_entity():
    joint, words = 0, {words: each.label for words, each in concept_of().items() if each.label and words in each.synonyms}
    for study in STUDIES:
        written = reported(study)
        for sentence in (*written.findings, *written.impression):
            said = {each.label: each.assertion == "present" for each in sentence.entities if each.label}
            assert said == sentence.says, sentence
            rest = sentence.text.lower()
            for entity in reversed(sentence.entities):
                rest = rest[: entity.start] + "·" + rest[entity.end :]
            assert not [each for each in words if re.search(rf"\b{each}\b", rest)], sentence
            joint += len(sentence.says) > 1
    assert joint > 100


def test_sides_are_those_of_the_latents():
    seen = set()
    for study in STUDIES:
        for row, text, sentence in told(study):
            compared = any(each["name"] == "change" for each in row["attributes"])  # follows the sentence that says where it is
            if (
                row["text"] == 0
                and row["label"] in SIDED
                and row["assertion"] == "present"
                and not compared
                and text[row["start"] : row["end"]] != "Multifocal pneumonia"
            ):
                sides = sides_of(study, row["label"])
                assert row["side"] == ("both" if len(sides) == 2 else sides.pop()), (sentence, row)
                seen.add((row["label"], row["side"]))
            spoken = {"bilateral": "both", "left": "left", "right": "right"}
            assert not row["side"] or any(spoken[word] == row["side"] for word in re.findall("bilateral|left|right", sentence.lower()))
            assert row["side"] == "" or row["assertion"] == "present"
    assert len(seen) == 2 * len(SIDED) + 2  # right and left of all, both of two


def test_attributes_are_those_of_the_latents():
    words = {word: name for name in ("trace", "small", "moderate", "large") for word in grammar()["words"][name]}
    zones = {word: name for name, options in grammar()["words"]["zone"].items() for word in options}
    seen = set()
    for study in STUDIES:
        for row, _, _ in told(study):
            found = [finding for finding in study.findings if finding.name == row["label"]]
            assert len({each["name"] for each in row["attributes"]}) == len(row["attributes"]), row
            for each in row["attributes"] if found else ():
                worst = max(found, key=lambda finding: finding.severity)
                if each["name"] == "amount":
                    assert words[each["words"].lower()] == ("trace", "small", "moderate", "large")[min(int(worst.severity * 4), 3)]
                elif each["name"] == "degree":
                    assert each["words"].lower().removesuffix("ly") == ("mild", "moderate", "severe")[min(int(worst.severity * 3), 2)]
                elif each["name"] == "zone":
                    assert zones[each["words"].lower()] == worst.zone
                elif each["name"] == "size":
                    assert (each["number"], each["unit"]) == (round(20 * worst.size), "mm") and each["words"] == f"{each['number']:.0f} mm"
                elif each["name"] == "cardiothoracic ratio":
                    assert each["number"] == pytest.approx(0.52 + 0.15 * worst.severity, abs=0.0051) and each["unit"] == ""
                elif each["name"] == "predominance":
                    assert each["words"] == worst.side and len(found) == 2 and row["side"] == "both"
                seen.add(each["name"])
    assert {"amount", "degree", "zone", "size", "cardiothoracic ratio", "predominance", "certainty", "position", "density"} <= seen


def test_a_marked_sentence_is_read_by_hand():
    text, (effusion, collapse) = read("A [size:18 mm] [side:left] <effusion>, no <!pneumothorax>.")
    assert text == "A 18 mm left effusion, no pneumothorax."
    assert (effusion.concept, effusion.label, effusion.start, effusion.end) == ("pleural effusion", "effusion", 13, 21)
    assert (effusion.assertion, effusion.side, [each.name for each in effusion.attributes]) == ("present", "left", ["side"])
    assert (collapse.concept, collapse.assertion, collapse.side, collapse.start) == ("pneumothorax", "absent", "", 26)
    (nodule,) = read("<Nodule> of [size:18 mm], ratio [cardiothoracic ratio:0.58].")[1]
    assert nodule.attributes == (("size", "18 mm", 10, 15, 18.0, "mm"),)
    with pytest.raises(KeyError, match="unicorn"):
        read("There is a <unicorn>.")


def templates(rules):
    if isinstance(rules, str):
        yield rules
    else:
        for each in rules.values() if isinstance(rules, dict) else rules:
            yield from templates(each)


def test_the_concept_table_has_the_words_of_the_grammar_and_no_others():
    zones = [word for options in grammar()["words"]["zone"].values() for word in options]
    mentioned = set()
    for template in templates({name: rules for name, rules in grammar().items() if name != "words"}):
        assert template.count("<") == template.count(">") and template.count("[") == template.count("]")
        for words in re.findall(r"<!?([^<>]*)>", template):
            mentioned |= set(zones) if words == "{zone}" else {words.lower()}
    for template in templates(phrases()):
        assert template.count("<") == template.count(">") and template.count("[") == template.count("]")
        for words in re.findall(r"<[!?*]?([^<>]*)>", template):
            mentioned |= {each.lower() for each in choices(words)}
    mentioned |= {word for options in phrases()["words"]["zone"].values() for word in options} | {
        lobe.lower() for lobe in phrases()["words"]["lobe"].values()
    }
    mentioned |= {words.replace("<", "").replace(">", "") for words in grammar()["named"].values()}
    assert mentioned == set(concept_of())


def choices(words):
    """Every phrase of a template with alternatives in brackets."""
    found = ALTERNATIVES.search(words)
    if not found:
        return [" ".join(words.split())]
    return [each for option in found[1].split("|") for each in choices(words[: found.start()] + option + words[found.end() :])]


def test_a_sample_has_the_entities_of_its_texts(monkeypatch, tmp_path):
    monkeypatch.setenv("WORKBENCH_CACHE", str(tmp_path))
    calls = []
    drawn = phantoms.drawn_entities
    monkeypatch.setattr(phantoms, "drawn_entities", lambda *address: (calls.append(address), drawn(*address))[1])
    dataset = phantoms.load(phantoms.Config(size=16, train=6, val=4, test=0, seed=3))
    samples = [dataset[index] for index in range(10)]
    assert {"entities", "questions"} <= dataset.provides and not calls  # reading a study draws nothing
    for sample in samples:
        shown = [sample["texts"][row["text"]].text[row["start"] : row["end"]].lower() for row in sample["entities"]]
        assert [concept_of()[words].name for words in shown] == [row["concept"] for row in sample["entities"]] and shown
    assert len(calls) == 10 and len(samples[0]["entities"][:2]) == 2
    monkeypatch.undo()
    monkeypatch.setenv("WORKBENCH_CACHE", str(tmp_path))
    assert list(pickle.loads(pickle.dumps(dataset[7]["entities"]))) == list(samples[7]["entities"])


def test_shuffled_texts_come_with_their_own_entities(monkeypatch, tmp_path):
    monkeypatch.setenv("WORKBENCH_CACHE", str(tmp_path))
    dataset = ShuffledTexts(phantoms.load(phantoms.Config(size=16, train=6, val=4, test=0, seed=3)), seed=0)
    for sample in (dataset[index] for index in range(10)):
        for row in sample["entities"]:
            assert concept_of()[sample["texts"][row["text"]].text[row["start"] : row["end"]].lower()].name == row["concept"]
