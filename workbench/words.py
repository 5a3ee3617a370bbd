"""Words of a report: which tokens make one, which are hidden; a WordPiece vocabulary trained on one's own reports.  (no torch)"""

import json
from collections.abc import Iterable
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np

from workbench.errors import UserError
from workbench.text import NO_TEXT, model_folder, text_id

OWN = "words:"  # before the name of a packaged vocabulary or a folder with one: a text tower without pretrained weights
PACKAGED = Path(__file__).parent / "vocabularies"
FILE = "tokenizer.json"
MASKS = ("[MASK]", "<mask>")
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
SKIPPED = ("[CLS]", "[SEP]")  # the official collator knows these two by name, and no other mark
SPACE = ("Ġ", "▁")  # how byte-level BPE and SentencePiece write the space before a word
REPLACED, RANDOM = 0.8, 0.1  # of the hidden tokens: the mark, another token; the rest stays. Devlin et al., NAACL 2019

Masking = Literal["official", "fixed"]


class Vocabulary(NamedTuple):
    """What masking must know of a tokenizer; arrays run over its v tokens."""

    mark: int  # id of the mask token
    special: np.ndarray  # (v) bool: marks that are no text
    continues: np.ndarray  # (v) bool: goes on with the word of the token before
    suffix: np.ndarray  # (v) bool: begins with ##, all that the official collator looks at
    skipped: np.ndarray  # (v) bool: [CLS] and [SEP]
    pieces: tuple[str, ...]

    @property
    def size(self) -> int:
        return len(self.pieces)


def folder_of(text: str) -> Path:
    """Where the tokenizer of a text tower lies; raises UserError where it has none."""
    if text.startswith(OWN):
        name = text.removeprefix(OWN)
        folder = PACKAGED / name if (PACKAGED / name / FILE).is_file() else Path(name).expanduser()
        advice = f"make one with `workbench data vocabulary RECIPE --out {name}`, or name one of {', '.join(packaged())}"
    else:
        folder, advice = model_folder(text), f"save its fast tokenizer there as {FILE}"
    if not (folder / FILE).is_file():
        raise UserError(f"method.text: {text}: a text tower needs a tokenizer and {folder} holds no {FILE}; {advice}")
    return folder


def packaged() -> list[str]:
    """Vocabularies that come with the workbench."""
    return sorted(path.parent.name for path in PACKAGED.glob(f"*/{FILE}"))


@cache
def vocabulary(text: str) -> Vocabulary:
    """The vocabulary of a text tower; raises UserError where it has no mask token."""
    tokenizer = _tokenizer(folder_of(text), None)
    described = json.loads(tokenizer.to_str())
    found = tokenizer.get_vocab(with_added_tokens=True)
    pieces = [""] * (max(found.values()) + 1)
    for piece, place in found.items():
        pieces[place] = piece
    marks = [found[mark] for mark in MASKS if mark in found]
    if not marks:
        raise UserError(f"method.text: {text}: its tokenizer has none of {', '.join(MASKS)}, so no word can be hidden; choose another")
    special = np.zeros(len(pieces), bool)
    special[[each["id"] for each in described["added_tokens"] if each["special"]]] = True
    prefix = described["model"].get("continuing_subword_prefix") or "##"
    suffix = np.array([piece.startswith("##") for piece in pieces])
    if described["model"]["type"] == "WordPiece":
        continues = np.array([piece.startswith(prefix) for piece in pieces])
    else:  # punctuation stands alone, as WordPiece has it
        continues = np.array([piece[:1].isalnum() and not piece.startswith(SPACE) for piece in pieces])
    skipped = np.array([piece in SKIPPED for piece in pieces])
    return Vocabulary(marks[0], special, continues & ~special, suffix, skipped, tuple(pieces))


def row(text: str, tower: str, tokens: int) -> dict[str, Any]:
    """One text as `collate` takes it, for a tower that reads tokens: {"input_ids", "text_id"}."""
    ids, identity = _row(text, tower, tokens)
    return {"input_ids": ids, "text_id": identity}


@lru_cache(maxsize=65536)
def _row(text: str, tower: str, tokens: int) -> tuple[np.ndarray, int]:
    ids = np.asarray(_tokenizer(folder_of(tower), tokens).encode(" ".join(text.split())).ids, np.int64)
    ids.setflags(write=False)
    return ids, text_id(text) if text.strip() else NO_TEXT


