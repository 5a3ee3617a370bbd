"""What is particular to MedFLIP: one masked view for two signals, soft targets, the forms of the Medical-SVD, the unmasked end."""

import math
import multiprocessing
import socket
from datetime import timedelta

import numpy as np
import pytest
import torch
import torch.distributed as dist
from torch.nn.functional import normalize

from tests.toys import points
from tests.unit.test_text import small_bert  # noqa: F401
from training.loop import Trainer
from training.setup import resolve
from workbench import text
from workbench.batches import Address, Rows, collate
from workbench.errors import UserError
from workbench.losses.contrastive import info_nce, soft_clip
from workbench.losses.geometry import svd_global, svd_masked, svd_paired, svd_spectrum, svd_tokens
from workbench.method import capabilities
from workbench.models import build_method, method_config
from workbench.nn import meaning
from workbench.nn.language import text_tower
from workbench.nn.vit import split_mask
from workbench.run import RunConfig, create_run, without_timings

SIZES = {"name": "medflip", "image_size": 16, "patch_size": 4, "width": 12, "depth": 2, "heads": 3, "dim": 9}
SIZES |= {"decoder_width": 8, "decoder_depth": 2, "decoder_heads": 2, "augment": "none"}
OTHER = {"vision": "resnet_small", "image_size": 32, "mask_ratio": 0.0, "weights": {"pixels": 0.0}}


@pytest.fixture(autouse=True)
def plugins(monkeypatch):
    monkeypatch.setenv("WORKBENCH_PLUGINS", "tests.toys")


def build(seed=0, **more):
    return build_method(SIZES | more, seed)


def batch_of(studies=8, images=1, **more):
    data = points.load(points.Config(studies=24, images=images))
    chosen, config = method_config(SIZES | more)
    rows = Rows(chosen, config, {"points": data}, 0)
    return collate([rows[Address("points", index, 0)] for index in range(studies)])


def masked_pair(method, batch):
    """Projections of the masked view and of the texts, by hand."""
    kept, _ = split_mask(batch["extra"]["mask"])
    x = method.image_projector(method.vision(batch["images"], kept).patches.mean(1))
    return x, method.text_projector(method.text(batch["input_ids"], batch["attention_mask"]))


def alike_by_labels(batch, temperature=0.1):
    vectors = torch.cat([batch["labels"], (batch["labels"].sum(1, keepdim=True) == 0).float()], 1)
    return normalize(vectors, dim=1) @ normalize(vectors, dim=1).T / temperature


def test_one_masked_view_is_reconstructed_and_compared_with_its_text():
    method, batch = build(), batch_of()
    seen = []
    method.vision.register_forward_hook(lambda module, given, found: seen.append(found.patches.shape[1]))
    found = method(batch)
    assert seen == [8], "one pass of the encoder, on half of 16 patches"
    x, y = masked_pair(method, batch)
    wanted = soft_clip(x, y, alike_by_labels(batch), 1 / 0.07)
    torch.testing.assert_close(found.terms["contrastive"].sum, wanted)
    mae = build_method({key: value for key, value in SIZES.items() if key != "dim"} | {"name": "mae", "mask_ratio": 0.5}, 0)
    torch.testing.assert_close(found.terms["pixels"].sum, mae(batch).terms["pixels"].sum)
    assert found.terms["pixels"].count == 8 * 8 == method.counts(batch, "train")["pixels"]


def test_each_term_reaches_its_own_parts():
    method, batch, reached = build(), batch_of(), {}
    for term, value in method(batch).terms.items():
        method.zero_grad()
        value.sum.backward(retain_graph=True)
        reached[term] = {name.split(".")[0] for name, each in method.named_parameters() if each.grad is not None}
    shared = {"vision", "image_projector", "text_projector"}
    assert reached == {"pixels": {"vision", "decoder"}, "contrastive": shared | {"temperature"}, "svd": shared}


@torch.no_grad()
def test_evaluation_sees_whole_images():
    method, batch = build().eval(), batch_of()
    other = batch | {"extra": batch["extra"] | {"mask": batch["extra"]["mask"].flip(1)}}
    for name in method.features:
        assert torch.equal(method.features_of(batch, [name])[name], method.features_of(other, [name])[name])
    wanted = normalize(method.image_projector(method.vision(batch["images"]).patches.mean(1)), dim=1)
    torch.testing.assert_close(method.project_image(batch), wanted)
    assert method.features_of(batch, ["image.patches"])["image.patches"].shape == (8, 16, 12)
    assert not torch.equal(method(batch).terms["contrastive"].sum, method(other).terms["contrastive"].sum)


