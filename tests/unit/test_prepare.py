"""`workbench data prepare`: same films, resume, what is left out, the source untouched."""

import json
import os
import time

import numpy as np
import pytest

from tests.manifests import manifest, many
from workbench.data.manifest import Config, load
from workbench.errors import UserError
from workbench.ingest import prepare as preparing
from workbench.ingest import shards
from workbench.ingest.prepare import prepare


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def config(root, **more):
    return Config.parse({"root": str(root), "size": 9, **more}, "test")


def state(root):
    return {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in sorted(root.rglob("*")) if path.is_file()}


def test_prepared_films_are_the_decoded_ones_and_the_source_is_untouched(tmp_path):
    root = manifest(tmp_path / "set", height=14, width=10)
    before, plain = state(root), load(config(root))
    report = prepare(config(root))
    assert (report.images, report.converted, report.kept, report.unreadable) == (5, 5, 0, {})
    fast = load(config(root))
    assert fast.shards is not None and fast.data_hash == plain.data_hash and fast.keys == plain.keys
    for index in range(5):
        np.testing.assert_array_equal(fast[index]["images"][0].array, plain[index]["images"][0].array)
    assert state(root) == before
    again = prepare(config(root))
    assert (again.converted, again.kept) == (0, 5)
    assert prepare(config(root, size=8)).converted == 5  # another size is another conversion


def test_a_changed_file_is_converted_again(tmp_path):
    root = manifest(tmp_path / "set")
    prepare(config(root))
    old = load(config(root))[0]["images"][0].array
    (root / "images/a1.png").write_bytes((root / "images/b1.png").read_bytes())
    assert load(config(root)).shards is None
    prepare(config(root))
    new = load(config(root))
    assert (new[0]["images"][0].array != old).any()
    np.testing.assert_array_equal(new[0]["images"][0].array, new[1]["images"][0].array)


class Killed(BaseException):
    pass


def test_an_interrupted_conversion_is_not_taken_for_whole_and_goes_on(tmp_path, monkeypatch):
    monkeypatch.setattr(preparing, "CHUNK", 7)
    root = manifest(tmp_path / "set", many(40))
    plain = load(config(root))

    def kill(done, total):
        if done == 21:
            raise Killed

    with pytest.raises(Killed):
        prepare(config(root), kill)
    folder = shards.folder(plain.source.films, 9, "pad")
    assert load(config(root)).shards is None
    with open(folder / "journal.jsonl", "a") as file:
        file.write("[21, 1")  # torn: this film is converted again
    seen = []
    report = prepare(config(root), lambda done, total: seen.append((done, total)))
    assert (report.converted, report.kept) == (19, 21) and seen[0] == (28, 40) and seen[-1] == (40, 40)
    assert not (folder / "journal.jsonl").exists()
    fast = load(config(root))
    for index in range(40):
        np.testing.assert_array_equal(fast[index]["images"][0].array, plain[index]["images"][0].array)


def test_up_to_one_in_a_hundred_is_listed_and_left_out(tmp_path):
    root = manifest(tmp_path / "set", many(200))
    (root / "images/f003.png").write_bytes(b"no film")
    unlisted = load(config(root)).data_hash
    prepare(config(root))
    assert load(config(root)).data_hash != unlisted  # fewer studies
    (root / "images/f150.png").unlink()
    report = prepare(config(root))
    assert set(report.unreadable) == {"f003.png", "f150.png"} and report.converted == 198
    assert "f003.png: is no PNG" in report.text() and "f150.png: no such image file" in report.text()
    dataset = load(config(root))
    assert len(dataset) == 198 and "f003" not in dataset.keys and len(dataset.split("train")) == 198
    (root / "images/f004.png").write_bytes(b"no film")  # the files changed: the list no longer speaks of them
    with pytest.raises(UserError, match=r"1 image files are missing, first f150.png"):
        load(config(root))


def test_more_than_one_in_a_hundred_is_an_error_with_the_whole_list(tmp_path, cache):
    root = manifest(tmp_path / "set", many(200))
    for name in ("f003.png", "f100.png", "f150.png"):
        (root / "images" / name).unlink()
    with pytest.raises(
        UserError, match=r"data.csv: 3 of 200 images are missing or unreadable, more than 1%; .* first: f003.png: no such image file"
    ):
        prepare(config(root))
    listed = json.loads(next(cache.rglob("unreadable.json")).read_text())
    assert set(listed) == {"f003.png", "f100.png", "f150.png"}
    assert not list(cache.rglob("index.json"))


def test_the_table_is_checked_before_a_film_is_read(tmp_path, monkeypatch):
    root = manifest(tmp_path / "set")
    monkeypatch.setattr(preparing, "decode", lambda *_: pytest.fail("read a film"))
    with pytest.raises(UserError, match="label 'Edema' is not in the declared set"):
        prepare(config(root, labels=["Mass"]))


def test_two_conversions_do_not_write_the_same_films(tmp_path):
    from filelock import FileLock

    root = manifest(tmp_path / "set")
    folder = shards.folder(load(config(root)).source.films, 9, "pad")
    folder.parent.mkdir(parents=True)
    with FileLock(f"{folder}.lock"), pytest.raises(UserError, match="another process is converting these films"):
        prepare(config(root))


def test_the_command_reports_and_describes(tmp_path, capsys):
    from training.__main__ import main

    root = manifest(tmp_path / "set")
    main(["data", "prepare", "manifest", "--root", str(root), "--set", "size=11", "--json"])
    document = json.loads(capsys.readouterr().out)
    assert document["report"]["converted"] == 5 and document["card"]["studies"] == 5
    with pytest.raises(SystemExit) as ended:
        main(["data", "prepare", "phantoms"])
    assert ended.value.code == 2 and "is made, not read" in capsys.readouterr().err


def test_real_radiographs_are_prepared_in_half_a_minute():
    if not os.environ.get("WORKBENCH_TEST_DATA"):
        pytest.skip("real radiographs are found through WORKBENCH_TEST_DATA, which is not set")
    real = config("${WORKBENCH_TEST_DATA}/nih_cxr14", size=64)
    start = time.perf_counter()
    assert prepare(real).converted == 1334
    assert time.perf_counter() - start < 30
    start = time.perf_counter()
    dataset = load(real)
    assert time.perf_counter() - start < 1.5
    array = np.stack([dataset[index]["images"][0].array for index in range(0, 1334, 100)])
    assert array.shape == (14, 64, 64) and array.std() > 30
