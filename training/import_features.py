"""Features computed elsewhere become a run without a model: a look at step 0, on which every page that needs no weights works."""

import csv
import hashlib
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from training.data_commands import values_of
from training.importing import made, starts_from_itself
from workbench.analysis.collapse import summarise
from workbench.dataset import Dataset
from workbench.datasets import dataset_config, load_dataset
from workbench.embeddings import Embeddings, save
from workbench.errors import UserError
from workbench.run import NAME, Run, RunConfig, write_json

SUFFIXES = (".npy", ".parquet")
FEATURE = "image.backbone"
KEY_COLUMNS, PATIENT_COLUMN = ("key", "study"), "patient"


class Table(NamedTuple):
    """Features by name, (n, d) each, with a key per row and the patient where the file says so."""

    features: dict[str, np.ndarray]
    keys: list[str] | None
    patients: list[str] | None


def import_features(
    path: Path, keys: Path | None, data: str | None, settings: Sequence[str], root: str | Path | None, name: str | None, feature: str
) -> Run:
    """Make a run of a table of features; raises UserError, then nothing is left. With `data`, keys are its studies, and its labels are probed."""
    if not NAME.fullmatch(feature):
        raise UserError(f"--feature {feature!r}: no feature name; write for example {FEATURE}")
    table = read_npy(path, feature) if path.suffix == ".npy" else read_parquet(path, feature)
    if keys is not None:
        table = with_keys(table, keys, path)
    n = len(next(iter(table.features.values())))
    names = table.keys or [f"row-{row}" for row in range(n)]
    check(table, names, path)
    values: dict[str, Any] = {"method": {"name": "features"}, "data": {}, "name": name or path.stem}
    dataset = None
    if data is not None:
        source = values_of(data, None, settings)
        dataset = load_dataset(source, f"import {path}")
        values["data"] = {"data": {"config": {"name": source["name"], **dataset_config(source).to_dict()}}}
    with made(RunConfig.parse(values, f"import {path}"), root) as run:
        fill(run, table, names, dataset, path)
    return run


def read_npy(path: Path, feature: str) -> Table:
    """A matrix as numpy saves it, never unpickled."""
    try:
        return Table({feature: np.load(path, mmap_mode="r", allow_pickle=False)}, None, None)
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; give an existing .npy or .parquet file") from None
    except (ValueError, EOFError, OSError) as error:
        raise UserError(
            f"{path}: not readable as a numpy array of numbers ({str(error).splitlines()[0][:120]}); save it with numpy.save"
        ) from None


def read_parquet(path: Path, feature: str) -> Table:
    """`key` and `patient` columns where there are any; each column of lists is a feature, else all columns of numbers are one."""
    import pyarrow as arrow
    import pyarrow.parquet as parquet

    try:
        table = parquet.read_table(path)
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; give an existing .npy or .parquet file") from None
    except arrow.ArrowException as error:
        raise UserError(f"{path}: not readable as Parquet ({str(error).splitlines()[0][:120]}); write it again") from None
    keys = next(([str(value) for value in table[column].to_pylist()] for column in KEY_COLUMNS if column in table.column_names), None)
    patients = [str(value) for value in table[PATIENT_COLUMN].to_pylist()] if PATIENT_COLUMN in table.column_names else None
    types, kinds = {each.name: each.type for each in table.schema}, arrow.types
    lists = [name for name, kind in types.items() if kinds.is_list(kind) or kinds.is_fixed_size_list(kind) or kinds.is_large_list(kind)]
    numbers = [
        name
        for name, kind in types.items()
        if (kinds.is_floating(kind) or kinds.is_integer(kind)) and name not in (*KEY_COLUMNS, PATIENT_COLUMN)
    ]
    found = {}
    for name in lists:
        rows = table[name].to_pylist()
        if any(row is None or len(row) != len(rows[0]) for row in rows):
            raise UserError(f"{path}: column {name} holds lists of different lengths; every row needs the same number of features")
        found[name if NAME.fullmatch(name) else feature] = np.asarray(rows, np.float32)
    if not found and numbers:
        found[feature] = np.stack([table[name].to_numpy().astype(np.float32) for name in numbers], 1)
    if not found:
        raise UserError(
            f"{path}: neither a column of lists nor columns of numbers (it has {', '.join(types)}); write one list column of features"
        )
    return Table(found, keys, patients)


