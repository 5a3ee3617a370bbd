"""What one already has becomes a run: an official checkpoint, features in a table, and what is refused."""

import argparse
import json

import numpy as np
import pyarrow as arrow
import pyarrow.parquet as parquet
import pytest
import torch
from safetensors.torch import load_file

from training.__main__ import main
from training.importing import bring_in
from workbench import open_run
from workbench.analysis.collapse import participation_ratio
from workbench.errors import UserError
from workbench.interop import load_official
from workbench.interop.mae import to_official
from workbench.models import build_method, load_method
from workbench.run import list_runs

MAE = {"name": "mae", "image_size": 32, "patch_size": 8, "width": 64, "depth": 2, "heads": 1}
MAE |= {"decoder_width": 32, "decoder_depth": 1, "decoder_heads": 16}
PHANTOMS = ["data.data.config={name: phantoms, level: teaching, size: 32, train: 96, val: 96, test: 32}"]
LOOK = ["monitors.studies=96", "monitors.probe_train=96"]


@pytest.fixture(scope="module")
def official(tmp_path_factory):
    """A checkpoint as the official code writes it: the tensors under `model`, the options of the script beside them."""
    path = tmp_path_factory.mktemp("received") / "mae_pretrain.pth"
    state = build_method(MAE, 11).state_dict()
    torch.save({"model": to_official(state) | {"head.bias": torch.zeros(5)}, "epoch": 3, "args": argparse.Namespace(lr=0.1)}, path)
    return path, state


@pytest.fixture(scope="module")
def imported(official, tmp_path_factory):
    root = tmp_path_factory.mktemp("runs")
    return bring_in(str(official[0]), "mae", "phantoms", [*PHANTOMS, *LOOK], root)


def test_an_official_checkpoint_becomes_a_run_with_every_key_accounted_for(official, imported):
    status, told = imported.status, imported.provenance["init_from"]["*"]
    assert (status["state"], status["step"], status["steps"]) == ("imported", 0, 0)
    method = load_method(imported)
    assert all(torch.equal(value, official[1][name]) for name, value in method.state_dict().items())
    assert told["layout"] == "official MAE" and told["share"] == 1.0 and told["unused"] == {"head.bias": [5]} and not told["missing"]
    assert told["matched"]["vision.patch_embed.proj.weight"] == [64, 1, 8, 8] and set(told["matched"]) == set(official[1])
    assert told["taken"]["beside"] == ["epoch", "args"] and told["source"] == str(official[0])
    assert imported.steps_of("snapshots") == [0] and imported.config["method"]["decoder_width"] == 32
    assert any("1 heads, as in the official code" in note for note in status["notes"])


def test_an_imported_run_has_a_spectrum_a_probe_and_no_untrained_reference(imported):
    run = open_run(imported.path)
    view = run.spectrum("image.backbone")
    assert view.data.untrained is None and len(view.data.spectra[0].values) == 64
    assert 0 < run.probe("image.backbone")["macro_auroc"]["value"] < 1


def test_an_imported_run_serves_as_init_from_and_a_run_of_its_own_configuration_starts_there(imported):
    from training.loop import Trainer
    from training.setup import resolve
    from workbench.run import RunConfig, create_run

    values = imported.config | {"stages": [{"steps": 1}]}
    run = create_run(resolve(RunConfig.parse(values, "again")), imported.path.parent)
    trainer = Trainer(run, shared=True)
    given = load_file(imported.snapshot(0) / "model.safetensors")
    assert all(torch.equal(value, given[name]) for name, value in trainer.method.state_dict().items())
    assert trainer.init_report["*"]["kind"] == "run" and trainer.init_report["*"]["share"] == 1.0


def test_load_official_reads_the_file_and_the_state_dict_alike(official):
    from_file, told = load_official(official[0], "mae")
    assert all(torch.equal(value, from_file[name]) for name, value in official[1].items()) and told["unused"] == {"head.bias": [5]}
    assert set(load_official(to_official(official[1]), "mae")[0]) == set(from_file)


def test_features_become_a_run_whose_spectrum_is_that_of_the_matrix(tmp_path):
    z = np.random.default_rng(2).normal(size=(70, 6)) * np.array([5, 3, 1, 1, 0.1, 0.1])
    np.save(tmp_path / "z.npy", z)
    (tmp_path / "keys.csv").write_text("key,patient\n" + "".join(f"k{row},p{row // 2}\n" for row in range(70)))
    run = bring_in(str(tmp_path / "z.npy"), None, None, root=tmp_path / "runs", keys=str(tmp_path / "keys.csv"), feature="image.other")
    seen = open_run(run.path)
    assert np.allclose(seen.embeddings("image.other").features, z, atol=1e-5)
    assert seen.embeddings("image.other").patients[:3] == ("p0", "p0", "p1")
    assert seen.geometry("image.other")["participation_ratio"]["value"] == pytest.approx(float(participation_ratio(z)), rel=1e-5)
    assert seen.geometry("image.other")["patients"] == 35
    assert seen.map("image.other").data is not None and seen.status["terms_of_use"] == "no-redistribution"
    with pytest.raises(UserError, match="features only"):
        load_method(run)


