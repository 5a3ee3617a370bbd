"""Phantoms as a data set: whole or absent on disk, equal to a fresh render, patients in one split."""

import itertools
import json
import threading

import numpy as np
import pytest

from workbench.data.phantoms import FIRST, Config, load
from workbench.errors import UserError
from workbench.phantom import FINDINGS, store
from workbench.phantom.store import Request, fetch, shares
from workbench.phantom.thorax.course import drawn_study
from workbench.phantom.thorax.film import render
from workbench.phantom.thorax.variants import Variant

LESSON = Variant(level="teaching")
REQUEST = Request("first", 16, 3, 20, 7, tuple(LESSON))


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "phantoms"


def test_what_is_stored_is_what_is_rendered(own_cache):
    stored = fetch(REQUEST)
    for place, index in enumerate(range(20, 27)):
        film = render(drawn_study(3, index, LESSON), 16)
        assert np.array_equal(stored.films[place], film.image) and np.array_equal(stored.masks[place], film.masks)
        assert stored.studies[place]["index"] == index and stored.studies[place]["boxes"] == film.boxes
    assert sorted(path.name for path in own_cache.iterdir() if path.is_dir()) == [REQUEST.name]
    assert sorted(path.name for path in (own_cache / REQUEST.name).iterdir()) == ["films.npy", "masks.npy", "seal.json", "studies.jsonl"]


def test_processes_render_the_same_bits(monkeypatch):
    alone = fetch(REQUEST)
    monkeypatch.setattr(store, "SPAN", 3)
    monkeypatch.setattr(store, "helpers", lambda count: 2)
    monkeypatch.setattr(store, "work", lambda *given: None)  # what this process would render is left to the others
    monkeypatch.setenv("WORKBENCH_CACHE", str(store.cache_root()) + "-two")
    both = fetch(REQUEST)
    assert np.array_equal(alone.films, both.films) and np.array_equal(alone.masks, both.masks) and alone.studies == both.studies


def test_a_span_that_another_process_has_begun_is_left_to_it(monkeypatch, tmp_path):
    made = []
    monkeypatch.setattr(store, "part", lambda folder, request, start, stop, at: made.append((start, stop, at)))
    (tmp_path / "work.json").write_text(json.dumps([(0, 3, 0), (3, 6, 5), (6, 7, 9)]))
    (tmp_path / "studies-3.jsonl").touch()
    store.work(tmp_path, REQUEST)
    assert made == [(0, 3, 0), (6, 7, 9)]


def test_a_process_that_ends_early_is_one_sentence(own_cache, monkeypatch):
    monkeypatch.setattr(store, "helpers", lambda count: 1)
    monkeypatch.setattr(store.sys, "executable", "false")
    with pytest.raises(UserError, match=r"ended early.*WORKBENCH_CACHE"):
        fetch(REQUEST)
    assert not [path for path in own_cache.iterdir() if path.is_dir()]


