"""Text towers: frozen, with every sentence's vector kept on disk, or trainable."""

import hashlib
import json
import math
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from workbench.cache import cache_root
from workbench.errors import UserError
from workbench.nn import bert
from workbench.nn.vector_store import KEY_BYTES, VectorStore
from workbench.randomness import torch_stream
from workbench.text import TextFields, model_folder, sequences

FORMAT = 1  # raised when the vectors of a frozen tower change their meaning
CHUNK = 64  # sequences of one pass
FLOATS = ("F64", "F32", "F16", "BF16")  # as safetensors spells them


def text_tower(config: TextFields) -> "FrozenText | TrainableText":
    """The text tower of a configuration; a frozen one is no module, so no checkpoint carries it."""
    return TrainableText(config) if config.text_trainable else FrozenText(config)


def pool(hidden: Tensor, mask: Tensor, token_pooling: str) -> Tensor:
    """(t l d) -> unit rows (t d): mean over the tokens that are there, or the first. Reimers and Gurevych, EMNLP 2019."""
    if token_pooling == "first":
        return normalize(hidden[:, 0], dim=1)
    weight = mask[..., None].to(hidden.dtype)
    return normalize((hidden * weight).sum(1) / weight.sum(1), dim=1)


def padded(parts: list[bytes], device: torch.device) -> tuple[Tensor, Tensor]:
    """Token sequences (int64 bytes) as ids and mask (t l)."""
    ids = [torch.frombuffer(bytearray(part), dtype=torch.int64) for part in parts]
    mask = nn.utils.rnn.pad_sequence([torch.ones_like(each) for each in ids], batch_first=True)
    return nn.utils.rnn.pad_sequence(ids, batch_first=True).to(device), mask.to(device)


