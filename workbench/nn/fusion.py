"""Co-attention of two token streams, its layers as BERT has them (norm after the sum), and a small text tower of the same layers."""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from einops import rearrange
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn.functional import dropout, scaled_dot_product_attention

EPSILON = 1e-12  # of BERT's layer norms
START, PUBLISHED = 0.02, 768  # deviation of BERT's start weights, and the width it is meant for


def start(module: nn.Module) -> None:
    """Zero biases and normal weights of deviation .02, as BERT starts; narrower maps more, or their attention would start flat."""
    if isinstance(module, nn.Linear):
        nn.init.normal_(module.weight, std=START * max(1.0, PUBLISHED / module.in_features) ** 0.5)
        nn.init.zeros_(module.bias)
    if isinstance(module, nn.Embedding):
        nn.init.normal_(module.weight, std=START)


class Attention(nn.Module):
    """Multi-head attention of `x` on `memory`. Vaswani et al., NeurIPS 2017."""

    def __init__(self, width: int, heads: int, rate: float) -> None:
        super().__init__()
        self.heads, self.rate = heads, rate
        self.query, self.key, self.value, self.out = (nn.Linear(width, width) for _ in range(4))

    def split(self, x: Tensor) -> Float[Tensor, "b h t e"]:
        return rearrange(x, "b t (h e) -> b h t e", h=self.heads)

    def forward(self, x: Float[Tensor, "b t d"], memory: Float[Tensor, "b m d"], there: Bool[Tensor, "b m"] | None) -> Tensor:
        """(b t d); `there` marks the tokens of `memory` that are no padding."""
        mask = None if there is None else there[:, None, None]
        q, k, v = self.split(self.query(x)), self.split(self.key(memory)), self.split(self.value(memory))
        mixed = scaled_dot_product_attention(q, k, v, mask, self.rate if self.training else 0.0)
        return self.out(rearrange(mixed, "b h t e -> b t (h e)"))

    def weights(self, x: Tensor, memory: Tensor, there: Tensor | None) -> Float[Tensor, "b h t m"]:
        """What forward mixes the values with, dropout aside: each row sums to 1."""
        q, k = self.split(self.query(x)), self.split(self.key(memory))
        scores = q @ k.transpose(-2, -1) / q.shape[-1] ** 0.5
        return (scores if there is None else scores.masked_fill(~there[:, None, None], -torch.inf)).softmax(-1)


class Layer(nn.Module):
    """Self-attention, attention on the other stream where there is one, then two linear maps; each added and normed."""

    def __init__(self, width: int, heads: int, rate: float, crossed: bool) -> None:
        super().__init__()
        self.rate = rate
        self.own = Attention(width, heads, rate)
        self.own_norm = nn.LayerNorm(width, eps=EPSILON)
        if crossed:
            self.cross = Attention(width, heads, rate)
            self.cross_norm = nn.LayerNorm(width, eps=EPSILON)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))
        self.mlp_norm = nn.LayerNorm(width, eps=EPSILON)

    def after_self(self, x: Tensor, there: Tensor | None) -> Tensor:
        """The stream once it has looked at itself: what asks the other one."""
        return self.own_norm(x + self.dropped(self.own(x, x, there)))

    def forward(self, x: Tensor, there: Tensor | None, other: Tensor | None = None, other_there: Tensor | None = None) -> Tensor:
        x = self.after_self(x, there)
        if other is not None:
            x = self.cross_norm(x + self.dropped(self.cross(x, other, other_there)))
        return self.mlp_norm(x + self.dropped(self.mlp(x)))

    def dropped(self, x: Tensor) -> Tensor:
        return dropout(x, self.rate, self.training)


