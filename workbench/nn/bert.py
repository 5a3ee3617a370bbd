"""The forward pass of a frozen BERT encoder from its safetensors: transformers' own class costs eleven CPU seconds of imports."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor
from torch.nn.functional import embedding, gelu, layer_norm, linear, scaled_dot_product_attention


def supported(config: Mapping[str, Any]) -> bool:
    """BERT with exact GELU and absolute positions: MiniLM, ClinicalBERT, PubMedBERT and their kind."""
    return (
        config.get("model_type") == "bert"
        and config.get("hidden_act", "gelu") == "gelu"
        and config.get("position_embedding_type", "absolute") == "absolute"
        and not config.get("is_decoder", False)
    )


class FrozenBert:
    """Token ids -> last hidden states, in float32. Devlin et al., NAACL 2019. No module: nothing of it is trained or saved."""

    def __init__(self, folder: Path, device: torch.device) -> None:
        self.config = json.loads((folder / "config.json").read_text())
        given = load_file(folder / "model.safetensors", device=str(device))
        self.weights = {name.removeprefix("bert."): value.float() for name, value in given.items() if value.is_floating_point()}

    def __call__(self, ids: Tensor, mask: Tensor) -> Tensor:
        """(t l) and (t l) -> (t l d)."""
        x = embedding(ids, self.weights["embeddings.word_embeddings.weight"])
        x = x + self.weights["embeddings.position_embeddings.weight"][: ids.shape[1]]
        x = self.norm(x + self.weights["embeddings.token_type_embeddings.weight"][0], "embeddings.LayerNorm")
        for layer in range(self.config["num_hidden_layers"]):
            part = f"encoder.layer.{layer}"
            x = self.norm(x + self.attend(x, mask, f"{part}.attention"), f"{part}.attention.output.LayerNorm")
            inner = gelu(self.linear(x, f"{part}.intermediate.dense"))
            x = self.norm(x + self.linear(inner, f"{part}.output.dense"), f"{part}.output.LayerNorm")
        return x

    def attend(self, x: Tensor, mask: Tensor, part: str) -> Tensor:
        """Self-attention over the tokens that are there."""
        texts, length, width = x.shape
        shape = (texts, length, self.config["num_attention_heads"], -1)
        q, k, v = (self.linear(x, f"{part}.self.{name}").view(shape).transpose(1, 2) for name in ("query", "key", "value"))
        mixed = scaled_dot_product_attention(q, k, v, attn_mask=mask[:, None, None, :].bool())
        return self.linear(mixed.transpose(1, 2).reshape(texts, length, width), f"{part}.output.dense")

    def linear(self, x: Tensor, name: str) -> Tensor:
        return linear(x, self.weights[f"{name}.weight"], self.weights[f"{name}.bias"])

    def norm(self, x: Tensor, name: str) -> Tensor:
        return layer_norm(
            x, x.shape[-1:], self.weights[f"{name}.weight"], self.weights[f"{name}.bias"], self.config.get("layer_norm_eps", 1e-12)
        )