@pytest.mark.parametrize("duplicates", ["hard", "drop_duplicates"])
def test_hard_targets_take_text_ids(duplicates):
    more = {"targets": "hard", "duplicates": duplicates}
    method, batch = build(**more), batch_of(**more)
    assert len(batch["text_id"].unique()) < 8, "texts repeat"
    x, y = masked_pair(method, batch)
    torch.testing.assert_close(method(batch).terms["contrastive"].sum, info_nce(x, y, 0.07, batch["text_id"], duplicates))


def test_hard_targets_call_equal_texts_wrong_and_soft_ones_do_not():
    """Eight times one normal film with one sentence: nothing tells them apart, so nothing is left to learn."""
    batch, floor = batch_of(), {}
    batch |= {"labels": torch.zeros_like(batch["labels"]), "text_id": batch["text_id"] * 0 + 5}
    batch |= {"images": batch["images"][:1].expand(8, -1, -1, -1), "extra": {"mask": batch["extra"]["mask"][:1].expand(8, -1)}}
    batch |= {"input_ids": batch["input_ids"][:1].expand(8, -1), "attention_mask": batch["attention_mask"][:1].expand(8, -1)}
    for targets, duplicates in (("hard", "hard"), ("hard", "drop_duplicates"), ("labels", "hard")):
        method = build(targets=targets, duplicates=duplicates)
        found = method(batch)
        floor[targets, duplicates] = float(found.terms["contrastive"].sum.detach() - found.scalars.get("contrastive floor", 0.0))
    assert floor["hard", "hard"] > math.log(8) - 0.01
    assert floor["hard", "drop_duplicates"] == pytest.approx(0, abs=1e-5) and floor["labels", "hard"] == pytest.approx(0, abs=1e-5)


@pytest.mark.parametrize("form", ["svd_masked", "svd_tokens", "svd_global", "svd_spectrum"])
@pytest.mark.parametrize("targets", ["labels", "hard"])
def test_the_form_is_the_chosen_one(form, targets):
    more = {"svd": form, "targets": targets, "svd_words": 6}
    method, batch = build(**more), batch_of(**more)
    found = method(batch).terms["svd"]
    x, y = masked_pair(method, batch)
    cosines, alike, ids = normalize(x, dim=1) @ normalize(y, dim=1).T, alike_by_labels(batch), batch["text_id"]
    same = ids[:, None] == ids
    if form == "svd_tokens":
        patches = method.image_projector(method.vision(batch["images"], split_mask(batch["extra"]["mask"])[0]).patches)
        words, there = method.text.words(batch["input_ids"], batch["attention_mask"], 6)
        wanted = svd_tokens(
            patches, method.text_projector(words), there, 0.1, ids, "drop_duplicates", alike if targets == "labels" else None
        )
    elif form == "svd_masked":
        wanted = svd_masked(cosines, (alike > 0) | same if targets == "labels" else same)
    elif form == "svd_global":
        wanted = svd_global(cosines)
    else:
        wanted = svd_spectrum(cosines, alike.softmax(1) if targets == "labels" else same / same.sum(1, keepdim=True), 0.1)
    torch.testing.assert_close(found.sum, wanted)
    found.sum.backward()
    assert found.count == 1 and float(method.image_projector[1].weight.grad.abs().sum()) > 0


def test_pairs_alone_take_the_mean_over_pairs():
    more = {"targets": "hard", "duplicates": "hard"}
    method, batch = build(**more), batch_of(**more)
    x, y = masked_pair(method, batch)
    torch.testing.assert_close(method(batch).terms["svd"].sum, svd_paired(normalize(x, dim=1) @ normalize(y, dim=1).T))


def test_signs_are_passed_on():
    found = {sign: float(build(svd_sign=sign)(batch_of()).terms["svd"].sum.detach()) for sign in ("relu", "raw", "shift")}
    assert len({round(value, 6) for value in found.values()}) == 3


def test_terms_of_weight_zero_cost_nothing():
    method, batch = build(weights={"pixels": 0.0, "svd": 0.0}), batch_of()
    method.decoder.forward = lambda *given: pytest.fail("the decoder rests")
    assert set(method(batch).terms) == {"contrastive"}


