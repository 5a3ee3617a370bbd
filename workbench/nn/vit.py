"""Vision transformer that sees only the patches it is given, and the decoder that fills in the rest; blocks are timm's.

Parameters are named as timm's ViT names them, so that its weights and those of the official MAE fit.
"""

from functools import partial
from typing import Literal, NamedTuple

import numpy as np
import torch
from einops import rearrange
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn.functional import embedding, linear, scaled_dot_product_attention, softmax

from workbench.errors import UserError
from workbench.losses.reconstruction import patch_statistics


class Encoded(NamedTuple):
    """What the encoder makes of an image: after the last norm, so a later method reads patches or one vector."""

    token: Float[Tensor, "i d"]
    patches: Float[Tensor, "i v d"]

    def pooled(self, pooling: Literal["mean", "class"]) -> Float[Tensor, "i d"]:
        """One vector an image: the mean of its patches, or the class token."""
        return self.token if pooling == "class" or not self.patches.shape[1] else self.patches.mean(1)


def sincos(side: int, width: int) -> Float[Tensor, "1 n d"]:
    """Fixed positions of a square grid, the class token's zero first: x in the first half of the channels, y in the second."""
    omega = 1 / 10000 ** (np.arange(width // 4) / (width // 4))
    y, x = (axis.ravel() for axis in np.mgrid[:side, :side])
    waves = [wave(np.outer(axis, omega)) for axis in (x, y) for wave in (np.sin, np.cos)]
    return torch.from_numpy(np.concatenate([np.zeros((1, width)), np.concatenate(waves, 1)])[None].astype(np.float32))


def patchify(images: Float[Tensor, "i c h w"], patch: int) -> Float[Tensor, "i n p"]:
    """Pixels of each patch, row by row, the channel running fastest."""
    return rearrange(images, "i c (y p) (x q) -> i (y x) (p q c)", p=patch, q=patch)


def unpatchify(patches: Float[Tensor, "i n p"], patch: int, channels: int) -> Float[Tensor, "i c h w"]:
    """The image again."""
    side = round(patches.shape[1] ** 0.5)
    return rearrange(patches, "i (y x) (p q c) -> i c (y p) (x q)", y=side, p=patch, q=patch, c=channels)


def pick(tokens: Tensor, places: Int[Tensor, "i m"]) -> Tensor:
    """Tokens (i n d) at places (i m) -> (i m d)."""
    return tokens.gather(1, places[..., None].expand(-1, -1, tokens.shape[-1]))


def split_mask(mask: Bool[Tensor, "i n"]) -> tuple[Int[Tensor, "i v"], Int[Tensor, "i m"]]:
    """Places of the kept and of the removed patches (mask 1), each in the image's order; every image has as many."""
    count = mask.sum(1)
    if len(count) and not bool((count == count[0]).all()):
        raise UserError(f"mask: the images of a batch hide {sorted(set(count.tolist()))} patches; hide equally many in each")
    order = mask.to(torch.uint8).argsort(dim=1, stable=True)
    kept = mask.shape[1] - (int(count[0]) if len(count) else 0)
    return order[:, :kept], order[:, kept:]


def painted(
    prediction: Float[Tensor, "i n p"], images: Float[Tensor, "i c h w"], patch: int, norm_pix: bool
) -> tuple[Float[Tensor, "i c h w"], Float[Tensor, "i n"]]:
    """Pixels of a prediction of all patches, and its error in the space of the loss; with `norm_pix` the true mean and deviation
    of each patch turn it into pixels, which no reader of hidden patches has."""
    target = patchify(images, patch)
    mean, deviation = patch_statistics(target) if norm_pix else (torch.zeros(()), torch.ones(()))
    error = (prediction - (target - mean) / deviation).square().mean(-1)
    return unpatchify(prediction * deviation + mean, patch, images.shape[1]), error


def blocks(depth: int, width: int, heads: int, mlp_ratio: float) -> nn.ModuleList:
    """timm's pre-norm blocks, started as the official MAE starts them."""
    from timm.models.vision_transformer import Block

    norm = partial(nn.LayerNorm, eps=1e-6)
    made = nn.ModuleList(Block(width, heads, mlp_ratio, qkv_bias=True, norm_layer=norm) for _ in range(depth))
    made.apply(start_linear)
    return made


def start_linear(module: nn.Module) -> None:
    if isinstance(module, nn.Linear):
        nn.init.xavier_uniform_(module.weight)
        nn.init.zeros_(module.bias)


class Encoder(nn.Module):
    """Patches -> tokens. A patch that is not among `kept` is never embedded."""

    def __init__(self, size: int, patch: int, channels: int, width: int, depth: int, heads: int, mlp_ratio: float = 4.0) -> None:
        super().__init__()
        self.patch, self.width = patch, width
        self.patch_embed = nn.ModuleDict({"proj": nn.Conv2d(channels, width, patch, patch)})
        self.cls_token = nn.Parameter(torch.zeros(1, 1, width))
        self.register_buffer("pos_embed", sincos(size // patch, width))
        self.blocks = blocks(depth, width, heads, mlp_ratio)
        self.norm = nn.LayerNorm(width, eps=1e-6)
        filters = self.patch_embed["proj"].weight
        nn.init.xavier_uniform_(filters.view(width, -1))  # like a linear layer, not like a convolution
        nn.init.zeros_(self.patch_embed["proj"].bias)
        nn.init.normal_(self.cls_token, std=0.02)

    def forward(self, images: Float[Tensor, "i c h w"], kept: Int[Tensor, "i v"] | None = None) -> Encoded:
        """All patches, or only the `kept` ones, in their order."""
        x = self.embedded(images, kept)
        for block in self.blocks:
            x = block(x)
        x = self.norm(x)
        return Encoded(x[:, 0], x[:, 1:])

    def embedded(self, images: Tensor, kept: Tensor | None) -> Float[Tensor, "i t d"]:
        """Class token and patches with their positions."""
        pixels, positions = patchify(images, self.patch), self.pos_embed.expand(len(images), -1, -1)
        if kept is not None:
            pixels, positions = pick(pixels, kept), torch.cat([positions[:, :1], pick(positions[:, 1:], kept)], 1)
        filters = rearrange(self.patch_embed["proj"].weight, "d c p q -> d (p q c)")
        tokens = linear(pixels, filters, self.patch_embed["proj"].bias)
        return torch.cat([self.cls_token.expand(len(images), -1, -1), tokens], 1) + positions

    def attention(self, images: Float[Tensor, "i c h w"]) -> Float[Tensor, "l i h t t"]:
        """The weights softmax(q k / sqrt d) of every layer and head, which the fused kernel does not return; the class token first."""
        x, found = self.embedded(images, None), []
        for block in self.blocks:
            q, k, _ = queries_keys_values(block, block.norm1(x))
            found.append(softmax(q @ k.transpose(-2, -1) * block.attn.scale, -1))
            x = block(x)
        return torch.stack(found)

    def stages(self) -> list[nn.Module]:
        """The blocks."""
        return list(self.blocks)

    def stage_vector(self, x: Float[Tensor, "i t d"]) -> Float[Tensor, "i d"]:
        """Mean over the patches, the class token left out."""
        return x[:, 1:].mean(1)


class Decoder(nn.Module):
    """Encoded visible patches -> pixels of the hidden ones."""

    def __init__(self, side: int, pixels: int, encoded: int, width: int, depth: int, heads: int, mlp_ratio: float = 4.0) -> None:
        super().__init__()
        self.embed = nn.Linear(encoded, width)
        self.mask_token = nn.Parameter(torch.zeros(1, 1, width))
        self.register_buffer("pos_embed", sincos(side, width))
        self.blocks = blocks(depth, width, heads, mlp_ratio)
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.pred = nn.Linear(width, pixels)
        for layer in (self.embed, self.pred):
            start_linear(layer)
        nn.init.normal_(self.mask_token, std=0.02)

    def forward(
        self, encoded: Encoded, kept: Int[Tensor, "i v"], removed: Int[Tensor, "i m"], everywhere: bool = False
    ) -> Float[Tensor, "i m p"]:
        """Pixels of the removed patches in their order; `everywhere`: of all patches, in the image's order."""
        positions = self.pos_embed.expand(len(kept), -1, -1)
        seen = self.embed(torch.cat([encoded.token[:, None], encoded.patches], 1))
        seen = seen + torch.cat([positions[:, :1], pick(positions[:, 1:], kept)], 1)
        hidden = (self.mask_token + self.pos_embed[:, 1:])[0]
        x = decode(self.blocks, seen, hidden, removed, 1 if everywhere else seen.shape[1])
        pixels = self.pred(self.norm(x))
        return pick(pixels, torch.cat([kept, removed], 1).argsort(1)) if everywhere else pixels


def decode(
    layers: nn.ModuleList, seen: Float[Tensor, "i s d"], hidden: Float[Tensor, "n d"], removed: Int[Tensor, "i m"], first: int
) -> Float[Tensor, "i r d"]:
    """The blocks on the seen tokens followed by the hidden ones at `removed`; only tokens from `first` on come out.

    The same as running every block on every token, without two things that cost a fifth of a step: at the start a hidden token is the
    same in every image but for its place, so its norm and projections are computed once; in the last block only tokens that come out ask.
    """
    x = torch.cat([seen, embedding(removed, hidden)], 1)
    for number, block in enumerate(layers):
        if number == 0:
            projected = block.attn.qkv(block.norm1(hidden))
            projected = torch.cat([block.attn.qkv(block.norm1(seen)), embedding(removed, projected)], 1)
        else:
            projected = block.attn.qkv(block.norm1(x))
        start = first if number == len(layers) - 1 else 0
        q, k, v = split_heads(projected, block.attn.num_heads)
        mixed = scaled_dot_product_attention(q[:, :, start:], k, v)
        x = x[:, start:] + block.attn.proj(rearrange(mixed, "i h t d -> i t (h d)"))
        x = x + block.mlp(block.norm2(x))
    return x


def queries_keys_values(block: nn.Module, x: Float[Tensor, "i t d"]) -> tuple[Tensor, Tensor, Tensor]:
    """A block's queries, keys and values (i h t e) of normed tokens."""
    return split_heads(block.attn.qkv(x), block.attn.num_heads)


def split_heads(projected: Float[Tensor, "i t e"], heads: int) -> tuple[Tensor, Tensor, Tensor]:
    q, k, v = rearrange(projected, "i t (three h d) -> three i h t d", three=3, h=heads)
    return q, k, v