def test_no_process_goes_on_after_an_error(monkeypatch):
    started, begin = [], store.subprocess.Popen
    monkeypatch.setattr(store.subprocess, "Popen", lambda *given, **more: started.append(begin(["sleep", "5"])) or started[-1])
    monkeypatch.setattr(store, "helpers", lambda count: 2)
    monkeypatch.setattr(store, "part", lambda *given: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(UserError, match="No space left"):
        fetch(REQUEST)
    assert [each.returncode for each in started] == [-15, -15]


@pytest.mark.parametrize("tear", ["films", "masks", "studies", "seal", "empty"])
def test_a_torn_folder_is_rendered_again(own_cache, tear):
    whole, folder = fetch(REQUEST), own_cache / REQUEST.name
    films, rows = np.array(whole.films), whole.studies
    if tear == "seal":
        (folder / "seal.json").unlink()
    elif tear == "empty":
        for path in folder.iterdir():
            path.unlink()
    else:
        path = folder / ("studies.jsonl" if tear == "studies" else f"{tear}.npy")
        path.write_bytes(path.read_bytes()[:-40])
    again = fetch(REQUEST)
    assert np.array_equal(again.films, films) and again.studies == rows


def test_readers_at_once_render_once(monkeypatch):
    written, found = [], []
    write = store.write
    monkeypatch.setattr(store, "write", lambda *given: (written.append(1), write(*given)))
    readers = [threading.Thread(target=lambda: found.append(np.array(fetch(REQUEST).films))) for _ in range(3)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    assert len(written) == 1 and all(np.array_equal(films, found[0]) for films in found) and len(found) == 3


def test_a_full_disk_is_one_sentence_and_leaves_nothing(own_cache, monkeypatch):
    (own_cache / f".{REQUEST.name}-killed").mkdir(parents=True)
    monkeypatch.setattr(store, "part", lambda *given: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(UserError, match=r"No space left on device.*WORKBENCH_CACHE"):
        fetch(REQUEST)
    assert not [path for path in own_cache.iterdir() if path.is_dir()]


def test_a_new_generator_version_is_another_folder_and_another_hash(monkeypatch):
    config = Config(size=16, train=3, val=2, test=0)
    before, name = load(config).data_hash, REQUEST.name
    monkeypatch.setattr(store, "GENERATOR_VERSION", 999)
    monkeypatch.setattr("workbench.data.phantoms.GENERATOR_VERSION", 999)
    assert REQUEST.name != name and load(config).data_hash != before


def test_the_data_set_keeps_its_contract():
    found = load(Config(level="clinical", size=16, train=11, val=6, test=4, seed=2))
    splits = {name: found.split(name) for name in ("train", "val", "test")}
    assert np.array_equal(np.sort(np.concatenate([*splits.values()])), np.arange(21)) and len(found) == 21 == len(set(found.keys))
    patients = {name: {found.patients[index] for index in indices} for name, indices in splits.items()}
    assert not patients["train"] & patients["val"] | patients["train"] & patients["test"] | patients["val"] & patients["test"]
    assert len(patients["train"]) < 11  # some patients have several studies
    assert found.labels.shape == (21, len(FINDINGS)) and found.labels.dtype == np.float32 and set(np.unique(found.labels)) <= {0.0, 1.0}
    assert {name: len(values) for name, values in found.covariates.items()} == {"view": 21, "age": 21, "sex": 21}
    assert tuple(found.prompts) == FINDINGS == tuple(found.label_names) and found.terms == "open"
    sample = found[13]
    study = drawn_study(2, FIRST["val"] + 2)
    assert np.array_equal(sample["images"][0].array, render(study, 16).image) and sample["images"][0].view == study.view
    assert [text.section for text in sample["texts"]] == ["findings", "impression"]
    assert np.array_equal(sample["labels"], study.labels) and sample["factors"] == json.loads(json.dumps(study.factors))
    assert set(found.provides) <= set(sample) | {"image", "text"} and sample["masks"]["heart"].dtype == bool
    sample["images"][0].array[:] = 0  # a caller's own copy
    assert found[13]["images"][0].array.any()


def test_a_split_does_not_depend_on_the_size_of_another():
    small, large = load(Config(size=16, train=3, val=4, test=0)), load(Config(size=16, train=8, val=4, test=2))
    own = [[data.keys[index] for index in data.split("val")] for data in (small, large)]
    assert own[0] == own[1] and [small.keys[i] for i in small.split("train")] == [large.keys[i] for i in large.split("train")][:3]


@pytest.mark.parametrize(("field", "value"), [("size", 17), ("size", 8), ("train", -1), ("level", "hard"), ("seed", -1), ("studies", 5)])
def test_a_wrong_configuration_is_refused_by_name(field, value):
    with pytest.raises(UserError, match=f"phantoms.*{field}"):
        Config.parse({field: value}, "data phantoms")


def test_work_is_shared_without_gaps():
    for count in (1, 149, 150, 301, 5000):
        spans = shares(count)
        assert spans[0][0] == 0 and spans[-1][1] == count and all(one[1] == two[0] for one, two in itertools.pairwise(spans))


def test_stores_of_another_part_variant_or_kind_of_words_lie_apart():
    words = [Request("words", 0, 0, 0, 5, reports=kind) for kind in ("plain", "radiologists")]
    requests = [
        *words,
        *(Request(part, 32, 0, 0, 5) for part in ("first", "lateral")),
        Request("first", 32, 0, 0, 5, tuple(Variant(tail=1.0))),
    ]
    assert len({each.name for each in requests}) == 5 and all(each.name.startswith("v5-") for each in requests)
    assert all(Request(*json.loads(json.dumps(each))).name == each.name for each in requests)
