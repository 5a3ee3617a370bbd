"""A model one already has becomes a run: its weights as snapshot 0, and the look at the latent space that every run has at step 0."""

import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import yaml

from training import recipe as recipes
from training.data_commands import values_of
from workbench.errors import UserError
from workbench.run import Run, RunConfig, create_run, read_json, write_json

Report = Callable[[float, str], None]


def bring_in(
    source: str,
    method: str | None,
    data: str | None,
    settings: Sequence[str] = (),
    root: str | Path | None = None,
    name: str | None = None,
    keys: str | None = None,
    feature: str = "image.backbone",
    report: Report = lambda share, told: None,
) -> Run:
    """Make a run of weights, or of features where the file is an .npy or .parquet."""
    from training import import_features

    if Path(source).suffix in import_features.SUFFIXES:
        if method is not None:
            raise UserError(f"{source}: holds features, which need no --method; leave it out")
        report(0.1, "reading the features")
        run = import_features.import_features(Path(source).expanduser(), Path(keys) if keys else None, data, settings, root, name, feature)
        return Run(run.path)  # its configuration was rewritten
    if method is None or data is None:
        raise UserError(f"{source}: weights need a method and a data set to be looked at with; add --method NAME --data NAME")
    if keys is not None:
        raise UserError(f"--keys {keys}: only features come with keys; leave it out for {source}")
    return import_model(source, method, data, settings, root, name, report)


def import_model(
    source: str,
    method: str,
    data: str,
    settings: Sequence[str] = (),
    root: str | Path | None = None,
    name: str | None = None,
    report: Report = lambda share, told: None,
) -> Run:
    """Make a run of a file, a folder, `timm:NAME` or a pickled `.pth` (rewritten in a process of its own). Raises UserError; then nothing is left."""
    from training.setup import resolve
    from workbench.interop import pickled

    report(0.05, "reading the weights")
    with tempfile.TemporaryDirectory() as folder:
        readable, taken = source, None
        if Path(source).suffix in pickled.SUFFIXES:
            readable = str(Path(folder) / "weights.safetensors")
            taken = pickled.rewrite(Path(source).expanduser(), Path(readable))
        values, notes = configured(source, readable, method, data, settings, name)
        config = resolve(RunConfig.parse(values, f"import {source}"), f"import {source}")
        with made(config, root) as run:
            begin(run, source, readable, taken, notes, report)
        return Run(run.path)


def configured(
    source: str, readable: str, method: str, data: str, settings: Sequence[str], name: str | None
) -> tuple[dict[str, Any], list[str]]:
    """The run's configuration: the method at the size of the weights, the data, and what was set by hand over both."""
    from workbench.interop import weights
    from workbench.models import method_class

    fields = mae_sizes(weights.read(readable).tensors) if method == "mae" else {}
    notes = [f"{fields['heads']} heads, as in the official code: shapes do not tell"] if fields else []
    if source.startswith(weights.TIMM) and "vision" in method_class(method).Config.model_fields:
        fields["vision"] = source
    values: dict[str, Any] = {"method": {"name": method, **fields}, "data": {"data": {"config": values_of(data, None, ())}}}
    values |= {"name": name or Path(source).stem, "batch": 32, "device": "cpu"}
    return recipes.override(values, settings), notes


def mae_sizes(given: Mapping[str, Any]) -> dict[str, Any]:
    """The sizes of an MAE, whole or its encoder, in any known layout; empty where it is none."""
    from workbench.interop import mae, weights

    for tensors in (given, *(tensors for _, tensors in weights.layouts(given))):
        for sizes in (mae.sizes_of, lambda each: mae.from_official(each)[1]["method"]):
            with suppress(UserError):
                return sizes(tensors)
    return {}


@contextmanager
def made(config: RunConfig, root: str | Path | None) -> Iterator[Run]:
    """A new run folder that is gone again where anything goes wrong."""
    run = create_run(config, root)
    try:
        yield run
    except BaseException:
        shutil.rmtree(run.path)
        raise


def begin(run: Run, source: str, readable: str, taken: dict[str, Any] | None, notes: list[str], report: Report) -> None:
    """Everything a run has at step 0, with the given weights instead of random ones; the state is then `imported`."""
    from training.loop import Trainer

    trainer = Trainer(run, shared=True)
    part, key_report = fitted(trainer.method, readable, source)
    trainer.init_report = {part: {**key_report, "source": source, **({"taken": taken} if taken else {})}}
    missing = sorted({key.split(".")[0] for key in key_report["missing"]})
    notes += [f"only {part} comes from {source}"] * (part != "*")
    left = [child for child, module in trainer.method.named_children() if child not in (part, "weight") and list(module.parameters())]
    notes += [f"random start weights, nothing was given for them: {', '.join(missing or left)}"] * bool(missing or (part != "*" and left))
    report(0.3, "looking at the latent space")
    trainer.announce()
    with trainer.recorder.open(None):
        trainer.prepare()
        trainer.enter_stage(0, 0)
        trainer.moment()
        trainer.recorder.event("imported", source=source)
    starts_from_itself(run)
    facts = read_json(run.path / "provenance.json")
    write_json(run.path / "provenance.json", facts | {"imported": source, "notes": [*facts["notes"], *notes]})
    trainer.recorder.write_status(state="imported", steps=0, eta_seconds=0, notes=[*facts["notes"], *notes])


def starts_from_itself(run: Run) -> None:
    """A run trained from this configuration starts with what was imported; and step 0 is nowhere taken for an untrained network."""
    plain = {**run.config, "init_from": {"*": run.id}}
    (run.path / "config.yaml").write_text(yaml.safe_dump(plain, sort_keys=False))


def fitted(method: Any, readable: str, source: str) -> tuple[str, dict[str, Any]]:
    """Load the weights into the whole method or the one part they fit; the part and the report. Raises UserError where they fit none."""
    from workbench.interop import weights

    parts = ["*", *(name for name, module in method.named_children() if list(module.parameters()))]
    refused: dict[str, UserError] = {}
    for part in parts:
        try:
            return part, weights.initialise_from(method, {part: readable})[part]
        except UserError as error:
            refused[part] = error
    raise UserError(str(refused["*"]).replace(f"init_from.*: {readable}", source))


def summary(run: Run) -> tuple[Mapping[str, Any], str]:
    """What came of an import, as a document and as text."""
    report = run.provenance.get("init_from", {})
    rows = [] if report else [f"{run.provenance['rows']} rows of {', '.join(run.status['features'])}"]
    for part, told in report.items():
        counts = {key: len(told[key]) for key in ("matched", "adapted", "missing", "differing", "unused")}
        rows.append(
            f"{part}: "
            + ", ".join(f"{count} keys {key}" for key, count in counts.items() if count or key in ("matched", "missing", "unused"))
        )
        rows += [f"  {key}  {name} {shape}" for key in ("missing", "unused") for name, shape in list(told[key].items())[:12]]
        rows += [f"  adapted  {name}: {each['how']}" for name, each in told["adapted"].items()]
        rows += [f"  differing  {name}: expected {each['expected']}, found {each['found']}" for name, each in told["differing"].items()]
    notes = run.status.get("notes", [])
    document = {"run": run.id, "path": str(run.path), "state": run.status["state"], "features": run.status["features"], "notes": notes}
    return document | {"init_from": report}, "\n".join([f"imported as {run.id}", *rows, *notes])
