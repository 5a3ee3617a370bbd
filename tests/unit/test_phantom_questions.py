"""Questions of a study: answered again from labels, boxes, masks and report, which know nothing of them."""

import re
from collections import Counter, defaultdict

import numpy as np
import pytest

from workbench.data.phantoms import Config, load
from workbench.phantom import FINDINGS
from workbench.phantom.concepts import concepts
from workbench.phantom.latents import draw_study
from workbench.phantom.questions import CONCEPT, UNCOUNTED, questions
from workbench.phantom.report import grammar

LEVELS = ("clinical", "teaching")
AMOUNT = {word: name for name in ("trace", "small", "moderate", "large") for word in grammar()["words"][name]}
ZONE = {word: name for name, options in grammar()["words"]["zone"].items() for word in options}


@pytest.fixture(scope="module")
def samples():
    """1,000 studies of both levels at 32 px."""
    sets = [load(Config(level=level, size=32, train=500, val=0, test=0, seed=41)) for level in LEVELS]
    return [dataset[index] for dataset in sets for index in range(500)]


def asked(samples, kind):
    """(question, finding asked about or None, sample) of one kind."""
    finding = {concept: name for name, concept in CONCEPT.items()}
    for sample in samples:
        for each in sample["questions"]:
            if each["kind"] == kind:
                yield each, next((finding[name] for name in each["concepts"] if name in finding), None), sample


def label(sample, name):
    return sample["labels"][FINDINGS.index(name)] == 1


def words_of(sample, name, attribute):
    """Words of an attribute of a finding in the findings section."""
    rows = [row for row in sample["entities"] if row["text"] == 0 and row["label"] == name and row["assertion"] == "present"]
    return [each["words"].lower() for row in rows for each in row["attributes"] if each["name"] == attribute]


def test_presence_is_the_label_and_is_named_in_the_question(samples):
    count = 0
    for each, name, sample in asked(samples, "presence"):
        assert CONCEPT[name] in each["question"] and each["answer"] == ("yes" if label(sample, name) else "no")
        assert each["options"] == ["yes", "no"] and (each["answer"] == "yes" or each["boxes"] == [])
        count += 1
    present = sum(sample["labels"].sum() for sample in samples)
    assert count > 1.8 * present


def test_yes_and_no_are_equally_frequent_for_every_finding(samples):
    for level, own in zip(LEVELS, (samples[:500], samples[500:])):
        answers = defaultdict(Counter)
        for each, name, _ in asked(own, "presence"):
            answers[name][each["answer"]] += 1
        for name, counted in answers.items():
            assert abs(counted["yes"] / counted.total() - 0.5) < 0.08, (level, name, counted)
        total = sum(answers.values(), Counter())
        assert abs(total["yes"] / total.total() - 0.5) < 0.03, (level, total)
    normal = [sample for sample in samples if not sample["labels"].any()]
    assert sum(1 for _ in asked(normal, "presence")) > 0.5 * len(normal)  # a study is not asked about only because something is there


def test_sides_are_those_of_the_boxes_and_of_the_films_halves(samples):
    for each, name, sample in asked(samples, "side"):
        assert label(sample, name) and each["answer"] in each["options"]
        sides = {box["side"] for box in sample["boxes"] if box["label"] == name}
        assert sides <= ({"right", "left"} if each["answer"] == "both" else {each["answer"]}), each
        middle = {side: np.nonzero(sample["masks"][f"{side} lung"])[1].mean() for side in ("right", "left")}
        for box in [sample["boxes"][place] for place in each["boxes"]] if name != "support device" else []:
            centre = box["x"] + box["w"] / 2 - 0.5
            nearest = min(middle, key=lambda side: abs(middle[side] - centre))
            assert each["answer"] in ("both", nearest), (each, box)
    assert Counter(each["answer"] for each, _, _ in asked(samples, "side")).keys() == {"right", "left", "both"}


def test_boxes_of_an_answer_hold_what_was_asked_about(samples):
    shown = 0
    for sample in samples:
        for each in sample["questions"]:
            named = {sample["boxes"][place]["label"] for place in each["boxes"]}
            about = {"heart" if name == "cardiomegaly" else name for name, concept in CONCEPT.items() if concept in each["concepts"]}
            assert named <= about, each
            if each["kind"] in ("presence", "side", "location", "size", "device", "count", "abnormalities") and each["answer"] != "no":
                everything = {place for place, box in enumerate(sample["boxes"]) if box["label"] in about}
                assert set(each["boxes"]) == everything, each
            shown += len(each["boxes"])
    assert shown > 5000


