"""Zero-shot: what prompts read from images, per finding and macro, with controls, calibration and subgroups. Needs torch.

A suite has `VERSION`, `evaluate(run, options) -> document` and `table(document) -> rows`; the command line finds it by its file's name.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from workbench import embeddings, prompt_bank, prompts
from workbench.analysis import zeroshot
from workbench.analysis.statistics import Interval
from workbench.capable import need
from workbench.controls import floors, shuffled_twin
from workbench.dataset import Dataset, Split
from workbench.embeddings import Embeddings
from workbench.errors import UserError
from workbench.features import dataset_of, extract
from workbench.jobs import describe_job
from workbench.models import load_method
from workbench.run import Run

VERSION = 1
SHARED = "image.projected"
COLUMNS = ("finding", "positive", "negative", "AUROC", "average precision", "accuracy", "sensitivity", "specificity", "threshold")


@dataclass(frozen=True)
class Options:
    """What an evaluation is asked for."""

    step: int | Literal["last"] = "last"
    split: Split = "test"
    prompts: Path | None = None  # a bank; None: the data set's own
    mode: zeroshot.Mode = "findings"


def checked(run: Run, split: str) -> Dataset:
    """The run's data set, as it was trained on; raises UserError where it has changed or the split is empty."""
    need(run, "Projects", "prompts")
    dataset, name = dataset_of(run), next(iter(run.config["data"]))
    trained = run.provenance.get("data", {}).get(name) if (run.path / "provenance.json").is_file() else None
    if trained not in (None, dataset.data_hash):
        raise UserError(
            f"{run.id}: data {name} has changed since (#{trained[:8]}, now #{dataset.data_hash[:8]}); restore it or train again"
        )
    for each in dict.fromkeys((split, "val")):
        if not len(dataset.split(each)):  # type: ignore[arg-type]
            raise UserError(
                f"{run.id}: split {each} of its data has no studies; thresholds need validation studies, scores those of the split"
            )
    return dataset


def images(run: Run, dataset: Dataset, step: int, split: Split, method: Any) -> Embeddings:
    """The images of a split in the shared space: from the run's cache, where the job `features` or an earlier evaluation left them."""
    job = describe_job(run.path.parent, "features", run.id, {"split": split, "step": step, "features": [SHARED]})
    if job.done:
        return embeddings.load(job.result / SHARED)
    indices = dataset.split(split)
    z = extract(method(), dataset, indices, [SHARED])[SHARED]
    keys, patients = (tuple(str(given[index]) for index in indices) for given in (dataset.keys, dataset.patients))
    found = Embeddings(z, keys, patients, SHARED, step, dataset.data_hash)
    embeddings.save(found, job.result.with_name(f".{job.result.name}.eval") / SHARED)
    job.result.with_name(f".{job.result.name}.eval").replace(job.result)
    return found


def judged(run: Run, bank: prompt_bank.Bank, options: Options, resamples: int = 1000) -> tuple[zeroshot.ZeroShot, Dataset]:
    """Scores of a bank on one split of the run's data, judged; thresholds and maps from validation."""
    dataset, step = checked(run, options.split), run.snapshot_step(options.step)
    loaded: list[Any] = []

    def method() -> Any:
        if not loaded:
            loaded.append(load_method(run, step))
        return loaded[0]

    z = {split: images(run, dataset, step, split, method) for split in dict.fromkeys((options.split, "val"))}  # type: ignore[arg-type]
    texts = prompt_bank.texts(bank)
    vectors = dict(zip(texts, prompts.vectors(method(), texts)))
    studies = {split: zeroshot.studies(found, bank, vectors, options.mode, dataset) for split, found in z.items()}
    temperature = prompts.temperature(method()) or zeroshot.TEMPERATURE
    found = zeroshot.judge(list(bank), studies[options.split], studies["val"], options.split, step, options.mode, temperature, resamples)
    return found, dataset


def bank_of(run: Run, given: Any) -> tuple[prompt_bank.Bank, str]:
    """A checked bank and where it is from: a mapping, a YAML file, or for None the data set's own."""
    need(run, "Projects", "prompts")
    dataset = dataset_of(run)
    own = prompt_bank.own(dataset, run.id)
    if given is None:
        return own, "data set"
    if isinstance(given, str | Path):
        return prompt_bank.read_file(Path(given), list(dataset.label_names)), "file"
    return prompt_bank.parse(given, "prompts", list(dataset.label_names)), "typed"


def seen(
    run: Run, given: Any, step: int | Literal["last"], split: Split, mode: zeroshot.Mode
) -> tuple[zeroshot.ZeroShot, dict[str, dict[str, float]]]:
    """A bank judged, and the floors stored with the run by label, for the figure."""
    found, _ = judged(run, bank_of(run, given)[0], Options(step, split, None, mode))
    return found, floors(run)


