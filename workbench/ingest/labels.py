"""Labels of a table: 1 present, 0 absent, NaN not stated."""

from collections.abc import Sequence

import numpy as np

from workbench.errors import UserError
from workbench.ingest.table import Table

NO_FINDING = "No Finding"


def listed(cell: str, separator: str) -> list[str]:
    """The names joined in one cell."""
    return [" ".join(name.split()) for name in cell.split(separator) if name.strip()]


def found_names(table: Table, joined: str, separator: str, ignored: Sequence[str]) -> tuple[str, ...]:
    """The label set of a table that declares none."""
    names = {name for row in table.rows for name in listed(row[joined], separator)}
    return tuple(sorted(names - {NO_FINDING} - set(ignored)))


def label_matrix(
    table: Table, image: str, names: Sequence[str], joined: str | None, separator: str, closed: bool, ignored: Sequence[str]
) -> tuple[np.ndarray, np.ndarray]:
    """Labels (rows, labels) float32 and where they are uncertain (bool).

    A label with a column of its own is read there, the others from the joined column. A blank row is NaN; in a row that states something
    a label that is not listed is 0 if the set is `closed`, else NaN; "No Finding" is 0 for all.
    """
    own = [place for place, name in enumerate(names) if name in table.head]
    shared = [place for place, name in enumerate(names) if name not in table.head]
    if shared and joined is None:
        raise UserError(
            f"{table.name}: label {names[shared[0]]!r} has neither a column nor a joined `labels` column; correct labels or columns.labels"
        )
    known = {*names, *ignored, NO_FINDING}
    values = np.full((len(table.rows), len(names)), np.nan, np.float32)
    uncertain = np.zeros(values.shape, bool)
    for number, row in enumerate(table.rows):
        stated = listed(row[joined], separator) if joined else []
        for name in stated:
            if name not in known:
                raise UserError(
                    f"{table.name}: {row[image]}: label {name!r} is not in the declared set ({', '.join(names)}); add or ignore it"
                )
        if stated and shared:
            rest = 0.0 if closed or NO_FINDING in stated else np.nan
            values[number, shared] = [1.0 if names[place] in stated else rest for place in shared]
        if own:
            cells = [read_cell(row[names[place]], table.name, row[image], names[place]) for place in own]
            normal = table_says_normal(row)
            rest = 0.0 if normal or (closed and any(cell is not None for cell in cells)) else np.nan
            values[number, own] = [rest if cell is None else np.nan if cell < 0 else cell for cell in cells]
            uncertain[number, own] = [cell == -1 for cell in cells]
    return values, uncertain


def table_says_normal(row: dict[str, str]) -> bool:
    """Whether a column of its own says that there is no finding."""
    return row.get(NO_FINDING, "") in ("1", "1.0")


def read_cell(cell: str, table: str, image: str, column: str) -> float | None:
    """1 present, 0 absent, -1 uncertain, none where blank."""
    if not cell:
        return None
    try:
        value = float(cell)
    except ValueError:
        value = 2.0
    if value not in (1.0, 0.0, -1.0):
        raise UserError(f"{table}: {image}: column {column} holds {cell[:40]!r}; expected 1, 0, -1 (uncertain) or blank; correct it")
    return value


def of_studies(values: np.ndarray, members: Sequence[Sequence[int]]) -> np.ndarray:
    """Labels of studies from those of their images: present in one is present, else absent in one is absent."""
    if all(len(rows) == 1 for rows in members):
        return values[[rows[0] for rows in members]]
    return np.stack([np.fmax.reduce(values[list(rows)], axis=0) for rows in members])