def test_a_higher_zone_is_higher_on_the_film(samples):
    heights = defaultdict(list)
    for each, name, sample in asked(samples, "location"):
        side, zone, _ = each["answer"].split()
        assert set(words_of(sample, name, "side")) == {side} and {ZONE[word] for word in words_of(sample, name, "zone")} == {zone}
        if name == "nodule" and each["boxes"]:
            (box,) = (sample["boxes"][place] for place in each["boxes"])
            rows = np.nonzero(sample["masks"][f"{side} lung"])[0]
            heights[zone].append((box["y"] + box["h"] / 2 - rows.min()) / np.ptp(rows))
    upper, middle, lower = (heights[zone] for zone in ("upper", "middle", "lower"))
    assert np.percentile(upper, 95) < np.median(middle) < np.percentile(lower, 5) and min(len(upper), len(middle), len(lower)) > 50


@pytest.mark.parametrize(
    ("kind", "names"), [("amount", ("effusion", "pneumothorax")), ("degree", ("cardiomegaly",)), ("density", ("consolidation",))]
)
def test_severities_are_those_the_report_tells(samples, kind, names):
    told = 0
    for each, name, sample in asked(samples, kind):
        assert name in names and each["answer"] in each["options"]
        words = {AMOUNT[word] if kind == "amount" else word.removesuffix("ly") for word in words_of(sample, name, kind)}
        assert words == {each["answer"]}, each
        told += 1
    assert told == sum(label(sample, name) for sample in samples for name in names)


def test_sizes_devices_and_views_are_those_of_the_report(samples):
    for each, _, sample in asked(samples, "size"):
        assert each["answer"] == re.search(r"\d+ mm", sample["texts"][0].text)[0]
    for each, _, sample in asked(samples, "device"):
        mentioned = {row["concept"] for row in sample["entities"] if row["text"] == 0 and row["assertion"] == "present"}
        assert each["answer"] in mentioned and each["answer"] in each["concepts"]
    for each, _, sample in asked(samples, "view"):
        assert each["answer"] == sample["images"][0].view
    kinds = {kind: sum(1 for _ in asked(samples, kind)) for kind in ("size", "device", "view")}
    assert kinds == {
        "size": sum(label(sample, "nodule") for sample in samples),
        "device": sum(label(sample, "support device") for sample in samples),
        "view": len(samples),
    }


def test_counts_and_lists_are_those_of_the_labels(samples):
    for each, _, sample in asked(samples, "count"):
        assert int(each["answer"]) == sample["labels"][:5].sum()
    for each, _, sample in asked(samples, "abnormalities"):
        present = [CONCEPT[name] for name in FINDINGS[:5] if label(sample, name)]
        named = [] if each["answer"] == "none" else each["answer"].split(", ")
        assert [re.sub("^(right|left|bilateral) ", "", words) for words in named] == present
        for words, name in zip(named, [name for name in FINDINGS[:5] if label(sample, name)]):
            sides = {box["side"] for box in sample["boxes"] if box["label"] == name}
            assert words.startswith("bilateral") or all(words.startswith(side) for side in sides)


def test_a_question_is_well_put(samples):
    for sample in samples:
        rows = sample["questions"]
        assert len({(each["kind"], *each["concepts"]) for each in rows}) == len(rows)
        for each in rows:
            assert each["question"].endswith("?") and not re.search(r"[{}]|  |\ba [aeiou]", each["question"]), each["question"]
            assert each["answer_type"] == ("closed" if each["options"] else "open") and set(each["concepts"]) <= set(concepts())
            assert not re.search(f"a ({'|'.join(UNCOUNTED)})", each["question"])


def test_questions_are_a_function_of_seed_and_number():
    first = [questions(draw_study(41, index, "clinical")) for index in range(30)]
    assert first == [questions(draw_study(41, index, "clinical")) for index in range(30)]
    assert first != [questions(draw_study(42, index, "clinical")) for index in range(30)]