class SmallText(nn.Module):
    """BERT of any size with random weights: token ids -> hidden states. Devlin et al., NAACL 2019."""

    def __init__(self, vocabulary: int, tokens: int, width: int, depth: int, heads: int, rate: float) -> None:
        super().__init__()
        self.width, self.rate = width, rate
        self.words, self.places = nn.Embedding(vocabulary, width), nn.Embedding(tokens, width)
        self.norm = nn.LayerNorm(width, eps=EPSILON)
        self.layers = nn.ModuleList(Layer(width, heads, rate, crossed=False) for _ in range(depth))
        self.apply(start)

    def forward(self, ids: Int[Tensor, "t l"], mask: Int[Tensor, "t l"]) -> Float[Tensor, "t l d"]:
        there = mask.bool()
        x = dropout(self.norm(self.words(ids) + self.places.weight[: ids.shape[1]]), self.rate, self.training)
        for layer in self.layers:
            x = layer(x, there)
        return x


class Streams(NamedTuple):
    """Both token streams at one depth of the fusion."""

    text: Float[Tensor, "b l d"]
    there: Bool[Tensor, "b l"]  # tokens of the text that are no padding
    image: Float[Tensor, "b t d"]  # class token first


class Fusion(nn.Module):
    """Text and image tokens brought to one width and marked by kind, then layers in which each stream asks the other.

    Both streams of a layer read what the layer before gave: neither sees the other's new state. Chen et al., M3AE, MICCAI 2022.
    """

    def __init__(self, text: int, image: int, width: int, depth: int, heads: int, rate: float) -> None:
        super().__init__()
        self.from_text, self.from_image = nn.Linear(text, width), nn.Linear(image, width)
        self.kind = nn.Embedding(2, width)  # row 0 text, row 1 image
        self.text_layers = nn.ModuleList(Layer(width, heads, rate, crossed=True) for _ in range(depth))
        self.image_layers = nn.ModuleList(Layer(width, heads, rate, crossed=True) for _ in range(depth))
        self.apply(start)

    def enter(self, text: Tensor, mask: Tensor, image: Tensor) -> Streams:
        """The streams before the first layer."""
        return Streams(self.from_text(text) + self.kind.weight[0], mask.bool(), self.from_image(image) + self.kind.weight[1])

    def forward(self, streams: Streams, depth: int | None = None) -> Streams:
        """The streams after `depth` layers (all of them where none is given)."""
        for number in range(len(self.text_layers) if depth is None else depth):
            streams = self.one_layer(streams, number)
        return streams

    def one_layer(self, streams: Streams, number: int) -> Streams:
        x, there, y = streams
        return Streams(self.text_layers[number](x, there, y, None), there, self.image_layers[number](y, None, x, there))

    def word_to_patch(self, streams: Streams) -> Float[Tensor, "layers b h l t"]:
        """Attention of every token of the text on those of the image, layer by layer; a row sums to 1."""
        pairs = zip(self.text_layers, self.entering(streams))
        return torch.stack([layer.cross.weights(layer.after_self(each.text, each.there), each.image, None) for layer, each in pairs])

    def patch_to_word(self, streams: Streams) -> Float[Tensor, "layers b h t l"]:
        """Attention of every token of the image on those of the text, layer by layer; a row sums to 1, padding has none."""
        pairs = zip(self.image_layers, self.entering(streams))
        return torch.stack([layer.cross.weights(layer.after_self(each.image, None), each.text, each.there) for layer, each in pairs])

    def entering(self, streams: Streams) -> Iterator[Streams]:
        """What each layer reads."""
        for number in range(len(self.text_layers)):
            yield streams
            streams = self.one_layer(streams, number)


class Pooler(nn.Module):
    """First token -> Linear, tanh."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.linear = nn.Linear(width, width)
        start(self.linear)

    def forward(self, tokens: Float[Tensor, "b t d"]) -> Float[Tensor, "b d"]:
        return self.linear(tokens[:, 0]).tanh()


class Head(nn.Module):
    """Linear, norm, GELU, Linear onto answers or classes."""

    def __init__(self, width: int, classes: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(width, width), nn.LayerNorm(width), nn.GELU(), nn.Linear(width, classes))
        self.apply(start)

    def forward(self, x: Float[Tensor, "b d"]) -> Float[Tensor, "b k"]:
        return self.layers(x)
