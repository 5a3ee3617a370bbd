"""Full disks, torn and foreign checkpoints: nothing half-written is taken for whole, the sentence says what to do, a resume goes on."""

import errno
import json

import pytest
import torch
from safetensors.torch import load_file

from training import checkpoint, disk
from training.loop import Trainer, train
from training.setup import resolve
from workbench.errors import UserError
from workbench.run import RunConfig, create_run, without_timings


@pytest.fixture(autouse=True)
def plugins(monkeypatch):
    monkeypatch.setenv("WORKBENCH_PLUGINS", "tests.toys")


def start(root, steps=6, **more):
    values = {
        "method": {"name": "tests.toys.line", "width": 3},
        "data": {"points": {"config": {"name": "tests.toys.points"}}},
        "stages": [{"steps": steps}],
        "batch": 8,
        "device": "cpu",
        "checkpoint_every": 2,
        "monitors": {"studies": 10, "probe_train": 0},
    }
    return create_run(resolve(RunConfig.model_validate(values | more)), root)


def full(*_):
    raise OSError(errno.ENOSPC, "No space left on device")


def full_while_saving(value, path):
    """What torch leaves and says on a full disk (measured on a 1 MB tmpfs)."""
    path.write_bytes(b"PK half a file")
    raise RuntimeError("[enforce fail at inline_container.cc:671] . unexpected pos 576 vs 534")


class HalfALine:
    """A log on a disk that is full in the middle of the third record."""

    def __init__(self, file):
        self.file, self.left = file, 2

    def write(self, text):
        if not self.left:
            self.file.write(text[: len(text) // 2])
            self.file.flush()
            full()
        self.left -= 1
        self.file.write(text)


def same_end(root, run):
    """Whether the resumed run ended as an uninterrupted one, to the bit."""
    whole = start(root / "whole")
    train(whole, shared=True)
    first, second = (load_file(each.path / "snapshots/step-6/model.safetensors") for each in (whole, run))
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert without_timings(whole.metrics()) == without_timings(run.metrics())


@pytest.mark.parametrize("where", ["metrics", "checkpoint", "status"])
def test_a_full_disk_ends_the_run_with_a_sentence_and_a_resume_goes_on(tmp_path, monkeypatch, where):
    run = start(tmp_path)
    trainer = Trainer(run, shared=True)
    with monkeypatch.context() as patch:
        if where == "metrics":
            real = trainer.prepare

            def prepare():
                real()
                trainer.recorder.metrics = HalfALine(trainer.recorder.metrics)

            trainer.prepare = prepare
        elif where == "checkpoint":
            patch.setattr(torch, "save", full_while_saving)
        else:
            patch.setattr(trainer.recorder, "progress", full)
        with pytest.raises(UserError, match=r"the disk is full .* free space, then `workbench resume"):
            trainer.train()
    assert run.status["state"] == "failed" and "the disk is full" in run.status["error"]
    hidden = [path.name for path in run.path.rglob("*") if path.name.endswith((".part", ".old", ".reserve"))]
    assert not hidden and all((run.path / f"checkpoints/step-{step}/state.pt").is_file() for step in run.steps_of("checkpoints"))
    assert train(run, resume=True, shared=True) == "finished"
    same_end(tmp_path, run)


def test_room_is_held_while_a_run_writes_and_let_go_before_its_end_is_written_down(tmp_path):
    with pytest.raises(OSError), disk.reserve(tmp_path):
        assert (tmp_path / ".reserve").stat().st_size == disk.RESERVE
        full()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "error, expected",
    [
        (OSError(errno.ENOSPC, "No space left on device"), True),
        (OSError(errno.EACCES, "Permission denied"), False),
        (RuntimeError("Error while serializing: I/O error: No space left on device (os error 28)"), True),
        (RuntimeError("shape mismatch"), False),
    ],
)
def test_a_full_disk_is_told_from_other_troubles(error, expected):
    assert disk.is_full(error) is expected


def test_a_checkpoint_that_was_being_replaced_stays_whole(tmp_path, monkeypatch):
    weights = {"w": torch.arange(3.0)}
    checkpoint.write_folder(tmp_path / "best", weights, {"step": 1})
    monkeypatch.setattr(torch, "save", full_while_saving)
    with pytest.raises(RuntimeError):
        checkpoint.write_folder(tmp_path / "best", {"w": torch.zeros(3)}, {"step": 2})
    assert torch.equal(load_file(tmp_path / "best/model.safetensors")["w"], weights["w"])
    assert checkpoint.read_state(tmp_path / "best") == {"step": 1} and [path.name for path in tmp_path.iterdir()] == ["best"]


def test_a_torn_metrics_line_and_a_half_written_checkpoint_do_not_stop_a_resume(tmp_path):
    run = start(tmp_path)
    run.command(command="stop")
    train(run, shared=True)
    with open(run.path / "metrics.jsonl", "ab") as file:
        file.write(b'{"kind": "train", "step": 1, "lo')
    half = run.path / "checkpoints" / ".step-5.1234.part"
    half.mkdir()
    (half / "model.safetensors").write_bytes(b"half")
    assert train(run, resume=True, shared=True) == "finished"
    assert not half.exists()
    same_end(tmp_path, run)


@pytest.mark.parametrize("file, words", [("state.pt", "state.pt: damaged"), ("model.safetensors", "model.safetensors: damaged")])
def test_a_damaged_checkpoint_is_named_with_what_to_do(tmp_path, file, words):
    run = start(tmp_path)
    train(run, shared=True)
    (run.path / "checkpoints/step-6" / file).write_bytes(b"not what it was")
    with pytest.raises(UserError, match=words):
        train(run, resume=True, shared=True)


def test_a_checkpoint_of_another_method_or_size_is_refused(tmp_path):
    run = start(tmp_path)
    train(run, shared=True)
    config = (run.path / "config.yaml").read_text()
    for change, words in (("width: 4", "has shape"), ("width: 3", None)):
        (run.path / "config.yaml").write_text(config.replace("width: 3", change))
        again = type(run)(run.path)
        if words:
            with pytest.raises(UserError, match=f"weights of another method or size .*{words}"):
                train(again, resume=True, shared=True)
    other = config.replace("tests.toys.line", "tests.toys.three_passes")
    other = "\n".join(
        row for row in other.splitlines() if not row.startswith(("  width", "  dropout", "  weights", "    pixels", "    size"))
    )
    (run.path / "config.yaml").write_text(other)
    with pytest.raises(UserError, match=r"weights of another method or size \(tensor map"):
        train(type(run)(run.path), resume=True, shared=True)


def test_private_state_is_read_by_the_restricted_reader_only(tmp_path):
    class Evil:
        def __reduce__(self):
            return (json.dumps, ("ran",))

    folder = tmp_path / "step-1"
    checkpoint.write_folder(folder, {"w": torch.zeros(1)}, {"step": Evil()})
    with pytest.raises(UserError, match="damaged"):
        checkpoint.read_state(folder)
