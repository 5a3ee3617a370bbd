"""M3AE fine-tuned: start weights of the pre-trained pair, questions and their answers, labels of pairs, reports found for images."""

import math
from collections import Counter

import pytest
import torch
from torch.nn.functional import one_hot

from tests.unit.test_m3ae import SIZES, Changed, configured, dataset
from training.data_commands import answers
from training.loop import Trainer
from training.setup import resolve
from workbench import words
from workbench.batches import Address, Rows, collate
from workbench.dataset import Text
from workbench.errors import UserError
from workbench.interop.weights import initialise_from
from workbench.method import group_of
from workbench.models import build_method, load_method, method_config
from workbench.run import create_run

PAIR = {name: value for name, value in SIZES.items() if not name.startswith(("decoder", "pixel"))}
ANSWERS = ["no", "YES", "PA", "AP", "left", "right"]
VQA, CLASSIFY = PAIR | {"name": "m3ae_vqa", "answers": ANSWERS}, PAIR | {"name": "m3ae_classify", "labels": len(dataset().label_names)}
RETRIEVE = PAIR | {"name": "m3ae_retrieve", "false_texts": 3}


def batch_of(values, studies=8, changes=None, step=0):
    chosen, config = method_config(values)
    rows = Rows(chosen, config, {"data": Changed(changes or {})}, 0)
    return collate([rows[Address("data", index, step)] for index in range(studies)])


@pytest.fixture(scope="module")
def pretrained(tmp_path_factory):
    """A run of M3AE, two steps."""
    run = create_run(resolve(configured(stages=[{"steps": 2}])), tmp_path_factory.mktemp("runs"))
    Trainer(run, shared=True).train()
    return run


@pytest.mark.parametrize("values", [VQA, CLASSIFY, RETRIEVE], ids=lambda each: each["name"])
def test_fine_tuning_starts_from_the_pretrained_pair_and_learns(values, pretrained, tmp_path):
    config = resolve(configured(method=values, init_from={"pair": str(pretrained.path)}, stages=[{"steps": 3}]))
    trainer = Trainer(create_run(config, tmp_path), shared=True)
    given, own = load_method(pretrained).state_dict(), trainer.method.state_dict()
    assert all(torch.equal(own[name], given[name]) for name in own if name.startswith("pair."))
    report = trainer.init_report["pair"]
    assert not report["missing"] and any("word_head" in name for name in report["unused"])
    assert trainer.train() == "finished"


def test_a_pair_of_another_size_is_refused(pretrained):
    method = build_method(VQA | {"fusion_width": 18}, 0)
    with pytest.raises(UserError, match=r"init_from.pair: .*weights of another architecture"):
        initialise_from(method, {"pair": str(pretrained.path)})
    report = initialise_from(build_method(VQA | {"image_size": 64}, 0), {"pair": str(pretrained.path)})["pair"]
    assert list(report["adapted"]) == ["pair.vision.pos_embed"] and not report["missing"], "another image size is told"


def test_questions_are_drawn_anew_and_their_answers_found_by_name():
    chosen, parsed = method_config(VQA | {"questions": 3})
    rows, seen = Rows(chosen, parsed, {"data": dataset()}, 0), set()
    asked = dataset()[2]["questions"]
    places = {"no": 0, "yes": 1, "PA": 2, "AP": 3, "left": 4, "right": 5}
    wanted = {tuple(words.row(each["question"], parsed.text, 96)["input_ids"]): places.get(each["answer"], -1) for each in asked}
    for step in range(12):
        row = rows[Address("data", 2, step)]
        ids = [tuple(text["input_ids"]) for text in row["texts"]]
        assert [wanted[each] for each in ids] == row["target"].tolist()
        seen |= set(ids)
    assert len(seen) > 3
    lone = batch_of(VQA, 2, {0: {"questions": asked[:1]}})
    assert lone["extra"]["target"][0].tolist()[1:] == [-2, -2, -2] and len(lone["text_index"]) == 5
    with pytest.raises(UserError, match="has no question"):
        batch_of(VQA, 1, {0: {"questions": []}})


@torch.no_grad()
def test_answers_are_scored_against_the_image_of_their_own_study():
    method, batch = build_method(VQA, 0).eval(), batch_of(VQA, 5)
    logits, target = method.answer(batch), batch["extra"]["target"].flatten()
    target = target[target != -2]
    scores = one_hot(target.clamp(min=0), 6) * (target >= 0)[:, None]
    p = torch.sigmoid(logits.double())
    wanted = -(scores * p.log() + (1 - scores) * (1 - p).log()).sum()
    found = method(batch)
    assert float(found.terms["answers"].sum) == pytest.approx(float(wanted), rel=1e-5)
    assert found.terms["answers"].count == method.counts(batch, "train")["answers"] == len(target)
    right = logits.argmax(1) == target
    assert float(found.scalars["answers right"]) == pytest.approx(float(right.float().mean()))
    closed = batch["extra"]["closed"].flatten()[batch["extra"]["target"].flatten() != -2]
    assert float(found.scalars["closed right"]) == pytest.approx(float(right[closed].float().mean()))
    last = int((batch["text_index"] == 4).sum())
    alone = collate([Rows(*method_config(VQA), {"data": dataset()}, 0)[Address("data", 4, 0)]])
    torch.testing.assert_close(method.answer(alone), logits[-last:], rtol=1e-4, atol=1e-5)
    joint = method.features_of(batch, ["joint"])["joint"]
    assert joint.shape == (5, 32)
    assert method.levels(5)["terms.answers"]["value"] == pytest.approx(6 * math.log(2))
    report = method.mechanism_report(batch)
    assert report["answers right, its own image"] == pytest.approx(float(right.float().mean())) and len(report) == 2


