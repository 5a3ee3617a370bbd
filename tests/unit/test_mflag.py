"""M-FLAG whole: its augmentation, the quirks of its code as switches, the account of parameters, the mechanism in numbers."""

import math
import multiprocessing
import socket
from datetime import timedelta

import numpy as np
import pytest
import torch
import torch.distributed as dist
from PIL import Image as Picture

from tests.unit.test_methods import batch_of, build
from tests.unit.test_text import small_bert  # noqa: F401
from workbench import account, warps
from workbench.dataset import Image, Text
from workbench.errors import UserError
from workbench.losses.geometry import orthogonality, orthogonality_floor
from workbench.methods.mflag import MFLAG, MFLAGConfig, report
from workbench.randomness import rng
from workbench.transforms import MEAN, STD, ImageFields

PLAIN = {"orthogonality": "official"}


def film(side=64):
    """Smooth, not symmetric, from 0 to 1."""
    y, x = np.mgrid[:side, :side] / (side - 1)
    return (0.5 + 0.5 * np.sin(3 * x + 5 * y * y)).astype(np.float32)


def grey(values):
    return values * STD + MEAN


def test_turning_and_perspective_are_torchvision_s():
    from torchvision.transforms import InterpolationMode
    from torchvision.transforms import functional as reference

    picture = Picture.fromarray(film())
    found = warps.turned(film(), 37.0, Picture.Resampling.NEAREST)
    np.testing.assert_array_equal(found, np.asarray(reference.rotate(picture, 37.0, InterpolationMode.NEAREST)))
    to = warps.corners(64, np.linspace(0, 0.99, 8).tolist())
    start = [[0, 0], [63, 0], [63, 63], [0, 63]]
    wanted = reference.perspective(picture, start, to.astype(int).tolist(), InterpolationMode.BICUBIC)
    apart = np.abs(warps.askew(film(), to) - np.asarray(wanted).clip(0, 1)) > 1e-3
    assert apart.sum() <= 4, "torchvision solves in float32: single pixels of the border fall on its other side"


def test_corners_move_inwards_by_up_to_half_of_half_a_side():
    assert warps.corners(64, [0.0] * 8).tolist() == [[0, 0], [63, 0], [63, 63], [0, 63]]
    assert warps.corners(64, [0.999] * 8).tolist() == [[16, 16], [47, 16], [47, 47], [16, 47]]


@pytest.mark.parametrize("kind", ["official", "mild"])
def test_warps_are_addressed_and_of_the_size_asked_for(kind):
    config, stored = ImageFields(image_size=56), (film(80) * 255).astype(np.uint8)
    first, again, other = (warps.warped(stored, config, kind, rng(0, "t", step)) for step in (3, 3, 4))
    assert first.shape == (56, 56) and first.dtype == np.float32
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


class Given:
    """A generator whose draws are given."""

    def __init__(self, *draws):
        self.draws = np.array(draws, float)

    def random(self, count):
        assert count == len(self.draws)
        return self.draws


def test_what_each_draw_decides():
    """Crop of 56 from 64, angle, perspective, corners, contrast."""
    config, stored = ImageFields(image_size=56), (film() * 200).astype(np.uint8)
    whole = stored.astype(np.float32) / 255
    still = Given(0.99, 0, 0, 0.6, *[0] * 8, 0.6)
    np.testing.assert_allclose(grey(warps.warped(stored, config, "official", still)), whole[8:, :56], atol=1e-6)
    turned = grey(warps.warped(stored, config, "official", Given(0.99, 0, 1, 0.6, *[0] * 8, 0.6)))
    np.testing.assert_allclose(turned, np.rot90(whole[8:, :56]), atol=1e-6)
    full = grey(warps.warped(stored, config, "official", Given(0.99, 0, 0, 0.6, *[0] * 8, 0.4)))
    assert full.min() == pytest.approx(0, abs=1e-6) and full.max() == pytest.approx(1, abs=1e-6)
    moved = grey(warps.warped(stored, config, "official", Given(0.99, 0, 0, 0.4, *[0.9] * 8, 0.6)))
    np.testing.assert_allclose(moved[:10], 0, atol=1e-6)
    mild = grey(warps.warped(stored, config, "mild", Given(0.99, 0, 0.5, 0.5, 1, *[0] * 7, 0)))
    np.testing.assert_allclose(mild, whole[8:, :56] + 0.1, atol=1e-5)
    least, most = (grey(warps.warped(stored, config, "mild", Given(0.99, 0, draw, 0.5, 0.5, *[0] * 8))) for draw in (0, 1))
    for found, degrees in ((least, -10), (most, 10)):
        np.testing.assert_allclose(found, warps.turned(whole[8:, :56], degrees, Picture.Resampling.BILINEAR), atol=1e-5)