def evaluate(run: Run, options: Options) -> dict[str, Any]:
    """The document of one evaluation; the data set's own prompts where no bank is given."""
    bank, source = bank_of(run, options.prompts)
    found, dataset = judged(run, bank, options)
    return {
        "run": run.id,
        "step": found.step,
        "split": found.split,
        "mode": found.mode,
        "data_hash": dataset.data_hash,
        "prompts": {"source": source, "hash": prompt_bank.digest(bank), "bank": bank},
        "n": len(found.studies.keys),
        "patients": len(set(found.studies.patients)),
        "left_out": found.left_out,
        "thresholds": "on the other patients of validation (5 folds)" if found.crossfitted else "on validation",
        "macro": {
            "auroc": plain(found.macro_auroc),
            "average precision": plain(found.macro_precision),
            "accuracy": plain(found.macro_accuracy),
        }
        | {"included": [found.names[label] for label in found.macro_auroc.included]},
        "findings": {name: of_label(found, label) for label, name in enumerate(found.names)},
        "groups": {name: by_group(found, label, dataset) for label, name in enumerate(found.names)},
        "controls": controls(run, bank, options, found),
        "references": references(run, found.names),
    }


def plain(interval: Interval) -> dict[str, Any]:
    """An interval as JSON, which has no NaN."""
    value = None if not np.isfinite(interval.value) else float(interval.value)
    return {"value": value, "low": interval.low, "high": interval.high, "procedure": interval.procedure, "why": interval.why}


def of_label(found: zeroshot.ZeroShot, label: int) -> dict[str, Any]:
    """Everything about one finding."""
    columns = {"auroc": found.auroc, "average precision": found.precision, "accuracy": found.accuracy}
    columns |= {"sensitivity": found.sensitivity, "specificity": found.specificity}
    head: dict[str, Any] = {"positive": int(found.positive[label]), "negative": int(found.negative[label])}
    head |= {name: plain(values[label]) for name, values in columns.items()}
    numbers = {"threshold": found.thresholds[label], "prevalence": found.prevalence[label], "majority": found.majority[label]}
    head |= {name: float(value) if np.isfinite(value) else None for name, value in numbers.items()}
    curves = {"as scored": found.curve(label), "fitted on validation": found.curve(label, fitted=True)}
    errors = {name: {"error": curve.error, "floor": curve.floor, "bins": len(curve.rows)} for name, curve in curves.items() if curve}
    return head | {"calibration": errors}


def by_group(found: zeroshot.ZeroShot, label: int, dataset: Dataset) -> list[dict[str, Any]]:
    """One finding by sex, age band and view."""
    return [
        {"by": each.kind, "group": each.name, "n": each.rows, "patients": each.patients, "positive": each.positive}
        | {name: plain(getattr(each, name)) for name in ("auroc", "sensitivity", "specificity")}
        for each in found.groups(label, dataset.covariates)
    ]


def controls(run: Run, bank: prompt_bank.Bank, options: Options, found: zeroshot.ZeroShot) -> dict[str, Any]:
    """What must read chance: a run trained on shuffled reports, where there is one beside this; and prompts exchanged among findings."""
    twin = shuffled_twin(run)
    value = found.macro_exchanged
    exchanged: dict[str, Any] = {"macro_auroc": value if np.isfinite(value) else None}
    exchanged |= {"what": "each finding scored with the prompts of others; not a shuffled-report control"}
    if twin is None:
        why = "no run beside this one differs from it by `texts: shuffled` alone; train one to have this control"
        return {"shuffled_reports": None, "why": why, "prompts_exchanged": exchanged}
    control, _ = judged(twin, bank, Options("last", options.split, options.prompts, options.mode))
    shuffled = {"run": twin.id, "step": control.step, "macro_auroc": plain(control.macro_auroc)}
    shuffled |= {"labels": {name: plain(control.auroc[label]) for label, name in enumerate(control.names)}}
    return {"shuffled_reports": shuffled, "prompts_exchanged": exchanged}


def references(run: Run, names: Sequence[str]) -> dict[str, Any]:
    """What a ridge reads without a network on the run's probe set, as stored with the run."""
    stored: Mapping[str, Any] = run.references()
    return {
        name: {"macro_auroc": stored[name]["macro_auroc"], "labels": {label: stored[name]["labels"].get(label) for label in names}}
        for name in ("pixels", "metadata", "source")
        if name in stored
    }


def table(document: Mapping[str, Any]) -> list[list[str]]:
    """The document as rows of cells, heads first."""
    rows = [list(COLUMNS)]
    for name, each in document["findings"].items():
        cells = [said(each[key]) for key in ("auroc", "average precision", "accuracy", "sensitivity", "specificity")]
        rows.append(
            [name, str(each["positive"]), str(each["negative"]), *cells, "-" if each["threshold"] is None else f"{each['threshold']:.3g}"]
        )
    macro = document["macro"]
    rows.append(["macro", "", "", *(said(macro[key]) for key in ("auroc", "average precision", "accuracy")), "", "", ""])
    shuffled, exchanged = document["controls"]["shuffled_reports"], document["controls"]["prompts_exchanged"]
    rows.append(["shuffled reports", "", "", said(shuffled["macro_auroc"]) if shuffled else "no such run", "", "", "", "", ""])
    rows.append(["prompts exchanged", "", "", share(exchanged["macro_auroc"]), "", "", "", "", ""])
    rows += [[f"{name} (ridge)", "", "", said(each["macro_auroc"]), "", "", "", "", ""] for name, each in document["references"].items()]
    return rows


def share(value: float | None) -> str:
    """`.735`, or a dash."""
    return "-" if value is None else f"{value:.3f}".removeprefix("0")


def said(interval: Mapping[str, Any]) -> str:
    """`.735 [.71, .76]`, or the value alone."""
    if interval["low"] is None:
        return share(interval["value"])
    return f"{share(interval['value'])} [{share(interval['low'])}, {share(interval['high'])}]"
