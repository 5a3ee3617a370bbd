"""The table of a manifest, checked and read, a value per row; whether the files decode is another question."""

from collections import Counter
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from workbench.errors import UserError
from workbench.ingest import labels as label_table
from workbench.ingest.paths import contained, data_root
from workbench.ingest.splits import assign
from workbench.ingest.table import Film, Table, films, read_table

if TYPE_CHECKING:
    from workbench.data.manifest import Config

USUAL = {
    "image": ("filename",),
    "patient": ("group", "patient_id"),
    "split": ("split",),
    "labels": ("labels",),
    "text": ("text",),
    "view": ("view",),
    "sex": ("sex",),
    "age": ("age",),
    "source": ("source_repo",),
}


class Source:
    """What every row says: film, key, patient, split, labels."""

    root: Path
    table: Table
    films: list[Film]
    columns: dict[str, str | None]

    def __init__(self, config: "Config") -> None:
        self.root = data_root(config.root)
        contained(self.root, config.images, "images")
        self.table = table = read_table(self.root, config.table)
        given = config.columns.model_dump()
        self.columns = {name: table.column(name, given[name], USUAL.get(name, ())) for name in given}
        if self.columns["image"] is None:
            raise UserError(
                f"{table.name}: no image column ('filename'); the columns are {', '.join(table.head)}; name it in columns.image"
            )
        self.films = films(self.root, config.images, table, self.columns["image"])
        self.keys = self._keys()
        self.patients = self._patients()
        split = self.columns["split"]
        said = [row[split] for row in table.rows] if split else None
        self.splits = assign(
            table.name, [film.name for film in self.films], said, self.patients, config.splits, config.fractions, config.seed
        )
        joined = self.columns["labels"]
        found = label_table.found_names(table, joined, config.label_separator, config.ignore_labels) if joined else ()
        self.label_names: tuple[str, ...] = found if config.labels is None else config.labels
        self.labels, self.uncertain = label_table.label_matrix(
            table, self.columns["image"], self.label_names, joined, config.label_separator, config.closed_labels, config.ignore_labels
        )

    def _keys(self) -> list[str]:
        study = self.columns["study"]
        keys = [row[study] if study else PurePosixPath(film.name).stem for row, film in zip(self.table.rows, self.films)]
        twice, times = Counter(keys).most_common(1)[0]
        if study is None and times > 1:
            raise UserError(
                f"{self.table.name}: two files have the stem {twice!r}; name a column that tells their studies apart in columns.study"
            )
        if "" in keys:
            raise UserError(f"{self.table.name}: column {study}: a row names no study; complete it or leave columns.study out")
        return keys

    def _patients(self) -> list[str]:
        column = self.columns["patient"]
        if column is None:
            return self.keys
        patients = [row[column] for row in self.table.rows]
        if "" in patients:
            name = self.films[patients.index("")].name
            raise UserError(f"{self.table.name}: {name}: column {column} is blank; name the patient or group of every row")
        return patients
