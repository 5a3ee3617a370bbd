"""A bank of prompts: per finding what is said where it is present and where it is absent; read from YAML, checked, hashed.  (no torch)"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from workbench.errors import UserError

SIDES = ("positive", "negative")
BYTES, FINDINGS, PROMPTS, CHARACTERS = 200_000, 200, 50, 1000  # most of a file, of findings, of prompts a side, of one prompt
SLOT = "{}"  # in a template it stands for the finding

Bank = dict[str, dict[str, list[str]]]


def prompt(text: Any, where: str) -> str:
    """One prompt on one line; raises UserError where it is empty, too long, no text or holds control characters."""
    if not isinstance(text, str):
        raise UserError(f"{where}: expected a text, found {type(text).__name__}; put it in quotes")
    said = " ".join(text.split())
    if not said:
        raise UserError(f"{where}: the prompt is empty; write at least one word or remove it")
    if len(said) > CHARACTERS:
        raise UserError(f"{where}: a prompt of {len(said):,} characters; at most {CHARACTERS:,} are read, shorten it")
    if not said.isprintable():
        raise UserError(f"{where}: the prompt holds control characters; type it again as plain text")
    return said


def prompts(texts: Any, where: str) -> list[str]:
    """The prompts of one side, a list or a single text, each once."""
    given = [texts] if isinstance(texts, str) else texts
    if not isinstance(given, list) or not given:
        raise UserError(f"{where}: expected a list of prompts, found {type(texts).__name__}; write at least one")
    if len(given) > PROMPTS:
        raise UserError(f"{where}: {len(given)} prompts; at most {PROMPTS} are averaged, remove some")
    return list(dict.fromkeys(prompt(text, f"{where}, prompt {place + 1}") for place, text in enumerate(given)))


def sides(given: Any, where: str) -> dict[str, list[str]]:
    """Positive and negative prompts of one finding, or templates of all."""
    if not isinstance(given, Mapping) or set(given) != set(SIDES):
        raise UserError(f"{where}: expected the keys positive and negative, each with a list of prompts")
    return {side: prompts(given[side], f"{where}, {side}") for side in SIDES}


def filled(template: str, words: str) -> str:
    """A template with the finding in words; a text without `{}` stays as it is."""
    text = template.replace(SLOT, words)
    return text[:1].upper() + text[1:] if template.startswith(SLOT) else text


def in_words(label: str) -> str:
    """`Pleural_Thickening` -> `pleural thickening`; abbreviations keep their capitals."""
    words = label.replace("_", " ").split()
    return " ".join(word if word.isupper() or any(mark.isdigit() for mark in word) else word.lower() for word in words)


def expanded(templates: Mapping[str, Sequence[str]], findings: Mapping[str, str], where: str) -> Bank:
    """Templates with `{}` for every finding (label -> its words); raises UserError for a template that names no finding."""
    checked = sides({side: list(templates[side]) for side in SIDES} if set(templates) == set(SIDES) else templates, where)
    for side, texts in checked.items():
        for text in texts:
            if SLOT not in text:
                raise UserError(
                    f"{where}, {side}: {text[:60]!r} has no {SLOT}; a template for all findings needs one where the finding stands"
                )
    return {
        label: {side: list(dict.fromkeys(filled(text, words) for text in texts)) for side, texts in checked.items()}
        for label, words in findings.items()
    }


def parse(values: Any, where: str, labels: Sequence[str]) -> Bank:
    """A checked bank of findings that are labels of the data set.

    `values` maps findings to {positive: […], negative: […]}, or holds `templates` with `{}` and, where not all labels are meant,
    `findings` (a list, or label -> words). Raises UserError that names the entry.
    """
    if not isinstance(values, Mapping) or not values:
        raise UserError(f"{where}: expected findings with their positive and negative prompts; see workbench/phantom/prompts.yaml")
    if "templates" in values:
        unknown = sorted(str(key)[:40] for key in values if key not in ("templates", "findings"))
        if unknown:
            raise UserError(f"{where}: unknown key {unknown[0]!r} beside templates; only findings may stand there")
        named = values.get("findings", list(labels))
        words = named if isinstance(named, Mapping) else {each: in_words(str(each)) for each in named} if isinstance(named, list) else None
        if not words:
            raise UserError(f"{where}, findings: expected a list of labels or a mapping of labels to words")
        words = {known(label, where, labels): prompt(text, f"{where}, {label}") for label, text in words.items()}
        return expanded(values["templates"], words, f"{where}, templates")
    if len(values) > FINDINGS:
        raise UserError(f"{where}: {len(values)} findings; at most {FINDINGS} are scored, split the file")
    return {known(label, where, labels): sides(given, f"{where}, {str(label)[:60]}") for label, given in values.items()}


def known(label: Any, where: str, labels: Sequence[str]) -> str:
    """A finding that the data set has as a label."""
    if label not in labels:
        raise UserError(f"{where}: {str(label)[:60]!r} is no label of this data; its labels are {', '.join(labels) or 'none'}")
    return str(label)


def read(data: bytes, where: str, labels: Sequence[str]) -> Bank:
    """A bank from the bytes of a YAML file, by the safe loader; raises UserError that names the file."""
    if len(data) > BYTES:
        raise UserError(f"{where}: {len(data):,} bytes; a bank of prompts has at most {BYTES:,}")
    try:
        values = yaml.safe_load(data.decode())
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise UserError(f"{where}: not readable as YAML ({str(error).splitlines()[0][:100]}); correct the file") from None
    return parse(values, where, labels)


def read_file(path: Path, labels: Sequence[str]) -> Bank:
    """A bank from a file."""
    try:
        with open(path, "rb") as file:
            return read(file.read(BYTES + 1), str(path), labels)
    except (FileNotFoundError, IsADirectoryError):
        raise UserError(f"{path}: no such file; give a YAML file of prompts") from None


def own(dataset: Any, where: str) -> Bank:
    """The data set's own prompts of its labels; raises UserError where it has no labels or no prompts."""
    labels = list(dataset.label_names)
    if not labels:
        raise UserError(
            f"{where}: its data has no labels, so prompts have nothing to be judged by; use data with labels, or name its label columns"
        )
    given = getattr(dataset, "prompts", None) or {}
    found = {name: {side: list(given[name][side]) for side in SIDES} for name in labels if name in given}
    if not found:
        raise UserError(f"{where}: its data brings no prompts; type some, or give a file of them (--prompts FILE.yaml)")
    return found


def texts(bank: Mapping[str, Mapping[str, Sequence[str]]]) -> list[str]:
    """Every prompt of a bank once, sorted: what has to be embedded."""
    return sorted({text for pair in bank.values() for side in SIDES for text in pair[side]})


def digest(bank: Mapping[str, Mapping[str, Sequence[str]]]) -> str:
    """Hash of a bank's findings and prompts in their order."""
    return hashlib.sha256(
        json.dumps([[name, list(pair["positive"]), list(pair["negative"])] for name, pair in bank.items()]).encode()
    ).hexdigest()[:16]