def test_the_brightest_pixels_turn_black_as_in_the_code():
    array = np.array([[100, 228], [356, 355]], np.uint16)
    assert warps.wrapped(array).tolist() == [[0, 128], [0, 255]]
    assert warps.wrapped(np.full((2, 2), 7, np.uint8)).tolist() == [[0, 0], [0, 0]]


def sample(*texts):
    return {"key": "s", "patient": "p", "images": [Image((film() * 255).astype(np.uint8))], "texts": [Text(*each) for each in texts]}


def test_switches_of_the_input():
    both = sample(("Heart normal.", "findings"), ("No effusion.", "Impression"))
    assert report(both, "official") == "No effusion.Heart normal." and report(both, "fixed") == "Heart normal.\n\nNo effusion."
    assert report(sample(("Clear.", "findings")), "official") == "Clear." and report(sample(), "official") == ""
    with pytest.raises(UserError, match=r"study s: method mflag: report: official joins impression and findings"):
        report(sample(("Clear.", None)), "official")
    rows = {}
    for name, more in {"fixed": {}, "official": {"grey_range": "official"}, "warped": {"augment": "official"}}.items():
        config = MFLAGConfig(**{"image_size": 64, "augment": "none"} | more)
        (rows[name],) = MFLAG.transform(config, both, rng(0, "t"))["images"]
    assert grey(rows["fixed"]).max() > 0.99 and rows["warped"].shape == (1, 64, 64)
    brightest = rows["fixed"][0] == rows["fixed"].max()
    assert grey(rows["official"][0][brightest]).max() == pytest.approx(0, abs=1e-6)
    plain = both["images"][0].array
    np.testing.assert_array_equal(rows["warped"][0], warps.warped(plain, ImageFields(image_size=64), "official", rng(0, "t")))


def test_norm_decay_puts_all_parameters_in_one_group():
    assert {group.weight_decay for group in build("mflag").parameter_groups()} == {0.0, None}
    assert build("mflag", norm_decay="official").parameter_groups() == [("*", "main", 1.0, None)]


def spread(rank, port, gathering):
    """The orthogonality of one of two processes with 3 and 5 studies, and what it and CLIP's contrast are read against with 4 a process."""
    dist.init_process_group("gloo", f"tcp://127.0.0.1:{port}", timeout=timedelta(seconds=120), world_size=2, rank=rank)
    try:
        method, batch = build("mflag", **PLAIN, gathering=gathering), batch_of("mflag")
        start, stop = ((0, 3), (3, 8))[rank]
        named = {name: value[start:stop] for name, value in batch.items() if name != "extra"}
        found = method(named | {"image_index": torch.arange(stop - start), "extra": {}}).terms["orthogonality"].sum
        levels = [build("clip").levels(4)["terms.contrastive"], method.levels(4)["terms.orthogonality"]]
        return float(found.detach()), [level["value"] for level in levels]
    finally:
        dist.destroy_process_group()


def in_child(results, *args):
    results.put(spread(1, *args))


