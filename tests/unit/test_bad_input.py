"""The list of bad inputs of the frame, walked on the command line: one sentence that names file and field, exit code 2, no run left behind."""

import errno
import shutil

import pytest
import yaml

from tests.manifests import HEAD, ROWS, manifest, many
from tests.unit.test_ingest import huge_png
from training import checkpoint
from training.__main__ import gathered, main
from workbench.run import list_runs

METHOD = {"name": "mae", "image_size": 16, "patch_size": 8, "width": 16, "depth": 1, "heads": 2}
METHOD |= {"decoder_width": 16, "decoder_depth": 1, "decoder_heads": 2}
SHORT = {"batch": 4, "device": "cpu", "stages": [{"steps": 2}], "monitors": {"studies": 0, "probe_train": 0}}


@pytest.fixture
def room(tmp_path, monkeypatch):
    """A folder with a good recipe on a good manifest of twelve films, and a cache of its own."""
    monkeypatch.setenv("WORKBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("WORKBENCH_RUNS", str(tmp_path / "runs"))
    manifest(tmp_path / "films", many(12))
    write(tmp_path)
    return tmp_path


def write(room, **more):
    data = {"films": {"config": {"name": "manifest", "root": str(room / "films"), "size": 16}}}
    (room / "recipe.yaml").write_text(yaml.safe_dump({"method": METHOD, "data": data} | SHORT | more))


def rows_of(*rows, head=HEAD):
    def spoil(room):
        shutil.rmtree(room / "films")
        manifest(room / "films", [*many(8), *rows], head)

    return spoil


def without_column(room):
    manifest(room / "films", [row[1:] for row in ROWS], HEAD[1:], films=False)


def not_decoding(room):
    (room / "films/images/f003.png").write_bytes(b"no film")


def unfolding(room):
    huge_png(room / "films/images/f003.png", 20_000, 20_000)


def leaving(room):
    manifest(room / "films", [("../../f.png", *many(1)[0][1:])], films=False)


def gone(room):
    (room / "films/images/f003.png").unlink()


TRAIN = ["train", "recipe.yaml"]
CASES = {
    "unknown key": (
        None,
        [*TRAIN, "--set", "method.mask_ration=0.5"],
        ("recipe.yaml: method mae: unknown key mask_ration", "the keys here are", "mask_ratio,"),
    ),
    "wrong type": (None, [*TRAIN, "--set", "batch=many"], ("batch", "integer")),
    "out of bounds": (None, [*TRAIN, "--set", "method.mask_ratio=1.5"], ("method mae: mask_ratio", "0.98", "'1.5'")),
    "missing recipe": (None, ["train", "gone.yaml"], ("gone.yaml",)),
    "missing film": (gone, TRAIN, ("f003.png",)),
    "no image column": (without_column, TRAIN, ("data.csv", "'filename'", "columns.image")),
    "film that does not decode": (not_decoding, TRAIN, ("f003.png", "is no PNG or JPEG image")),
    "decompression bomb": (unfolding, TRAIN, ("f003.png", "decompression bomb")),
    "undeclared label": (None, [*TRAIN, "--set", 'data.films.config.labels=["Edema"]'], ("data.csv", "'Mass'", "Edema")),
    "patient in two splits": (
        rows_of(("x.png", "p3", "val", "Mass", "", "", "", "", "")),
        TRAIN,
        ("data.csv", "'p3'", "keep a patient in one split"),
    ),
    "path that leaves the root": (leaving, TRAIN, ("data.csv", "column filename", "leads outside")),
    "folder that is not there": (None, [*TRAIN, "--set", "data.films.config.root=/nowhere/at/all"], ("/nowhere/at/all",)),
    "start weights of nothing": (None, [*TRAIN, "--set", 'init_from={"*": "gone.safetensors"}'], ("gone.safetensors",)),
    "unknown method": (None, [*TRAIN, "--set", "method.name=maes"], ("maes", "mae")),
    "run that is not there": (None, ["spectra", "20990101-nothing"], ("20990101-nothing",)),
    "run folder that leaves the root": (None, ["stop", "../films"], ("films",)),
}


def told(room, monkeypatch, capsys, command):
    monkeypatch.chdir(room)
    with pytest.raises(SystemExit) as ended:
        main(command)
    found = capsys.readouterr()
    assert ended.value.code == 2 and "Traceback" not in found.err
    return found.err


@pytest.mark.parametrize("name", CASES)
def test_a_bad_input_is_told_in_one_sentence_and_leaves_no_run(name, room, monkeypatch, capsys):
    spoil, command, words = CASES[name]
    if spoil:
        spoil(room)
    said = told(room, monkeypatch, capsys, command).strip().splitlines()[-1]
    assert all(word in said for word in words), said
    assert len(said) < 400, "one sentence"
    for run in list_runs(room / "runs"):  # a film is read in training only: that run ends as failed, and says why
        assert run["state"] == "failed" and name in ("missing film", "film that does not decode", "decompression bomb")


def test_the_good_recipe_of_this_walk_trains(room, monkeypatch, capsys):
    monkeypatch.chdir(room)
    main(TRAIN)
    assert "finished at step 2" in capsys.readouterr().out


def test_a_full_disk_is_named_and_what_was_written_stays(room, monkeypatch, capsys):
    monkeypatch.chdir(room)
    main(TRAIN)
    (run,) = list_runs(room / "runs")
    before = sorted(path for path in (room / "runs").rglob("*.safetensors"))

    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(checkpoint, "write_folder", full)
    said = told(room, monkeypatch, capsys, [*TRAIN, "--set", "seed=1"])
    assert "free space, then `workbench resume" in said
    assert sorted(path for path in (room / "runs").rglob("*.safetensors")) == before and run["state"] == "finished"


def test_every_set_counts():
    given = ["clip-phantoms", "--set", "batch=8", "seed=1", "--runs", "here", "--set", "name=x", "--smoke"]
    assert gathered(given) == ["clip-phantoms", "--runs", "here", "--smoke", "--set", "batch=8", "seed=1", "name=x"]
    assert gathered(["a", "--smoke"]) == ["a", "--smoke"]