def test_targets_from_text_and_from_what_reports_affirm():
    method, batch = build(targets="text"), batch_of(targets="text")
    t = method.encode_text(batch)
    x, y = masked_pair(method, batch)
    wanted = soft_clip(x, y, normalize(t, dim=1) @ normalize(t, dim=1).T / 0.1, 1 / 0.07)
    torch.testing.assert_close(method(batch).terms["contrastive"].sum, wanted)

    def sample(*mentions):
        return {"key": "k", "texts": ["x"], "entities": [dict(zip(("concept", "label", "assertion"), each)) for each in mentions]}

    reports = [
        sample(("effusion", "effusion", "present"), ("heart", "", "present")),
        sample(("effusion", "effusion", "present"), ("nodule", "nodule", "absent")),
        sample(("nodule", "nodule", "absent")),
        sample(),
    ]
    config = meaning.MeaningFields(targets="entities")
    rows = torch.stack([torch.from_numpy(meaning.needed(each, config, "medflip")["concepts"]) for each in reports])
    assert meaning.likeness(rows, config, "medflip").tolist() == [[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 1], [0, 0, 1, 1]]
    assert not text.affirmed(reports[3], 4, no_finding=False).any()


def test_what_makes_a_positive():
    alike, ids = torch.tensor([[1.0, 0.6], [0.6, 1.0]]), torch.tensor([1, 2])
    for fields, wanted in (({}, 4), ({"targets": "text"}, 2), ({"targets": "text", "positives_above": 0.5}, 4)):
        assert int(meaning.positives(alike, ids, meaning.MeaningFields(**fields)).sum()) == wanted


def test_a_study_like_nothing_keeps_its_own_text_and_none_alike_is_refused():
    config = meaning.MeaningFields(no_finding=False)
    labels = torch.tensor([[1.0, 0], [0, 0]])
    assert meaning.likeness(labels, config, "medflip").tolist() == [[1, 0], [0, 1]]
    with pytest.raises(UserError, match=r"targets: labels no study of a batch is like any.*set no_finding: true"):
        meaning.likeness(labels * 0, config, "medflip")


def test_targets_that_the_data_lack_are_named():
    with pytest.raises(UserError, match="targets: entities, but the data set gives none; set targets: text or hard"):
        batch_of(targets="entities")


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"vision": "resnet_small"}, r"resnet_small cannot drop patches; set mask_ratio: 0"),
        ({"mask_ratio": 0.0}, r"mask_ratio 0 hides nothing to reconstruct; set weights.pixels: 0"),
        (OTHER | {"pooling": "class"}, r"set channels: 1, pooling: mean"),
        ({"image_size": 18}, "medflip: image_size 18 is no multiple of patch_size 4"),
    ],
)
def test_settings_that_exclude_each_other_are_refused_before_the_run(values, said):
    with pytest.raises(UserError, match=said):
        build(**values)


@pytest.mark.parametrize("tower", ["resnet_small", "timm:test_vit", "timm:test_convnext"])
def test_other_towers_serve_unmasked(tower):
    more = OTHER | {"vision": tower, "svd": "svd_tokens"}
    method, batch = build(**more), batch_of(**more)
    found = method(batch)
    sum(term.sum for term in found.terms.values()).backward()
    assert set(found.terms) == {"contrastive", "svd"} and "Reconstructs" not in capabilities(method)
    assert method.features_of(batch, ["image.projected"])["image.projected"].shape == (8, 9)
    if tower == "timm:test_vit":
        assert method.attention(batch)["image"].ndim == 5


@pytest.mark.parametrize("form", ["svd_masked", "svd_tokens", "svd_global", "svd_spectrum"])
def test_a_batch_of_one_and_one_without_reports_are_finite(form):
    method, one = build(svd=form), batch_of(1)
    found = method(one)
    assert all(math.isfinite(float(term.sum.detach())) for term in found.terms.values())
    batch = batch_of()
    mute = method(batch | {"text_id": torch.zeros_like(batch["text_id"])})
    assert (
        float(mute.terms["contrastive"].sum.detach()) == float(mute.terms["svd"].sum.detach()) == 0 and mute.terms["svd"].sum.requires_grad
    )
    assert float(mute.terms["pixels"].sum) > 0


def test_embeddings_that_are_not_finite_stop_the_term_not_the_process():
    method, batch = build(), batch_of()
    with torch.no_grad():
        method.image_projector[1].weight[0, 0] = math.nan
    assert math.isnan(float(method(batch).terms["svd"].sum.detach()))