def test_features_with_data_are_probed_on_its_splits_and_carry_its_patients(tmp_path):
    from training.data_commands import values_of
    from workbench.datasets import load_dataset

    values = ["level=teaching", "size=32", "train=96", "val=96", "test=32"]
    dataset = load_dataset(values_of("phantoms", None, values))
    order = np.random.default_rng(0).permutation(len(dataset.keys))
    columns = {"key": [dataset.keys[index] for index in order]}
    columns["image.own"] = [[*dataset.labels[index, :2].tolist(), float(index), 1.0 * place] for place, index in enumerate(order)]
    parquet.write_table(arrow.table(columns), tmp_path / "z.parquet")
    run = bring_in(str(tmp_path / "z.parquet"), None, "phantoms", values, tmp_path / "runs")
    stored = run.embeddings("image.own", 0)
    assert set(stored.keys) == {dataset.keys[index] for index in dataset.split("val")}
    place = {key: index for index, key in enumerate(dataset.keys)}
    assert all(patient == str(dataset.patients[place[key]]) for key, patient in zip(stored.keys, stored.patients))
    assert run.probe(0)["image.own"]["labels"][dataset.label_names[0]]["value"] > 0.99
    assert run.status["label_names"] == list(dataset.label_names) and run.status["data_hash"] == dataset.data_hash


@pytest.mark.parametrize(
    ("array", "keys", "word"),
    [
        (np.ones((5, 3, 2)), None, "shape"),
        (np.array(["a", "b"]), None, "expected numbers"),
        (np.array([[1.0, 0], [0, np.nan]]), None, r"not finite, the first in row 1 \(counted from 0, key 'row-1'\)"),
        (np.ones((4, 3)), "a\nb\nc\n", "3 keys"),
        (np.ones((3, 3)), "a\nb\na\n", "unique"),
        (np.array([{}, {}], dtype=object), None, "not readable"),
    ],
)
def test_a_table_that_is_no_matrix_of_numbers_is_refused_and_nothing_is_left(tmp_path, array, keys, word):
    np.save(tmp_path / "z.npy", array, allow_pickle=True)
    if keys:
        (tmp_path / "keys.txt").write_text(keys)
    with pytest.raises(UserError, match=word):
        bring_in(str(tmp_path / "z.npy"), None, None, root=tmp_path / "runs", keys=str(tmp_path / "keys.txt") if keys else None)
    assert list_runs(tmp_path / "runs") == []


def test_the_command_line_says_what_is_wrong_in_one_sentence_and_leaves_nothing(official, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)  # or it tries for a minute

    def told(*arguments):
        with pytest.raises(SystemExit) as ended:
            main(["import", *arguments, "--runs", str(tmp_path / "runs")])
        assert ended.value.code == 2
        lines = capsys.readouterr().err.strip().splitlines()
        assert len(lines) == 1
        return lines[0]

    (tmp_path / "z.parquet").write_text("no table")
    size = ["--set", *PHANTOMS, "method.image_size=32"]
    assert "--method NAME --data NAME" in told(str(official[0]))
    assert "not readable as Parquet" in told(str(tmp_path / "z.parquet"))
    assert "another architecture" in told(str(official[0]), "--method", "supervised", "--data", "phantoms", *size)
    assert "no such file" in told(str(tmp_path / "gone.pth"), "--method", "mae", "--data", "phantoms")
    assert "hub is not reachable" in told("timm:resnet18.a1_in1k", "--method", "supervised", "--data", "phantoms")
    assert list_runs(tmp_path / "runs") == []


def test_a_run_that_was_imported_is_not_resumed(imported, capsys):
    with pytest.raises(SystemExit):
        main(["resume", str(imported.path)])
    assert "was imported and never trained" in capsys.readouterr().err


def test_the_document_holds_the_run_and_the_report(imported):
    from training.importing import summary

    document, text = summary(imported)
    assert json.loads(json.dumps(document))["init_from"]["*"]["unused"] == {"head.bias": [5]}
    assert "unused  head.bias [5]" in text
