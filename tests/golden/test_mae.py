"""MAE against transformers' ViTMAEForPreTraining: same weights, filled position tables, same mask; and the published golden values."""

import numpy as np
import pytest
import torch

from workbench.errors import UserError
from workbench.interop.mae import from_official, from_transformers, to_official, to_transformers
from workbench.losses.reconstruction import masked_pixel
from workbench.methods.mae import MAEConfig
from workbench.models import build_method

SIZES = {
    "image_size": 24,
    "patch_size": 4,
    "width": 24,
    "depth": 3,
    "heads": 3,
    "decoder_width": 16,
    "decoder_depth": 2,
    "decoder_heads": 2,
}
PATCHES, IMAGES = 36, 3


def theirs_and_ours(channels, norm_pix, decoder_depth=2):
    from transformers import ViTMAEConfig, ViTMAEForPreTraining

    torch.manual_seed(0)
    wide = {"hidden_size": 24, "num_hidden_layers": 3, "num_attention_heads": 3, "intermediate_size": 96, "decoder_hidden_size": 16}
    wide |= {"decoder_num_hidden_layers": decoder_depth, "decoder_num_attention_heads": 2, "decoder_intermediate_size": 64}
    config = ViTMAEConfig(
        image_size=24, patch_size=4, num_channels=channels, norm_pix_loss=norm_pix, mask_ratio=0.75, layer_norm_eps=1e-6, **wide
    )
    theirs = ViTMAEForPreTraining(config).eval()
    with torch.no_grad():  # a fresh one has position tables of zeros
        for value in theirs.parameters():
            value.copy_(torch.randn(value.shape) * 0.3)
    ours = build_method({"name": "mae", **SIZES, "channels": channels, "norm_pix": norm_pix, "decoder_depth": decoder_depth}, 0).eval()
    ours.load_state_dict(from_transformers(theirs.state_dict()))
    return theirs, ours


def batch_of(images, mask):
    index = torch.arange(len(images))
    keys = [str(place) for place in range(len(images))]
    return {"key": keys, "images": images, "image_index": index, "view_index": index * 0, "extra": {"mask": mask}}


def drawn(seed, hidden=27):
    generator = torch.Generator().manual_seed(seed)
    images = torch.randn(IMAGES, 1, 24, 24, generator=generator)
    order = torch.rand(IMAGES, PATCHES, generator=generator).argsort(1)
    return images, order < hidden