def test_several_images_of_a_study_share_its_mask_and_are_averaged():
    batch = batch_of(4, images=3, svd="svd_tokens")
    found = build(svd="svd_tokens")(batch)
    assert found.tensors["image.backbone"].shape == (4, 12) and found.terms["pixels"].count == 4 * 3 * 8


def test_a_trainable_text_tower_gets_gradients_from_words_too(small_bert):  # noqa: F811
    more = {"text": str(small_bert[0]), "text_trainable": True, "svd": "svd_tokens", "svd_words": 3}
    method, batch = build(**more), batch_of(**more)
    method(batch).terms["svd"].sum.backward()
    assert method.text.model.embeddings.word_embeddings.weight.grad is not None


@torch.no_grad()
def test_words_are_the_hidden_states_between_the_marks(small_bert):  # noqa: F811
    folder, model = small_bert
    for trainable in (False, True):
        config = text.TextFields(text=str(folder), text_trainable=trainable)
        tower = text_tower(config)
        if trainable:
            tower.eval()
        rows = [text.row(each, config)["input_ids"] for each in ("Heart normal. No effusion.", "Effusion.")]
        ids = torch.nn.utils.rnn.pad_sequence([torch.from_numpy(row.copy()) for row in rows], batch_first=True)
        mask = (ids != 0).long()
        words, there = tower.words(ids, mask, 4)
        first = model(input_ids=ids[:1, :5]).last_hidden_state[0, 1:4]
        torch.testing.assert_close(words[0, :3], first, rtol=1e-4, atol=1e-5)
        assert there.tolist() == [[True] * 4, [True, True, False, False]] and not words[1, 2:].any()


def test_levels():
    for form, wanted in (("svd_masked", 1.0), ("svd_tokens", math.log(8)), ("svd_global", -1.0)):
        levels = build(svd=form).levels(8)
        assert levels["terms.svd"]["value"] == pytest.approx(wanted) and levels["terms.contrastive"]["value"] == pytest.approx(math.log(8))
    assert "terms.svd" not in build(svd="svd_spectrum").levels(8)


@torch.no_grad()
def test_the_mechanism_in_numbers():
    method, batch = build().eval(), batch_of()
    report = method.mechanism_report(batch)
    assert report["patches shown"] == 0.5 and 0 < report["cosine of masked and whole view"] < 1
    assert report["rows that repeat a text"] == pytest.approx(1 - len(batch["text_id"].unique()) / 8)
    cosines = method.score(method.project_image(batch), method.project_text(batch))
    positives = alike_by_labels(batch) > 0
    wanted = np.linalg.svd((cosines.relu() * positives).numpy())[1][0] / np.linalg.svd(positives.float().numpy())[1][0]
    assert report["s1 of positives, share of its most"] == pytest.approx(wanted, rel=1e-4)
    assert report["cosine of negatives"] == pytest.approx(float(cosines[~positives].mean()), rel=1e-4)
    assert report["entropy of the targets"] > 0 and report["explained of the trivial error"] < 1
    assert report["s1 of all, share of its most"] == pytest.approx(np.linalg.svd(cosines.numpy())[1][0] / 8, rel=1e-4)
    assert not any(name.startswith("s1 of patches") for name in report)
    bare = build(targets="hard", mask_ratio=0.0, weights={"pixels": 0.0}).eval()
    assert "entropy of the targets" not in bare.mechanism_report(batch_of(mask_ratio=0.0))


@torch.no_grad()
def test_the_mechanism_of_tokens_compares_own_reports_with_others():
    more = {"svd": "svd_tokens", "svd_words": 5}
    method, batch = build(**more).eval(), batch_of(**more)
    report, found = method.mechanism_report(batch), np.zeros((8, 8))
    patches = normalize(method.image_projector(method.vision(batch["images"]).patches), dim=2)
    words, there = method.text.words(batch["input_ids"], batch["attention_mask"], 5)
    words = normalize(method.text_projector(words), dim=2)
    for i, j in np.ndindex(8, 8):
        spoken = words[j][there[j]]
        found[i, j] = np.linalg.svd((patches[i] @ spoken.T).numpy())[1][0] / (16 * len(spoken)) ** 0.5
    assert report["s1 of patches and words, own report"] == pytest.approx(np.trace(found) / 8, rel=1e-4)
    assert report["s1 of patches and words, others"] == pytest.approx((found.sum() - np.trace(found)) / 56, rel=1e-4)