def test_the_head_learns_fastest():
    groups = build_method(VQA | {"fast": 3.0, "faster": 7.0}, 0).parameter_groups()
    names = ("head.layers.0.weight", "head.layers.0.bias", "pair.fusion.kind.weight", "pair.vision.norm.weight", "pair.text.words.weight")
    assert [group_of(name, groups).lr_scale for name in names] == [7, 7, 3, 1, 1]


@torch.no_grad()
def test_labels_are_read_from_the_image_and_the_chosen_section():
    texts = [Text("The heart is enlarged.", "findings"), Text("Cardiomegaly.", "impression")]
    changes = {0: {"texts": texts}, 1: {"texts": texts[1:]}}
    batch = batch_of(CLASSIFY | {"section": "impression"}, 4, changes)
    assert batch["text_id"][0] == batch["text_id"][1] != batch_of(CLASSIFY, 4, changes)["text_id"][0]
    method = build_method(CLASSIFY, 0).eval()
    labels = batch["labels"].clone()
    labels[:, 0] = math.nan
    p, y = torch.sigmoid(method.features_of(batch, ["joint.logits"])["joint.logits"].double())[:, 1:], labels[:, 1:]
    found = method({**batch, "labels": labels}).terms["labels"]
    assert float(found.sum) == pytest.approx(float(-(y * p.log() + (1 - y) * (1 - p).log()).sum()), rel=1e-5)
    assert found.count == 4 * (labels.shape[1] - 1) == method.counts({**batch, "labels": labels}, "train")["labels"]
    report = method.mechanism_report({**batch, "labels": labels})
    assert report["labels right, its own pair"] == pytest.approx(float(((p > 0.5) == (y == 1)).float().mean()))
    assert method.levels(4)["terms.labels"]["value"] == pytest.approx(math.log(2))
    with pytest.raises(UserError, match="method m3ae_classify expects 3 labels"):
        batch_of(CLASSIFY | {"labels": 3}, 1)


def test_reports_are_ranked_by_the_matching_head():
    method, batch = build_method(RETRIEVE, 0).eval(), batch_of(RETRIEVE, 5)
    with torch.no_grad():
        every = method.ranking(batch)
        joint = method.features_of(batch, ["joint"])["joint"]
        torch.testing.assert_close(every.diagonal(), method.pair.match(joint)[:, 1], rtol=1e-4, atol=1e-5)
        one = method.scores(batch, method.pair.see_first(batch), torch.tensor([[3], [1], [4], [0], [2]]))
        torch.testing.assert_close(one[:, 0], every[torch.arange(5), [3, 1, 4, 0, 2]], rtol=1e-4, atol=1e-5)
        whole = build_method(RETRIEVE | {"false_texts": 4}, 0).eval()(batch).terms["ranking"]
        wanted = (every.exp().sum(1).log() - every.diagonal()).sum()
        assert float(whole.sum) == pytest.approx(float(wanted), rel=1e-4) and whole.count == 5
    assert method.levels(5)["terms.ranking"]["value"] == pytest.approx(math.log(4))
    assert method.mechanism_report(batch)["chance"] == pytest.approx(0.2)
    with pytest.raises(UserError, match=r"set method\.false_texts below batch"):
        method.train()(batch_of(RETRIEVE, 3))
    with pytest.raises(UserError, match="has no report"):
        batch_of(RETRIEVE, 1, {0: {"texts": []}})


def test_a_report_with_the_same_words_is_no_false_one_unless_as_published():
    same = {index: {"texts": dataset()[0]["texts"]} for index in range(5)}
    values = RETRIEVE | {"false_texts": 4}
    with torch.no_grad():
        found = {
            how: build_method(values | {"negatives": how}, 0).eval()(batch_of(values, 5, same)).terms["ranking"].sum
            for how in ("fixed", "official")
        }
    assert float(found["fixed"]) == 0 and float(found["official"]) == pytest.approx(5 * math.log(5), rel=0.05)


def test_the_answers_of_the_training_split_are_listed_by_how_often_they_are_given():
    settings = ["level=teaching", "size=32", "train=24", "val=6", "test=0"]
    document, said = answers("phantoms", ["train"], 2, None, settings)
    given = Counter(each["answer"] for index in dataset().split("train") for each in dataset()[int(index)]["questions"])
    assert document["answers"] == {answer: count for answer, count in given.items() if count >= 2}
    assert list(document["answers"].values()) == sorted(document["answers"].values(), reverse=True) and '"yes"' in said
    assert document["share"] == pytest.approx(sum(count for count in given.values() if count >= 2) / given.total())
    every = answers("phantoms", ["train", "val"], 1, None, settings)[0]
    assert every["questions"] > document["questions"] == given.total()