@pytest.mark.parametrize(("channels", "norm_pix", "depth"), [(1, False, 2), (3, True, 2), (1, True, 1)])
@torch.no_grad()
def test_loss_and_output_equal_transformers(channels, norm_pix, depth):
    theirs, ours = theirs_and_ours(channels, norm_pix, depth)
    assert float(ours.vision.pos_embed.abs().min()) > 0
    images, mask = drawn(1)
    wanted = theirs(images.expand(-1, channels, -1, -1), noise=mask.float())
    assert torch.equal(wanted.mask.bool(), mask)
    batch = batch_of(images, mask)
    term = ours(batch).terms["pixels"]
    torch.testing.assert_close(term.sum / term.count, wanted.loss, rtol=1e-5, atol=1e-5)
    pixels, error = ours.reconstruct(batch, mask)
    found = ours_in_patches(pixels, ours, images, norm_pix)
    torch.testing.assert_close(found, wanted.logits, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close((error * mask).sum() / mask.sum(), wanted.loss, rtol=1e-5, atol=1e-5)


def ours_in_patches(pixels, ours, images, norm_pix):
    """The reconstruction back in the space of the loss, patches as transformers orders their pixels."""
    cut = [
        each.unfold(2, 4, 4).unfold(3, 4, 4).permute(0, 2, 3, 4, 5, 1).flatten(1, 2).flatten(2)
        for each in (pixels, images.expand_as(pixels))
    ]
    if not norm_pix:
        return cut[0]
    return (cut[0] - cut[1].mean(-1, keepdim=True)) / (cut[1].var(-1, keepdim=True) + 1e-6).sqrt()


def test_gradients_equal_transformers():
    theirs, ours = theirs_and_ours(3, True)
    images, mask = drawn(2)
    theirs(images.expand(-1, 3, -1, -1), noise=mask.float()).loss.backward()
    term = ours(batch_of(images, mask)).terms["pixels"]
    (term.sum / term.count).backward()
    wanted = from_transformers({name: value.grad for name, value in theirs.named_parameters() if value.requires_grad})
    found = {name: value.grad for name, value in ours.named_parameters()}
    assert set(found) == {name for name in wanted if "pos_embed" not in name}
    for name, value in found.items():
        torch.testing.assert_close(value, wanted[name], rtol=1e-4, atol=1e-5, msg=name)


def test_weights_go_both_ways():
    theirs, ours = theirs_and_ours(1, False)
    again = to_transformers(ours.state_dict())
    assert {name: tuple(value.shape) for name, value in again.items()} == {name: tuple(v.shape) for name, v in theirs.state_dict().items()}
    assert all(torch.equal(again[name], value) for name, value in theirs.state_dict().items())
    back, report = from_official(to_official(ours.state_dict()))
    assert all(torch.equal(back[name], value) for name, value in ours.state_dict().items()) and set(back) == set(ours.state_dict())
    assert report["unused"] == {} and report["missing"] == []
    sizes = {"image_size": 24, "patch_size": 4, "channels": 1, "width": 24, "depth": 3, "decoder_width": 16, "decoder_depth": 2}
    assert report["method"].items() >= sizes.items()
    MAEConfig.parse(report["method"], "sizes")


def test_position_tables_equal_the_official_ones():
    from transformers.models.vit_mae.modeling_vit_mae import build_2d_sinusoidal_position_embedding

    rows_first = build_2d_sinusoidal_position_embedding(6, 6, 24, cls_token=True)
    wanted = torch.cat([rows_first[:, 12:], rows_first[:, :12]], 1)  # the official code has columns first
    ours = build_method({"name": "mae", **SIZES}, 0)
    torch.testing.assert_close(ours.vision.pos_embed[0], wanted, rtol=0, atol=1e-6)


@pytest.mark.parametrize(("norm_pix", "wanted"), [(True, 1.4521985), (False, 1.1844573)])
def test_published_values_of_the_loss(norm_pix, wanted):
    place = np.arange(24)
    target, prediction = (torch.from_numpy(values.reshape(2, 3, 4)) for values in (np.sin(0.9 * place), np.cos(0.4 * place)))
    found = masked_pixel(prediction, target, torch.tensor([[1, 0, 1], [0, 1, 1]]), norm_pix)
    assert float(found) == pytest.approx(wanted, rel=1e-6)


def test_an_official_checkpoint_without_decoder_and_one_that_is_no_mae():
    official = to_official(build_method({"name": "mae", **SIZES}, 0).state_dict())
    encoder = {f"module.{name}": value for name, value in official.items() if "decoder" not in name and name != "mask_token"}
    found, report = from_official(encoder | {"head.weight": torch.zeros(5, 24)})
    assert report["missing"] == ["decoder"] and report["unused"] == {"head.weight": [5, 24]}
    assert set(found) == {name for name in build_method({"name": "mae", **SIZES}, 0).state_dict() if name.startswith("vision.")}
    assert report["matched"]["vision.norm.bias"] == {"given": "module.norm.bias", "shape": [24]}
    assert "decoder_width" not in report["method"]
    with pytest.raises(UserError, match=r"patch_embed\.proj\.weight is not in it"):
        from_official({"conv1.weight": torch.zeros(3)})
    with pytest.raises(UserError, match="no place for it"):
        to_official({"temperature": torch.zeros(1)})
    with pytest.raises(UserError, match="ViTMAEForPreTraining"):
        from_transformers({"head.weight": torch.zeros(1)})
