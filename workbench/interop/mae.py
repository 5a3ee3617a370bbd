"""MAE weights in three dresses: the official code's, transformers' and ours; needs torch."""

import re
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from workbench.errors import UserError
from workbench.interop import keys

OFFICIAL = {  # names of facebookresearch/mae -> ours; the encoder's are timm's on both sides
    "mask_token": "decoder.mask_token",
    "decoder_embed.": "decoder.embed.",
    "decoder_pos_embed": "decoder.pos_embed",
    "decoder_blocks.": "decoder.blocks.",
    "decoder_norm.": "decoder.norm.",
    "decoder_pred.": "decoder.pred.",
    "cls_token": "vision.cls_token",
    "pos_embed": "vision.pos_embed",
    "patch_embed.proj.": "vision.patch_embed.proj.",
    "blocks.": "vision.blocks.",
    "norm.": "vision.norm.",
}
TRANSFORMERS = {  # timm's names below transformers' prefixes -> ours
    "vit.": "vision.",
    "decoder.decoder_": "decoder.",
    "decoder.mask_token": "decoder.mask_token",
}
BACK = {  # ours -> transformers', within a block and around the blocks
    "norm1.": "layernorm_before.",
    "norm2.": "layernorm_after.",
    "attn.proj.": "attention.o_proj.",
    "vision.cls_token": "vit.embeddings.cls_token",
    "vision.pos_embed": "vit.embeddings.position_embeddings",
    "vision.patch_embed.proj.": "vit.embeddings.patch_embeddings.projection.",
    "vision.norm.": "vit.layernorm.",
    "vision.blocks.": "vit.layers.",
    "decoder.blocks.": "decoder.decoder_layers.",
    "decoder.embed.": "decoder.decoder_embed.",
    "decoder.pos_embed": "decoder.decoder_pos_embed",
    "decoder.norm.": "decoder.decoder_norm.",
    "decoder.pred.": "decoder.decoder_pred.",
}
HEAD = 64  # width of an official encoder head; its decoder has 16 heads
DECODER_HEADS = 16


def from_official(state_dict: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Our names for an official checkpoint (`.pth` of facebookresearch/mae), and the report of every key with the sizes it implies.

    Raises UserError where it is no MAE. A checkpoint published without decoder is taken, and the report says what is missing.
    """
    found: dict[str, Tensor] = {}
    matched, unused = {}, {}
    for name, value in state_dict.items():
        new = renamed_head(name.removeprefix("module."), OFFICIAL)
        if new is None:
            unused[name] = list(value.shape)
        else:
            found[new], matched[new] = value, {"given": name, "shape": list(value.shape)}
    sizes = sizes_of(found)
    missing = [] if any(name.startswith("decoder.") for name in found) else ["decoder"]
    return found, {"kind": "mae", "matched": matched, "missing": missing, "unused": unused, "method": sizes}


def to_official(state_dict: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The official names of our tensors."""
    back = {ours: theirs for theirs, ours in OFFICIAL.items()}
    found = {name: renamed_head(name, back) for name in state_dict}
    unknown = [name for name, new in found.items() if new is None]
    if unknown:
        raise UserError(f"{unknown[0]}: no tensor of method mae; the official layout has no place for it")
    return {str(found[name]): value for name, value in state_dict.items()}


def from_transformers(state_dict: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Our names for the tensors of transformers' ViTMAEForPreTraining, of this or an earlier generation."""
    found = {}
    for name, value in keys.from_transformers(state_dict).items():
        new = renamed_head(name, TRANSFORMERS)
        if new is None:
            raise UserError(f"{name}: no tensor of ViTMAEForPreTraining; give the state dict of that model")
        found[new] = value
    return found


def to_transformers(state_dict: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Names of transformers' ViTMAEForPreTraining for our tensors; queries, keys and values come apart."""
    found: dict[str, Tensor] = {}
    for name, value in state_dict.items():
        new = renamed_head(name, BACK) or name
        new = re.sub(r"(layers\.\d+\.)(norm1\.|norm2\.|attn\.proj\.)", lambda match: match[1] + BACK[match[2]], new)
        if "attn.qkv." in new:
            for letter, part in zip("qkv", value.chunk(3)):
                found[new.replace("attn.qkv.", f"attention.{letter}_proj.")] = part
        else:
            found[new] = value
    return found


def renamed_head(name: str, table: Mapping[str, str]) -> str | None:
    """The name with the first matching beginning exchanged, or None."""
    for old, new in table.items():
        if name.startswith(old):
            return new + name.removeprefix(old)
    return None


def sizes_of(found: Mapping[str, Tensor]) -> dict[str, Any]:
    """The method's configuration that our tensors imply; heads are those of the official code, which no shape tells."""
    for name in ("vision.patch_embed.proj.weight", "vision.pos_embed", "vision.blocks.0.attn.qkv.weight"):
        if name not in found:
            raise UserError(
                f"no MAE of the official layout: {name.removeprefix('vision.')} is not in it; give a checkpoint of facebookresearch/mae"
            )
    width, channels, patch, _ = found["vision.patch_embed.proj.weight"].shape
    side = round((found["vision.pos_embed"].shape[1] - 1) ** 0.5)
    sizes = {
        "image_size": side * patch,
        "patch_size": patch,
        "channels": channels,
        "width": width,
        "depth": depth(found, "vision"),
        "heads": max(1, width // HEAD),
        "normalise": "imagenet" if channels == 3 else "grey",
    }
    if "decoder.embed.weight" in found:
        wide = found["decoder.embed.weight"].shape[0]
        sizes |= {"decoder_width": wide, "decoder_depth": depth(found, "decoder")}
        sizes |= {"decoder_heads": DECODER_HEADS if wide % DECODER_HEADS == 0 else 1}
    return sizes


def depth(found: Mapping[str, Tensor], part: str) -> int:
    """Blocks of a part."""
    return len({name.split(".")[2] for name in found if name.startswith(f"{part}.blocks.")})


def noise_of(mask: Tensor) -> Tensor:
    """What transformers sorts to keep exactly the patches of `mask` (i n) that are 0."""
    return mask.to(torch.float32)
