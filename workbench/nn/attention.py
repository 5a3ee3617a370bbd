"""Exact attention weights of a transformer tower, whatever kernel it trains with."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from workbench.errors import UserError
from workbench.nn.vision import ResNetSmall


def attention_layers(tower: nn.Module) -> list[nn.Module]:
    """The self-attentions of a timm ViT, first layer first; none where the tower is no such transformer."""
    if isinstance(tower, ResNetSmall):
        return []
    from timm.layers import Attention
    from timm.models.vision_transformer import VisionTransformer

    model = getattr(tower, "model", tower)
    layers = [getattr(block, "attn", None) for block in model.blocks] if isinstance(model, VisionTransformer) else []
    return layers if all(type(layer) is Attention for layer in layers) else []  # other kinds weigh keys in ways of their own


def lacks_attention(tower: nn.Module) -> dict[str, str]:
    """What a method with this tower says under `lacks`: nothing for a transformer."""
    return {} if attention_layers(tower) else {"Attends": "its image tower is no plain vision transformer"}


def attention_maps(vit: nn.Module, images: Float[Tensor, "b c h w"]) -> Float[Tensor, "l b heads t t"]:
    """softmax(q k' / sqrt d) of every layer and head, prefix tokens first: computed beside the forward, which stays as it is.

    Each row is a query and sums to 1. The caller has set eval mode and turned autocast off.
    """
    layers, found = attention_layers(vit), []
    if not layers:
        raise UserError("attention: the image tower is no plain vision transformer; choose a run with vision: timm:vit_…")

    def record(layer: nn.Module, args: tuple, kwargs: dict) -> None:
        found.append(weights(layer, *args, **kwargs))

    hooks = [layer.register_forward_pre_hook(record, with_kwargs=True) for layer in layers]
    try:
        vit(images)
    finally:
        for hook in hooks:
            hook.remove()
    return torch.stack(found)


def weights(layer: nn.Module, x: Float[Tensor, "b t d"], attn_mask: Tensor | None = None, is_causal: bool = False) -> Tensor:
    """One layer's weights (b h t t) for its input; q and k are normalised where the layer does so."""
    if is_causal:
        raise UserError("attention: a causal tower reads text, not images; choose another tower")
    b, t, _ = x.shape
    q, k, _ = layer.qkv(x).reshape(b, t, 3, layer.num_heads, layer.head_dim).permute(2, 0, 3, 1, 4)
    scores = layer.q_norm(q) @ layer.k_norm(k).transpose(-2, -1) * layer.scale
    if attn_mask is not None:
        scores = scores.masked_fill(~attn_mask, float("-inf")) if attn_mask.dtype == torch.bool else scores + attn_mask
    return scores.softmax(-1)
