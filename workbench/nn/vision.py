"""Image towers: a small ResNet for grey images, and any tower of timm."""

import difflib
from collections.abc import Mapping
from typing import Annotated, ClassVar

import torch
from jaxtyping import Float, Int
from pydantic import Field
from torch import Tensor, nn

from workbench.errors import UserError
from workbench.transforms import ImageFields

SMALL = "resnet_small"
TIMM = "timm:"


class VisionFields(ImageFields):
    """The image tower and what it is shown."""

    origins: ClassVar[Mapping[str, str]] = {
        "vision": "ours: what two CPU cores train; papers take ResNet-50 or ViT-B/16",
        "width": "ours: what two CPU cores train",
        "blocks": "ours: a last map of 2 to 4 positions a side",
        "patch_size": "the tower's own",
    }

    vision: str = SMALL
    """Image tower: `resnet_small` (0.3 M parameters) or `timm:NAME`, such as timm:resnet50."""
    width: Annotated[int, Field(ge=8, le=128)] = 128
    """Features of resnet_small; a timm tower has its own number."""
    blocks: Annotated[int, Field(ge=3, le=6)] = 3
    """Blocks of resnet_small, each halving the map: 3 for 32 to 64 pixels, one more for every doubling."""
    patch_size: Annotated[int, Field(ge=0, le=64)] = 0
    """Side of a patch in pixels for timm's vision transformers; 0: the tower's own."""


def vision_tower(config: VisionFields) -> "ResNetSmall | Timm":
    """The image tower of a configuration, with random weights; raises UserError for an unknown name."""
    if config.vision == SMALL:
        return ResNetSmall(config.width, config.blocks)
    if config.vision.startswith(TIMM):
        return Timm(config.vision.removeprefix(TIMM), config.image_size, config.patch_size)
    raise UserError(f"vision: no tower named {config.vision!r}; use {SMALL} or {TIMM}NAME")


def study_means(z: Float[Tensor, "i d"], image_index: Int[Tensor, "i"], studies: int) -> Float[Tensor, "b d"]:
    """Mean over the images of each study; every study has at least one."""
    if len(z) == studies:
        return z
    sums = z.new_zeros(studies, z.shape[1]).index_add(0, image_index, z)
    return sums / torch.bincount(image_index, minlength=studies)[:, None]


class Block(nn.Module):
    """Two 3 x 3 convolutions around a shortcut. He et al., CVPR 2016."""

    def __init__(self, channels: int, out: int, stride: int) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.Conv2d(channels, out, 3, stride, 1, bias=False), nn.BatchNorm2d(out), nn.ReLU(inplace=True))
        self.second = nn.Sequential(nn.Conv2d(out, out, 3, 1, 1, bias=False), nn.BatchNorm2d(out))
        self.shortcut = nn.Sequential(nn.Conv2d(channels, out, 1, stride, bias=False), nn.BatchNorm2d(out))
        self.out = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(self.second(self.first(x)) + self.shortcut(x))


class ResNetSmall(nn.Module):
    """Grey image -> `width` features: a strided stem, three blocks or more, global mean of a post-ReLU map (so never negative)."""

    def __init__(self, width: int, blocks: int = 3) -> None:
        super().__init__()
        self.width = width
        self.stem = nn.Sequential(nn.Conv2d(1, 24, 5, 2, 2, bias=False), nn.BatchNorm2d(24), nn.ReLU(inplace=True))
        self.blocks = nn.Sequential(
            Block(24, 32, 2), Block(32, 64, 2), Block(64, width, 2), *(Block(width, width, 2) for _ in range(blocks - 3))
        )
        self.to(memory_format=torch.channels_last)  # a quarter faster on a CPU

    def forward(self, x: Float[Tensor, "i 1 h w"]) -> Float[Tensor, "i d"]:
        return self.map(x).mean((2, 3))

    def map(self, x: Float[Tensor, "i 1 h w"]) -> Float[Tensor, "i d y x"]:
        """The last feature map."""
        return self.blocks(self.stem(x.contiguous(memory_format=torch.channels_last)))

    def patches(self, x: Float[Tensor, "i 1 h w"]) -> Float[Tensor, "i n d"]:
        """The last feature map as a row of patches."""
        return self.map(x).flatten(2).transpose(1, 2)

    def stages(self) -> list[nn.Module]:
        """Stem and blocks."""
        return [self.stem, *self.blocks]

    def stage_vector(self, x: Float[Tensor, "i d y x"]) -> Float[Tensor, "i d"]:
        """Mean over the map."""
        return x.mean((2, 3))


class Timm(nn.Module):
    """A timm tower without its head; grey is repeated over three channels, so that colour weights fit."""

    def __init__(self, name: str, image_size: int, patch_size: int = 0) -> None:
        super().__init__()
        import timm

        if not timm.is_model(name):
            near = difflib.get_close_matches(name, timm.list_models(), n=3)
            raise UserError(
                f"vision: timm has no model {name!r}" + (f"; did you mean {', '.join(near)}?" if near else "; see timm.list_models()")
            )
        given = {"img_size": image_size} if timm.get_pretrained_cfg_value(name, "fixed_input_size") else {}
        given |= {"patch_size": patch_size} if patch_size else {}
        if patch_size and image_size % patch_size:
            raise UserError(
                f"patch_size: {patch_size} does not divide image_size {image_size}; change one of them, or 0 for the tower's own"
            )
        try:
            self.model = timm.create_model(name, pretrained=False, num_classes=0, **given)
        except TypeError as error:
            if not patch_size or "patch_size" not in str(error):
                raise
            raise UserError(f"patch_size: tower {name} has no patches; set it to 0, or choose a vision transformer") from None
        self.width = getattr(self.model, "head_hidden_size", None) or self.model.num_features

    def forward(self, x: Float[Tensor, "i 1 h w"]) -> Float[Tensor, "i d"]:
        return self.model(x.expand(-1, 3, -1, -1))

    def patches(self, x: Float[Tensor, "i 1 h w"]) -> Float[Tensor, "i n d"]:
        """The last patch tokens, or the last feature map as a row of patches."""
        found = self.model.forward_features(x.expand(-1, 3, -1, -1))
        if found.ndim == 3:
            return found[:, getattr(self.model, "num_prefix_tokens", 0) :]
        return found.flatten(1, 2) if getattr(self.model, "output_fmt", "NCHW") == "NHWC" else found.flatten(2).transpose(1, 2)

    def stages(self) -> list[nn.Module]:
        """The blocks of a transformer, the stages of a convolutional tower."""
        found = getattr(self.model, "blocks", None)
        if found is not None:
            return list(found)
        names = [each["module"] for each in getattr(self.model, "feature_info", [])]
        return [self.model.get_submodule(name) for name in names]

    def stage_vector(self, x: Tensor) -> Float[Tensor, "i d"]:
        """Mean over the patches (i t d), without class and register tokens, or over the map (i d y x)."""
        if x.ndim == 3:
            return x[:, getattr(self.model, "num_prefix_tokens", 0) :].mean(1)
        return x.mean((1, 2) if getattr(self.model, "output_fmt", "NCHW") == "NHWC" else (2, 3))
