"""What M3AE pre-trains and its fine-tuning goes on with: a vision transformer, a text tower, their fusion. Chen et al., MICCAI 2022."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Annotated, Any, ClassVar, Literal

import torch
from jaxtyping import Float, Int
from pydantic import Field
from torch import Tensor, nn

from workbench import words
from workbench.errors import UserError
from workbench.nn.colours import Normalisation, to_input
from workbench.nn.fusion import Fusion, Pooler, SmallText, Streams, start
from workbench.nn.language import key_biases, load_encoder
from workbench.nn.vision import study_means
from workbench.nn.vit import Encoder
from workbench.text import model_folder
from workbench.transforms import ImageFields

Size = Annotated[int, Field(ge=1, le=4096)]
Depth = Annotated[int, Field(ge=1, le=64)]


class PairFields(ImageFields):
    """Both towers and their fusion; the published sizes are ViT-B/16 of 11 blocks, RoBERTa-base, and 6 layers of width 768 and 12 heads."""

    origins: ClassVar[Mapping[str, str]] = {
        "patch_size": "ours: 64 patches of a film of 64 pixels; published 16",
        "channels": "ours: films are grey; published 3",
        "normalise": "ours: there are no published weights to suit",
        "width": "ours: a sixth of ViT-B/16",
        "depth": "ours: published 11",
        "heads": "ours: published 12",
        "text": "ours: a small tower trains in minutes; published RoBERTa-base",
        "text_width": "ours: what two CPU cores train",
        "text_depth": "ours: what two CPU cores train",
        "text_heads": "ours: what two CPU cores train",
        "text_tokens": "ours: longer than a report of the phantoms; published 64",
        "fusion_width": "ours: published 768",
        "fusion_depth": "ours: published 6",
        "fusion_heads": "ours: published 12",
        "dropout": "Chen et al., M3AE: its code",
    }

    patch_size: Annotated[int, Field(ge=2, le=64)] = 8
    """Side of a patch in pixels; the image's side is a multiple of it."""
    channels: Literal[1, 3] = 1
    """1 for grey images; 3 where the weights came from colour images, grey is then repeated."""
    normalise: Normalisation = "grey"
    """`grey`: one mean and deviation for all films; `imagenet`: those of published weights."""
    width: Size = 128
    """Width of the image tower, a multiple of 4 and of `heads`."""
    depth: Depth = 4
    """Blocks of the image tower."""
    heads: Size = 4
    """Attention heads of the image tower."""
    text: str = "words:phantoms"
    """Text tower: `words:NAME` or `words:FOLDER`, a small one with random weights on a vocabulary that comes with the workbench or lies in a folder (`workbench data vocabulary`); or `minilm` (packaged), a folder with a transformers encoder, or its name on the model hub."""
    text_width: Size = 128
    """Width of a `words:` tower, a multiple of `text_heads`; another has its own, as with the next two."""
    text_depth: Depth = 2
    """Layers of a `words:` tower."""
    text_heads: Size = 4
    """Attention heads of a `words:` tower."""
    text_tokens: Annotated[int, Field(ge=4, le=512)] = 96
    """Most tokens of a text, marks included; what is longer is cut."""
    fusion_width: Size = 128
    """Width of the fusion, a multiple of `fusion_heads`."""
    fusion_depth: Depth = 2
    """Layers of the fusion."""
    fusion_heads: Size = 4
    """Attention heads of the fusion."""
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.1
    """Dropout in the fusion and in a `words:` tower."""


class TunedFields(PairFields):
    """A pre-trained pair under a head: `init_from: {pair: RUN}` gives it its start weights."""

    origins: ClassVar[Mapping[str, str]] = {
        "fast": "Chen et al., M3AE: its code",
        "faster": "Chen et al., M3AE: its code for answers",
    }

    fast: Annotated[float, Field(ge=0)] = 5.0
    """Learning rate of the fusion, in multiples of the towers'."""
    faster: Annotated[float, Field(ge=0)] = 50.0
    """Learning rate of the head on top, in multiples of the towers' (published: 50 for answers, 10 for classes, 5 for retrieval)."""

    def rates(self) -> dict[str, float]:
        """Learning-rate factors by name pattern."""
        return {"pair.vision.*": 1.0, "pair.text.*": 1.0, "pair.*": self.fast, "*": self.faster}


