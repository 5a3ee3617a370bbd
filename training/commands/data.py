"""Commands about data sets."""

from pathlib import Path
from typing import Annotated, Literal

import tyro

from training.commands.shown import Json, Name, show


def data_prepare(
    name: Name,
    root: Path | None = None,
    set: Annotated[tuple[str, ...], tyro.conf.arg(help="key=value of the data set's configuration")] = (),
    json: Json = False,
) -> None:
    """Validate a data set, report what is missing, convert it to fast shards, print its card.

    Args:
        name: A data set, or a recipe whose data set is meant.
        root: Folder of the data, as downloaded.
    """
    from training.data_commands import prepare

    document, text = prepare(name, root, set, quiet=json)
    show(document, text, json)


def data_card(
    name: Name,
    root: Path | None = None,
    set: Annotated[tuple[str, ...], tyro.conf.arg(help="key=value of the data set's configuration")] = (),
    json: Json = False,
) -> None:
    """Print what is in a data set: studies, patients, splits, prevalences, texts, terms of use.

    Args:
        name: A data set, or a recipe whose data set is meant.
        root: Folder of the data, as downloaded.
    """
    from training.data_commands import card

    document, text = card(name, root, set)
    show(document, text, json)


def data_vocabulary(
    names: Annotated[tuple[str, ...], tyro.conf.Positional],
    out: Path,
    size: int = 1000,
    root: Path | None = None,
    set: Annotated[tuple[str, ...], tyro.conf.arg(help="key=value of the data sets' configuration")] = (),
    json: Json = False,
) -> None:
    """Train a WordPiece vocabulary on the reports and questions of training studies, for a text tower `words:FOLDER`.

    Args:
        names: Data sets, or recipes whose data sets are meant.
        out: Folder the vocabulary is written to.
        size: Most tokens it may have.
        root: Folder of the data, as downloaded.
    """
    from training.data_commands import vocabulary

    document, text = vocabulary(names, out, size, root, set)
    show(document, text, json)


def data_answers(
    name: Name,
    splits: tuple[Literal["train", "val", "test"], ...] = ("train",),
    least: int = 1,
    root: Path | None = None,
    set: Annotated[tuple[str, ...], tyro.conf.arg(help="key=value of the data set's configuration")] = (),
    json: Json = False,
) -> None:
    """List the answers to a data set's questions, as a method that chooses among answers takes them.

    Args:
        name: A data set, or a recipe whose data set is meant.
        splits: Splits that are read; the published M3AE reads all three.
        least: Answers given less often are left out.
        root: Folder of the data, as downloaded.
    """
    from training.data_commands import answers

    document, text = answers(name, splits, least, root, set)
    show(document, text, json)