def with_keys(table: Table, path: Path, of: Path) -> Table:
    """Keys, one a line, or a CSV with the columns `key` and, optionally, `patient`."""
    try:
        text = path.read_text()
    except (FileNotFoundError, IsADirectoryError, UnicodeDecodeError) as error:
        raise UserError(f"--keys {path}: not readable as text ({type(error).__name__}); give a text file with one key a line") from None
    if path.suffix != ".csv":
        return table._replace(keys=[line.strip() for line in text.splitlines() if line.strip()])
    rows = list(csv.DictReader(text.splitlines()))
    column = next((name for name in KEY_COLUMNS if rows and name in rows[0]), None)
    if column is None:
        raise UserError(f"--keys {path}: has no column {KEY_COLUMNS[0]}; name the column of the keys of {of.name} so")
    patients = [row[PATIENT_COLUMN] for row in rows] if PATIENT_COLUMN in rows[0] else None
    return table._replace(keys=[row[column] for row in rows], patients=patients)


def check(table: Table, keys: list[str], path: Path) -> None:
    """Raises UserError for what is no matrix of finite numbers with one key per row."""
    for name, z in table.features.items():
        if z.ndim != 2 or z.dtype.kind not in "fiu" or len(z) < 2 or z.shape[1] < 2:
            raise UserError(f"{path}: {name} is {z.dtype} of shape {z.shape}; expected numbers (rows, features), at least 2 x 2")
        if len(keys) != len(z):
            raise UserError(f"{path}: {name} has {len(z)} rows and there are {len(keys)} keys; give one key per row")
        for start in range(0, len(z), 4096):
            bad = np.flatnonzero(~np.isfinite(np.asarray(z[start : start + 4096], np.float64)).all(1))
            if len(bad):
                first = start + int(bad[0])
                told = f"the first in row {first} (counted from 0, key {keys[first]!r})"
                raise UserError(f"{path}: {name} holds values that are not finite, {told}; repair or leave out such rows")
    if len(set(keys)) != len(keys):
        twice = next(key for key in keys if keys.count(key) > 1)
        raise UserError(f"{path}: key {twice!r} stands for several rows; keys are unique, give the mean of its rows or one of them")


def fill(run: Run, table: Table, keys: list[str], dataset: Dataset | None, path: Path) -> None:
    """The look at step 0. Rows of the data's train split fit the probe, those of its val split are looked at; without data all are."""
    from training.provenance import provenance

    patients = table.patients or keys
    rows, looked, fit = np.arange(len(keys)), np.arange(len(keys)), np.arange(0)
    digest = hashlib.sha256("\n".join(keys).encode()).hexdigest()[:16]
    if dataset is not None:
        digest, place = dataset.data_hash, {key: index for index, key in enumerate(dataset.keys)}
        unknown = [key for key in keys if key not in place]
        if unknown:
            raise UserError(
                f"{path}: {len(unknown)} of {len(keys)} keys are not in the data, the first is {unknown[0]!r}; give the data set's own keys"
            )
        rows = np.array([place[key] for key in keys])
        patients = [str(dataset.patients[int(row)]) for row in rows]
        val, train = (np.isin(rows, dataset.split(part)) for part in ("val", "train"))
        looked, fit = (np.flatnonzero(val), np.flatnonzero(train)) if val.sum() > 1 else (looked, fit)
    folder = run.path / "artifacts/step-0"
    geometry, probes = {}, {}
    for name, whole in table.features.items():
        z = np.asarray(whole[looked], np.float32)
        chosen = tuple(patients[row] for row in looked)
        geometry[name] = summarise(z, chosen).as_dict()
        save(Embeddings(z, tuple(keys[row] for row in looked), chosen, name, 0, digest), folder / "embeddings" / name)
        if dataset is not None and len(fit) > 1 and len(dataset.label_names):
            probes[name] = probe(dataset, np.asarray(whole[fit], np.float32), rows[fit], z, rows[looked])
    if probes:
        write_json(folder / "probe.json", probes)
    write_json(folder / "geometry.json", geometry)
    notes = ["features only: what needs weights cannot be shown"]
    facts = provenance({"data": digest}, "cpu") | {"imported": str(path), "rows": len(keys), "notes": notes}
    write_json(run.path / "provenance.json", facts)
    starts_from_itself(run)
    status = run.status | {"state": "imported", "step": 0, "steps": 0, "features": dict.fromkeys(table.features, "b d"), "capabilities": []}
    status |= {
        "label_names": list(dataset.label_names) if dataset else [],
        "terms_of_use": dataset.terms if dataset else "no-redistribution",
    }
    status |= {"data_hash": digest, "phases": [], "terms": {}, "live": [], "weights": {}, "notes": notes, "updated": time.time()}
    write_json(run.path / "status.json", status)


def probe(dataset: Dataset, fit: np.ndarray, fit_on: np.ndarray, z: np.ndarray, studies: np.ndarray) -> dict[str, Any]:
    """What a ridge fitted on the train rows reads from the others, as at every look."""
    from training.monitors import read_features
    from training.setup import Data

    return read_features(Data({"data": dataset}, {"data": fit_on}, studies, "data"), fit, fit_on, z, studies, interval=True)