def check(config: PairFields, method: str, decoder: tuple[int, int] | None = None) -> None:
    """Sizes that divide each other, those of a decoder too; raises UserError with what to change."""
    if config.image_size % config.patch_size:
        raise UserError(
            f"method {method}: image_size {config.image_size} is no multiple of patch_size {config.patch_size}; change one of them"
        )
    pairs = [("", config.width, config.heads, 4), ("fusion_", config.fusion_width, config.fusion_heads, 1)]
    if config.text.startswith(words.OWN):
        pairs.append(("text_", config.text_width, config.text_heads, 1))
    if decoder is not None:
        pairs.append(("decoder_", *decoder, 4))
    for name, width, heads, factor in pairs:
        if width % heads or width % factor:
            also = f"{factor} and of " if factor > 1 else ""
            raise UserError(f"method {method}: {name}width {width} must be a multiple of {also}{name}heads {heads}; change one of them")


class Pair(nn.Module):
    """Image and text -> fused streams. `part` names the stream of start weights of each piece; `match` adds the matching head."""

    def __init__(self, config: PairFields, part: Callable[[str], AbstractContextManager[None]], match: bool = False) -> None:
        super().__init__()
        self.config = config
        known = words.vocabulary(config.text)
        with part("vit"):
            self.vision = Encoder(config.image_size, config.patch_size, config.channels, config.width, config.depth, config.heads)
        with part("text"):
            if config.text.startswith(words.OWN):
                sizes = (config.text_width, config.text_depth, config.text_heads, config.dropout)
                self.text: nn.Module = SmallText(known.size, config.text_tokens, *sizes)
                text_width = config.text_width
            else:
                self.text = load_encoder(model_folder(config.text))
                text_width = self.text.config.hidden_size
        with part("fusion"):
            sizes = (config.fusion_width, config.fusion_depth, config.fusion_heads, config.dropout)
            self.fusion = Fusion(text_width, config.width, *sizes)
            self.text_pooler, self.image_pooler = Pooler(config.fusion_width), Pooler(config.fusion_width)
        if match:
            with part("match"):
                self.match = nn.Linear(2 * config.fusion_width, 2)
                start(self.match)
        self.gradient_free = key_biases(self, "pair.")

    def shown(self, images: Tensor) -> Float[Tensor, "i c h w"]:
        """Images in the units the tower reads."""
        return to_input(images, self.config.channels, self.config.normalise)

    def see(self, images: Tensor, kept: Int[Tensor, "i v"] | None = None) -> Float[Tensor, "i t d"]:
        """Class token and patches of images (i 1 h w), all of them or those `kept`."""
        token, patches = self.vision(self.shown(images), kept)
        return torch.cat([token[:, None], patches], 1)

    def read(self, ids: Int[Tensor, "t l"], mask: Int[Tensor, "t l"]) -> Float[Tensor, "t l d"]:
        """Hidden states of texts."""
        if isinstance(self.text, SmallText):
            return self.text(ids, mask)
        return self.text(input_ids=ids, attention_mask=mask).last_hidden_state

    def fuse(self, text: Tensor, mask: Tensor, image: Tensor, depth: int | None = None) -> Streams:
        """Streams of pairs, row by row, after `depth` layers of fusion or after all."""
        return self.fusion(self.fusion.enter(text, mask, image), depth)

    def see_first(self, batch: Mapping[str, Any]) -> Float[Tensor, "b t d"]:
        """Class token and patches of each study's first image."""
        return self.see(batch["images"][batch["view_index"] == 0])

    def features(self, batch: Mapping[str, Any], joint: bool) -> dict[str, Tensor]:
        """What a fine-tuned pair hands on of each study's first image; with `joint` its vectors (b e) with the study's texts, averaged."""
        seen, index = self.see_first(batch), batch["text_index"]
        found = {"image.backbone": seen[:, 1:].mean(1), "image.patches": seen[:, 1:]}
        return found | ({"joint": study_means(self.joint_of(batch, seen, index), index, len(seen))} if joint else {})

    def joint_of(self, batch: Mapping[str, Any], seen: Tensor, index: Tensor) -> Float[Tensor, "t e"]:
        """Joint vector of every text of a batch with the image among `seen` (b t d) that `index` (t) gives it."""
        read, mask = self.read(batch["input_ids"], batch["attention_mask"]), batch["attention_mask"]
        return self.joint(self.fuse(read, mask, seen[index]))

    def joint(self, streams: Streams) -> Float[Tensor, "b e"]:
        """One vector a pair, text first: what every head on top reads."""
        return torch.cat([self.text_pooler(streams.text), self.image_pooler(streams.image)], 1)
