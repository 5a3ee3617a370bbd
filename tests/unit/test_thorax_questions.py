"""Questions of a study of the thorax: answered again from labels, boxes, mentions and the prior study, which know nothing of them."""

import re
from collections import Counter, defaultdict

from tests.unit.test_thorax_reports import PRIORS, STUDIES
from workbench.data.phantoms import Config, load
from workbench.phantom import DEVICES, FINDINGS
from workbench.phantom.comparison import changes
from workbench.phantom.concepts import concepts
from workbench.phantom.questions import CONCEPT, UNCOUNTED, questions
from workbench.phantom.thorax.latents import MIDDLE

ASKED = [questions(study, prior) for study, prior in zip(STUDIES, PRIORS)]
NOUN = {name: noun for name, (noun, _) in CONCEPT.items()}
FINDING = {row: name for name, (_, row) in CONCEPT.items()}


def asked(kind):
    """(question, finding asked about or None, study, prior study) of one kind."""
    for rows, study, prior in zip(ASKED, STUDIES, PRIORS):
        for each in rows:
            if each.kind == kind:
                yield each, next((FINDING[name] for name in each.concepts if name in FINDING), None), study, prior


def test_presence_is_the_label_and_balanced():
    answers = defaultdict(Counter)
    for each, name, study, _ in asked("presence"):
        assert NOUN[name] in each.question and each.answer == ("yes" if study.has(name) else "no")
        assert bool(each.evidence) == study.has(name)
        answers[name][each.answer] += 1
    assert set(answers) == {*FINDINGS}
    assert all(abs(counted["yes"] / counted.total() - 0.5) < 0.13 for counted in answers.values()), answers


def test_sides_sizes_amounts_and_places_are_those_of_the_latents():
    kinds = Counter()
    for kind in ("side", "location", "amount", "degree", "density", "size"):
        for each, name, study, _ in asked(kind):
            found = [finding for finding in study.findings if finding.name == name]
            worst = max(found, key=lambda finding: finding.severity)
            kinds[kind, name] += 1
            assert not each.options or each.answer in each.options
            if kind == "side":
                assert each.answer == ("both" if len(found) == 2 else worst.side)
            elif kind == "location":
                assert each.answer == f"{worst.side} {worst.zone} zone" and len(found) == 1
            elif kind == "size":
                assert each.answer == f"{round(20 * worst.size)} mm"
            else:
                assert each.options.index(each.answer) == min(int(len(each.options) * worst.severity), len(each.options) - 1)
    assert {name for kind, name in kinds if kind == "side"} == {*FINDINGS} - {*MIDDLE}
    assert {name for kind, name in kinds if kind in ("amount", "degree", "density", "size")} == {
        "effusion",
        "pneumothorax",
        "cardiomegaly",
        "oedema",
        "consolidation",
        "nodule",
        "mass",
    }


def test_changes_devices_and_lists_are_those_of_the_studies():
    told = Counter()
    for each, name, study, prior in asked("change"):
        assert each.answer == changes(study, prior)[name] and each.answer in each.options
        told[each.answer] += 1
    assert set(told) == {"increased", "decreased", "unchanged", "new", "resolved"}
    for each, _, study, _ in asked("device"):
        assert each.answer == (", ".join(name for name in DEVICES if study.has(name)) or "none")
    for each, _, study, _ in asked("count"):
        assert int(each.answer) == sum(study.labels[: -len(DEVICES)])
    for each, _, study, _ in asked("abnormalities"):
        named = [] if each.answer == "none" else [re.sub("^(right|left|bilateral) ", "", words) for words in each.answer.split(", ")]
        assert named == [NOUN[name] for name in FINDINGS if name not in DEVICES and study.has(name)]


def test_a_question_is_well_put_and_a_function_of_its_address():
    for rows in ASKED:
        assert len({(each.kind, *each.concepts) for each in rows}) == len(rows)
        for each in rows:
            assert each.question.endswith("?") and not re.search(r"[{}]|  |\ba [aeiou]|\ban [^aeiou]", each.question), each.question
            assert each.answer_type == ("closed" if each.options else "open") and set(each.concepts) <= set(concepts())
            assert not re.search(rf"\ban? ({'|'.join(NOUN[name] for name in UNCOUNTED)})", each.question)
    assert questions(STUDIES[5], PRIORS[5]) == ASKED[5] != questions(STUDIES[6], PRIORS[6])


def test_boxes_of_all_films_show_the_answer():
    found, shown = load(Config(size=16, train=24, val=4, test=4, seed=6, films="study")), 0
    for sample in (found[index] for index in range(24)):
        for row in sample["questions"]:
            boxes = [sample["boxes"][place] for place in row["boxes"]]
            about = {FINDING[name] for name in row["concepts"] if name in FINDING}
            assert {box["label"] for box in boxes} <= about
            if row["kind"] in ("presence", "side", "size", "change") and row["answer"] != "no":
                assert len(boxes) == sum(box["label"] in about for box in sample["boxes"])
            shown += len({box["image"] for box in boxes}) > 1
    assert shown > 5
