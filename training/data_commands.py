"""`workbench data prepare`, `card`, `vocabulary` and `answers`: a data set by name, or the data set of a recipe."""

import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, cast

from training import recipe as recipes
from workbench import registry
from workbench.config import read_yaml
from workbench.dataset import Split
from workbench.datasets import dataset_config, load_dataset
from workbench.errors import UserError
from workbench.text import report
from workbench.words import train_wordpiece


def values_of(name: str, root: Path | None, settings: Sequence[str]) -> dict[str, Any]:
    """The `{name: …}` mapping of a data set, or of a recipe's first source, with settings applied."""
    if name in registry.names("data"):
        values: dict[str, Any] = {"name": name}
    else:
        data = read_yaml(recipes.find(name)).get("data", {})
        if not data:
            raise UserError(
                f"{name}: names no data set; known are {', '.join(registry.names('data'))} and the recipes {', '.join(recipes.names())}"
            )
        values = dict(next(iter(data.values()))["config"])
    if root is not None:
        values["root"] = str(root)
    return recipes.override(values, settings)


def card(name: str, root: Path | None, settings: Sequence[str]) -> tuple[Any, str]:
    """The data card as a document and as text."""
    from workbench.ingest.card import card as make_card

    made = make_card(load_dataset(values_of(name, root, settings), name))
    return made.as_dict(), made.text()


def training_texts(names: Sequence[str], root: Path | None, settings: Sequence[str]) -> Iterator[str]:
    """Reports and questions of the training studies of data sets; validation and test words stay unseen."""
    for name in names:
        dataset = load_dataset(values_of(name, root, settings), name)
        for index in dataset.split("train"):
            sample = dataset[int(index)]
            yield report(sample)
            yield from (each["question"] for each in sample.get("questions", ()))


def vocabulary(names: Sequence[str], out: Path, size: int, root: Path | None, settings: Sequence[str]) -> tuple[Any, str]:
    """A WordPiece vocabulary trained on training texts: where it lies and how many tokens it has."""
    if not names:
        raise UserError(f"data vocabulary: no data set named; known are {', '.join(registry.names('data'))}, and recipes")
    found = train_wordpiece(training_texts(names, root, settings), out, size)
    return {"folder": str(out), "tokens": found}, f"{found} tokens in {out}; use it as method.text=words:{out}"


def answers(name: str, splits: Sequence[str], least: int, root: Path | None, settings: Sequence[str]) -> tuple[Any, str]:
    """The answers to the questions of some splits, most frequent first, and how often each is given."""
    dataset = load_dataset(values_of(name, root, settings), name)
    if "questions" not in dataset.provides:
        raise UserError(f"data {name}: has no questions (it provides {', '.join(sorted(dataset.provides))}); choose another data set")
    indices = [int(index) for split in splits for index in dataset.split(cast(Split, split))]
    given = Counter(each["answer"] for index in indices for each in dataset[index].get("questions", ()))
    found = {answer: count for answer, count in given.most_common() if count >= least}
    known = sum(found.values()) / max(1, given.total())
    text = f"{len(found)} answers, given to {known:.1%} of {given.total()} questions; as method.answers:\n{json.dumps(list(found))}"
    return {"answers": found, "questions": given.total(), "share": known}, text


def show_progress(done: int, total: int) -> None:
    """One line that rewrites itself on a terminal; silent elsewhere."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[2K{done}/{total} films" + ("\n" if done == total else ""))
        sys.stderr.flush()


def prepare(name: str, root: Path | None, settings: Sequence[str], quiet: bool) -> tuple[Any, str]:
    """Convert to shards and report; the report and the card."""
    from workbench.data.manifest import Config as ManifestConfig
    from workbench.ingest.prepare import prepare as convert

    values = values_of(name, root, settings)
    if values["name"] != "manifest":
        raise UserError(f"data {values['name']}: is made, not read; only data sets with a root are prepared")
    report = convert(cast(ManifestConfig, dataset_config(values, name)), None if quiet else show_progress)
    document, text = card(name, root, settings)
    return {"report": report.as_dict(), "card": document}, f"{report.text()}\n\n{text}"