@cache
def _tokenizer(folder: Path, tokens: int | None) -> Any:
    from tokenizers import Tokenizer

    found = Tokenizer.from_file(str(folder / FILE))
    found.no_padding()
    if tokens is None:
        found.no_truncation()
    else:
        found.enable_truncation(tokens)
    return found


def words_of(ids: np.ndarray, known: Vocabulary) -> list[list[int]]:
    """Places of the tokens of every word; marks belong to none, and what follows a mark begins a word."""
    found: list[list[int]] = []
    before = True
    for place, token in enumerate(ids.tolist()):
        if not known.special[token]:
            if known.continues[token] and not before:
                found[-1].append(place)
            else:
                found.append([place])
        before = bool(known.special[token])
    return found


def spelt(places: Iterable[int], ids: np.ndarray, known: Vocabulary) -> str:
    """The word of these tokens, without the marks of its pieces."""
    return "".join(known.pieces[ids[place]].removeprefix("##").lstrip("".join(SPACE)) for place in places)


def hidden_places(ids: np.ndarray, known: Vocabulary, ratio: float, length: int, how: Masking, rng: np.random.Generator) -> np.ndarray:
    """(length) bool: the tokens to be hidden, whole words at a time, of a text padded to `length`.

    `fixed`: `ratio` of the tokens that are text, and at least one word. `official`, as the published collator has it: a word goes on only
    with ##, marks other than [CLS] and [SEP], padding too, are drawn as if they were words, and are then taken off the mask:
    fewer than `ratio` of a short text is hidden, often nothing. (It pads to `length`; the padding token is a mark.)
    """
    if how == "official":
        groups = _official_groups(ids, known, length)
        wanted = max(1, round(length * ratio))
    else:
        groups = words_of(ids, known)
        wanted = max(1, round(sum(map(len, groups)) * ratio))
    hidden = np.zeros(length, bool)
    order = rng.permutation(len(groups)).tolist()
    for place in order:
        if hidden.sum() + len(groups[place]) <= wanted:
            hidden[groups[place]] = True
    if how == "fixed" and groups and not hidden.any():
        hidden[groups[order[0]]] = True  # every word is longer than the share: the first that was drawn
    hidden[: len(ids)] &= ~known.special[ids]
    hidden[len(ids) :] = False
    return hidden


def _official_groups(ids: np.ndarray, known: Vocabulary, length: int) -> list[list[int]]:
    groups: list[list[int]] = []
    for place, token in enumerate(ids.tolist()):
        if known.skipped[token]:
            continue
        if groups and known.suffix[token]:
            groups[-1].append(place)
        else:
            groups.append([place])
    return groups + [[place] for place in range(len(ids), length)]


def hide(ids: np.ndarray, hidden: np.ndarray, known: Vocabulary, rng: np.random.Generator) -> np.ndarray:
    """Ids with the hidden tokens replaced: 80 % by the mark, 10 % by any token, 10 % left as they are."""
    draw = rng.random(len(ids))
    other = rng.integers(0, known.size, len(ids))
    shown = np.where(draw < REPLACED, known.mark, np.where(draw < REPLACED + RANDOM, other, ids))
    return np.where(hidden, shown, ids)


def train_wordpiece(texts: Iterable[str], folder: Path, size: int = 1000) -> int:
    """A lower-case WordPiece vocabulary of at most `size` tokens for these reports, written to a folder; returns how many it has.

    Which of two equally frequent pieces gets in differs from call to call: the file is what counts, not the reports.
    """
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

    made = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    made.normalizer = normalizers.BertNormalizer(lowercase=True)
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    made.decoder = decoders.WordPiece()
    trainer = trainers.WordPieceTrainer(vocab_size=size, special_tokens=list(SPECIAL), show_progress=False, min_frequency=2)
    made.train_from_iterator(texts, trainer)
    if made.get_vocab_size() <= len(SPECIAL):
        raise UserError("vocabulary: the reports hold no word that occurs twice; give a data set with texts")
    ends = [(mark, made.token_to_id(mark)) for mark in SKIPPED]
    made.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=ends)
    folder.mkdir(parents=True, exist_ok=True)
    made.save(str(folder / FILE))
    return made.get_vocab_size()