def run_config(**more):
    values = {"method": SIZES, "data": {"points": {"config": {"name": "tests.toys.points"}}}, "batch": 8}
    values |= {"device": "cpu", "checkpoint_every": 1, "monitors": {"studies": 0}, "log_every": 1}
    end = {"name": "unmasked", "steps": 2, "method": {"mask_ratio": 0.0}, "weights": {"pixels": 0.0}}
    return resolve(RunConfig.model_validate(values | {"stages": [{"steps": 2}, end]} | more))


@pytest.mark.parametrize("workers", [0, 1])
def test_the_unmasked_end_is_a_stage_and_a_resume_within_it_is_exact(workers, tmp_path):
    runs = [create_run(run_config(workers=workers), tmp_path) for _ in range(2)]
    seen, decoders = [], []

    class Watched(Trainer):
        def train_step(self, batches):
            seen.append(float(batches[0]["extra"]["mask"].float().mean()))
            decoders.append(self.method.decoder.pred.weight.detach().clone())
            if self.run is runs[1] and self.step == 2:
                self.stopping = "asked"
            return super().train_step(batches)

    assert Watched(runs[0], shared=True).train() == "finished"
    assert seen == [0.5, 0.5, 0, 0]
    assert not torch.equal(decoders[0], decoders[1]) and torch.equal(decoders[2], decoders[3]), "the decoder rests where nothing is hidden"
    assert Watched(runs[1], shared=True).train() == "stopped"
    assert Watched(runs[1], shared=True, resume=True).train() == "finished"
    assert seen[4:] == [0.5, 0.5, 0, 0]
    a, b = ([each for each in without_timings(run.metrics()) if each["kind"] == "train"] for run in runs)
    assert a == b and "pixels" not in a[3]["terms"]


@pytest.mark.parametrize(
    ("given", "said"), [({"depth": 3}, "method.depth: not a live field"), ({"mask_ratio": 2}, "less than or equal to")]
)
def test_a_stage_sets_live_fields_within_bounds_only(given, said, tmp_path):
    run = create_run(run_config(stages=[{"steps": 1}, {"name": "end", "steps": 1, "method": given}]), tmp_path)
    with pytest.raises(UserError, match=f"stage end.*{said}"):
        Trainer(run, shared=True)


def step(world, rank, form, start, stop):
    """Value and gradient by the loop's convention, in float64."""
    method = build(svd=form, svd_words=4).double()
    batch = rows_of(batch_of(), start, stop)
    terms = method(batch).terms
    counts = torch.tensor([float(term.count) for term in terms.values()], dtype=torch.float64)
    if world > 1:
        dist.all_reduce(counts)
    parts = [term.sum / count for term, count in zip(terms.values(), counts)]
    (sum(parts) * world).backward()
    found = torch.cat([torch.stack(parts).detach(), *(each.grad.flatten() for each in method.parameters())])
    if world > 1:
        dist.all_reduce(found)
        found[len(parts) :] /= world
    return found


def rows_of(batch, start, stop):
    """Some studies of a batch with one image and one text each."""
    named = {name: value[start:stop] for name, value in batch.items() if name != "extra"}
    named |= {"images": named["images"].double(), "labels": named["labels"].double()}
    return named | {"image_index": torch.arange(stop - start), "extra": {name: value[start:stop] for name, value in batch["extra"].items()}}


def join(rank, port, forms):
    dist.init_process_group("gloo", f"tcp://127.0.0.1:{port}", timeout=timedelta(seconds=120), world_size=2, rank=rank)
    try:
        return [*(step(2, rank, form, *((0, 3), (3, 8))[rank]) for form in forms), build().levels(4)["terms.contrastive"]["value"]]
    finally:
        dist.destroy_process_group()


def test_two_processes_with_unequal_shares_equal_one_value_and_gradient():
    forms = ("svd_masked", "svd_tokens", "svd_global", "svd_spectrum")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    other = multiprocessing.get_context("spawn").Process(target=join, args=(1, port, forms))
    other.start()
    found = join(0, port, forms)
    other.join(60)
    assert other.exitcode == 0
    assert found.pop() == pytest.approx(math.log(8)), "texts of both processes"
    for form, each in zip(forms, found, strict=True):
        torch.testing.assert_close(each, step(1, 0, form, 0, 8), rtol=1e-6, atol=1e-8)