class FrozenText:
    """Token ids -> one vector (d) per text, each sentence or report run through the model once and for all."""

    def __init__(self, config: TextFields) -> None:
        self.pooling, self.token_pooling = config.text_pooling, config.token_pooling
        self.folder = model_folder(config.text)
        self.width = hidden_size(self.folder)
        self.places: dict[bytes, np.ndarray] = {}  # text -> where the vectors of its sentences are

    def __call__(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """(t l), (t l) -> (t d) float32 on the ids' device."""
        ids, lengths = np.ascontiguousarray(input_ids.cpu().numpy()), attention_mask.sum(1).tolist()
        texts = [digest(row[:length].tobytes()) for row, length in zip(ids, lengths)]
        store = _store(self.folder, self.token_pooling, self.width, cache_root())
        new = [place for place, key in enumerate(texts) if key not in self.places]
        if new:
            rows = sequences(ids[new], [lengths[place] for place in new], self.pooling)
            parts = [part for row in rows for part in row]
            found = iter(store.find([digest(part) for part in parts], lambda at: self.run([parts[i] for i in at], input_ids.device)))
            for place, row in zip(new, rows):
                self.places[texts[place]] = np.array([next(found) for _ in row])
        chosen = [self.places[key] for key in texts]
        counts = np.array([len(each) for each in chosen])
        vectors = store.vectors(np.concatenate(chosen))
        means = np.add.reduceat(vectors, np.cumsum(counts) - counts, axis=0) / counts[:, None].astype(np.float32)
        return torch.from_numpy(means).to(input_ids.device)

    def parameter_count(self) -> int:
        """Parameters of the encoder without its unused pooler, from the headers of its files: nothing is loaded."""
        from safetensors import safe_open

        count = 0
        for path in sorted(self.folder.glob("*.safetensors")):
            with safe_open(path, "pt") as file:
                shapes = {name: file.get_slice(name) for name in file.keys() if "pooler." not in name}  # noqa: SIM118
                count += sum(math.prod(each.get_shape()) for each in shapes.values() if each.get_dtype() in FLOATS)
        return count

    @torch.no_grad()
    def words(self, input_ids: Tensor, attention_mask: Tensor, most: int) -> tuple[Tensor, Tensor]:
        """The first `most` word tokens of each text (t most d) and which are there; run anew every time, not kept on disk."""
        rows = sequences(input_ids.cpu().numpy(), attention_mask.sum(1).tolist(), self.pooling)
        with torch_stream(0, "frozen text"), torch.autocast(input_ids.device.type, enabled=False):
            return words_of(rows, _frozen_model(self.folder, input_ids.device), input_ids.device, self.width, most)

    @torch.no_grad()
    def run(self, parts: list[bytes], device: torch.device) -> np.ndarray:
        """Unit vectors of token sequences; shortest first, so that little is padding."""
        with torch_stream(0, "frozen text"), torch.autocast(device.type, enabled=False):  # loading draws random numbers
            model = _frozen_model(self.folder, device)
            order = sorted(range(len(parts)), key=lambda place: (len(parts[place]), parts[place]))
            found = np.empty((len(parts), self.width), np.float32)
            for start in range(0, len(order), CHUNK):
                chosen = order[start : start + CHUNK]
                ids, mask = padded([parts[place] for place in chosen], device)
                found[chosen] = pool(model(ids, mask), mask, self.token_pooling).cpu().numpy()
        return found


class TrainableText(nn.Module):
    """A transformers encoder that trains; equal sentences of a batch run once."""

    def __init__(self, config: TextFields) -> None:
        super().__init__()
        self.pooling, self.token_pooling = config.text_pooling, config.token_pooling
        self.model = load_encoder(model_folder(config.text))
        self.width = self.model.config.hidden_size
        self.gradient_free = key_biases(self)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """(t l), (t l) -> (t d)."""
        rows = sequences(input_ids.cpu().numpy(), attention_mask.sum(1).tolist(), self.pooling)
        parts = sorted({part for row in rows for part in row}, key=lambda part: (len(part), part))
        places = {part: place for place, part in enumerate(parts)}
        ids, mask = padded(parts, input_ids.device)
        vectors = pool(self.model(input_ids=ids, attention_mask=mask).last_hidden_state, mask, self.token_pooling)
        chosen = torch.tensor([places[part] for row in rows for part in row], device=input_ids.device)
        owner = torch.tensor([text for text, row in enumerate(rows) for _ in row], device=input_ids.device)
        counts = torch.bincount(owner, minlength=len(rows))[:, None]
        return vectors.new_zeros(len(rows), vectors.shape[1]).index_add(0, owner, vectors[chosen]) / counts

    def words(self, input_ids: Tensor, attention_mask: Tensor, most: int) -> tuple[Tensor, Tensor]:
        """The first `most` word tokens of each text (t most d) and which are there."""
        rows = sequences(input_ids.cpu().numpy(), attention_mask.sum(1).tolist(), self.pooling)
        return words_of(
            rows, lambda ids, mask: self.model(input_ids=ids, attention_mask=mask).last_hidden_state, input_ids.device, self.width, most
        )


def words_of(
    rows: list[list[bytes]], model: Callable[[Tensor, Tensor], Tensor], device: torch.device, width: int, most: int
) -> tuple[Tensor, Tensor]:
    """Last hidden states (t most d) of the words of texts given as token sequences, and which places hold one.

    Every sequence runs once; its first and last tokens are the model's marks and left out.
    """
    parts = sorted({part for row in rows for part in row}, key=lambda part: (len(part), part))
    hidden: dict[bytes, Tensor] = {}
    for start in range(0, len(parts), CHUNK):
        ids, mask = padded(parts[start : start + CHUNK], device)
        hidden |= {
            part: found[1 : length - 1] for part, found, length in zip(parts[start : start + CHUNK], model(ids, mask), mask.sum(1).tolist())
        }
    texts = [torch.cat([hidden[part] for part in row])[:most] for row in rows]
    found = torch.stack([nn.functional.pad(text, (0, 0, 0, most - len(text))) for text in texts]) if texts else torch.zeros(0, most, width)
    there = torch.tensor([[place < len(text) for place in range(most)] for text in texts], dtype=torch.bool).reshape(len(texts), most)
    return found.to(device), there.to(device)


def key_biases(module: nn.Module, prefix: str = "") -> dict[str, str]:
    """The biases that softmax does not see, and why they have no gradient."""
    ends = (".key.bias", ".k_proj.bias", ".k_lin.bias")
    why = "adding a constant to all scores of a query leaves its attention as it is"
    return {prefix + name: why for name, _ in module.named_parameters() if name.endswith(ends)}


def digest(ids: bytes) -> bytes:
    """Key of a token sequence."""
    return hashlib.blake2b(ids, digest_size=KEY_BYTES).digest()


def hidden_size(folder: Path) -> int:
    """Width of an encoder, from its config.json."""
    config = json.loads((folder / "config.json").read_text())
    for name in ("hidden_size", "dim", "d_model"):
        if isinstance(config.get(name), int):
            return config[name]
    raise UserError(f"{folder / 'config.json'}: no hidden_size; give the folder of a transformers text encoder")


def load_encoder(folder: Path) -> nn.Module:
    """A transformers encoder without its unused pooler; only shapes on the meta device. Raises UserError."""
    from transformers import AutoConfig, AutoModel

    try:
        if torch.get_default_device().type == "meta":
            model = AutoModel.from_config(AutoConfig.from_pretrained(folder, trust_remote_code=False))
        else:
            model = AutoModel.from_pretrained(folder, trust_remote_code=False, use_safetensors=True, dtype=torch.float32)
    except (OSError, ValueError) as error:
        raise UserError(
            f"{folder}: no text encoder could be read ({str(error).splitlines()[0]}); it needs config.json and model.safetensors, and no code of its own"
        ) from None
    if getattr(model, "pooler", None) is not None:
        model.pooler = None
    return model


@cache
def _store(folder: Path, token_pooling: str, width: int, root: Path) -> VectorStore:
    """The vectors of one model and pooling; runs of one process share them."""
    return VectorStore(root / "text" / f"{fingerprint(folder)}-{token_pooling}", width)


@cache
def fingerprint(folder: Path) -> str:
    """Hash of a model's configuration and weights: another model's vectors are never taken for its own."""
    found = hashlib.sha256(f"format {FORMAT}".encode())
    for path in sorted([folder / "config.json", *folder.glob("*.safetensors")]):
        with open(path, "rb") as file:
            found.update(hashlib.file_digest(file, "sha256").digest())
    return found.hexdigest()[:24]


@cache
def _frozen_model(folder: Path, device: torch.device) -> Callable[[Tensor, Tensor], Tensor]:
    """ids, mask -> last hidden states."""
    config: dict[str, Any] = json.loads((folder / "config.json").read_text())
    if bert.supported(config) and (folder / "model.safetensors").is_file():
        return bert.FrozenBert(folder, device)
    model = load_encoder(folder).to(device).eval()
    return lambda ids, mask: model(input_ids=ids, attention_mask=mask).last_hidden_state
