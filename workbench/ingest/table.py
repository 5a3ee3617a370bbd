"""The table of a manifest, CSV or JSON lines, and the one film each of its rows names."""

import csv
import hashlib
import io
import json
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from workbench.errors import UserError
from workbench.ingest.paths import contained

Row = dict[str, str]
CONTROL = dict.fromkeys((*range(9), 11, 12, *range(14, 32), *range(127, 160)), " ")  # escape sequences would act on a terminal


@dataclass(frozen=True)
class Table:
    """Rows as text, blank where nothing is stated."""

    name: str
    head: tuple[str, ...]
    rows: list[Row]
    digest: str

    def column(self, what: str, given: str | None, usual: Sequence[str] = ()) -> str | None:
        """The column that holds `what`: the one given, else the first usual name there is; raises UserError for a given one that is missing."""
        if given is not None and given not in self.head:
            raise UserError(f"{self.name}: no column {given!r}; the columns are {', '.join(self.head)}; correct columns.{what}")
        return given if given is not None else next((name for name in usual if name in self.head), None)


def read_table(root: Path, name: str) -> Table:
    """A CSV with a head line, or one JSON object a line; raises UserError that names file and line."""
    path = contained(root, name, "table")
    try:
        data = path.read_bytes()
        text = data.decode("utf-8-sig").translate(CONTROL)
    except (FileNotFoundError, IsADirectoryError):
        raise UserError(f"{name}: no such file in {root}; put the table there or name it in `table`") from None
    except UnicodeDecodeError as error:
        raise UserError(f"{name}: not UTF-8 at byte {error.start}; save the table as UTF-8") from None
    head, rows = (read_lines if path.suffix in (".jsonl", ".ndjson") else read_csv)(name, text)
    if not rows:
        raise UserError(f"{name}: holds no rows; give a table with one row an image")
    return Table(name, head, rows, hashlib.sha256(data).hexdigest())


def read_csv(name: str, text: str) -> tuple[tuple[str, ...], list[Row]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        head = tuple(next(reader, ()))
        repeated = sorted({column for column in head if head.count(column) > 1})
        if repeated:
            raise UserError(f"{name}: column {repeated[0]!r} occurs twice; rename one")
        rows = []
        for fields in reader:
            if not fields:
                continue
            if len(fields) != len(head):
                raise UserError(
                    f"{name}: line {reader.line_num} has {len(fields)} fields, the head {len(head)}; complete or remove the line"
                )
            rows.append(dict(zip(head, map(str.strip, fields))))
    except csv.Error as error:
        raise UserError(f"{name}: line {reader.line_num}: not readable as CSV ({error}); correct the quotes of that line") from None
    return head, rows


def read_lines(name: str, text: str) -> tuple[tuple[str, ...], list[Row]]:
    head: dict[str, None] = {}
    rows = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except json.JSONDecodeError:
            raise UserError(f"{name}: line {number} is not readable as JSON; correct or remove it") from None
        if not isinstance(record, dict):
            raise UserError(f"{name}: line {number} is a {type(record).__name__}, expected an object of columns; correct it")
        head |= dict.fromkeys(record)
        rows.append({key: cell(value) for key, value in record.items()})
    return tuple(head), [{key: row.get(key, "") for key in head} for row in rows]


def cell(value: object) -> str:
    """A JSON value as a CSV cell; a list is joined by `|`."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(int(value))
    joined = "|".join(map(str, value)) if isinstance(value, list) else str(value)
    return joined.translate(CONTROL).strip()


@dataclass(frozen=True)
class Film:
    """One image file of a row; `size` in bytes, none where the file is missing."""

    name: str
    path: Path
    size: int | None
    modified: int


def films(root: Path, folder: str, table: Table, column: str) -> list[Film]:
    """The film of every row, in order; raises UserError for a path that leaves the root and for a file named twice."""
    found: dict[str, Film] = {}
    for row in table.rows:
        name = row[column]
        where = f"{table.name}: column {column}"
        if not name.isprintable() or not name:
            raise UserError(f"{where}: {name!r} is no file name; complete or remove the row")
        path = contained(root, f"{folder}/{name}" if not name.startswith(("/", "\\")) else name, where)
        if name in found:
            raise UserError(f"{where}: {name} occurs in two rows; keep one row an image")
        try:
            status = path.stat()
            size = status.st_size if stat.S_ISREG(status.st_mode) else None
            found[name] = Film(name, path, size, status.st_mtime_ns)
        except (FileNotFoundError, NotADirectoryError):
            found[name] = Film(name, path, None, 0)
    return list(found.values())