@pytest.mark.parametrize("gathering", ["official", "fixed"])
def test_official_processes_do_not_share_their_rows(gathering):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    other = context.Process(target=in_child, args=(results, port, gathering))
    other.start()
    (*found,), levels = zip(spread(0, port, gathering), results.get(timeout=60), strict=True)
    other.join(60)
    shares = []
    for start, stop in ((0, 3), (3, 8)):  # batch statistics are per process, so each share is encoded alone
        method, batch = build("mflag", **PLAIN), batch_of("mflag")
        shares.append(method.vision(batch["images"][start:stop]).detach())
    wanted = [orthogonality(torch.cat(shares), "official")] * 2 if gathering == "fixed" else [orthogonality(z, "official") for z in shares]
    np.testing.assert_allclose(found, [float(each) for each in wanted], rtol=1e-5)
    assert (found[0] == found[1]) is (gathering == "fixed")
    floor = orthogonality_floor(8 if gathering == "fixed" else 4, 12, "official", None, "sum")
    assert levels == (pytest.approx([math.log(8), floor]),) * 2 and build("clip").levels(4)["terms.contrastive"]["value"] == math.log(4)


def test_the_paper_s_78_per_cent():
    """Its own projector counts, the text projector of the code does not; nothing is allocated."""
    with torch.device("meta"):
        parts = MFLAG.published()
        assert all(value.is_meta for module, _ in parts.values() for value in module.parameters())
    found = account.of_parts(parts)
    counts = {part.name: part.parameters for part in found}
    assert counts["image encoder"] == pytest.approx(23.5e6, rel=0.01) and counts["language model"] == pytest.approx(109e6, rel=0.01)
    assert account.saved(found, ["text projector"]) == pytest.approx(0.785, abs=5e-4)
    assert account.saved(found) == pytest.approx(0.765, abs=5e-4)


def test_the_account_of_a_method(small_bert):  # noqa: F811
    tower = {"text": str(small_bert[0]), "text_pooling": "report"}
    frozen, trained = (build("mflag", **tower, text_trainable=trainable) for trainable in (False, True))
    size = sum(value.numel() for name, value in small_bert[1].named_parameters() if "pooler" not in name)
    counts = {part.name: part[1:] for part in account.of_method(frozen)}
    assert counts["text"] == (size, 0) and counts["vision"][0] == counts["vision"][1] > 0
    assert {part.name: part[1:] for part in account.of_method(trained)} == counts | {"text": (size, size)}
    layer = {name for name, _ in trained.named_parameters() if ".layer.1." in name}
    some = {part.name: part.trained for part in account.of_method(trained, layer)}
    assert 0 < some["text"] < size and some["vision"] == 0


def test_the_mechanism_in_numbers():
    method, batch = build("mflag"), batch_of("mflag")
    found, z = method.mechanism_report(batch), method.encode_image(batch).detach().double().numpy()
    values = np.linalg.svd(z - z.mean(0), compute_uv=False)
    share = values[values > 0] / values.sum()
    assert found["effective rank of the backbone"] == pytest.approx(np.exp(-(share * np.log(share)).sum()), rel=1e-4)
    assert found["projected features of std below .1 / sqrt(d)"] == 0, "BatchNorm holds their scale while it trains"
    counted = account.of_method(method)
    assert found["share of the parameters that does not train"] == account.saved(counted) > 0.99
    name, few = "projected features of std below .1 / sqrt(d)", build("mflag").eval()
    raw, end = few.image_projector[:4](few.encode_image(batch)).detach(), few.image_projector[4]
    end.running_mean, end.running_var = raw.mean(0) - 15 * raw.std(0), raw.var(0)  # of unit rows the deviation is then about 1 / 45
    x = few.features_of(batch, ["image.projected"])["image.projected"].detach().numpy()
    deviation = (x / np.linalg.norm(x, axis=1, keepdims=True)).std(0)
    assert few.mechanism_report(batch)[name] == pytest.approx(np.mean(deviation < 0.1 / 3)) != np.mean(deviation < 0.1 / 9)
