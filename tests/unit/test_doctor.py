"""`workbench doctor`: what is missing is a finding with what to do, never a crash."""

import json
import subprocess
import sys
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from training import doctor

REPOSITORY = Path(__file__).parents[2]


def by_name(found):
    return {finding.name: finding for finding in found}


def fake_torch(monkeypatch, answer, code=0):
    reply = subprocess.CompletedProcess(
        [], code, stdout=json.dumps(answer), stderr="Traceback\nModuleNotFoundError: No module named 'torch'"
    )
    monkeypatch.setattr(doctor.subprocess, "run", lambda *_, **__: reply)


def test_it_says_what_there_is_as_text_and_as_one_json_document(tmp_path):
    command = [sys.executable, "-m", "training", "doctor", "--json", "--runs", str(tmp_path / "runs")]
    asked = subprocess.run(command, capture_output=True, text=True, cwd=REPOSITORY, check=True)
    found = {each["name"]: each for each in json.loads(asked.stdout)}
    assert {"python", "torch build", "device", "torch", "streamlit", "packaged MiniLM", "machine", "runs folder", "cache", "git"} <= set(
        found
    )
    assert found["torch build"]["ok"] and found["python"]["ok"] and found["streamlit"]["ok"]
    assert not (tmp_path / "runs").exists(), "it only looks"


@pytest.mark.parametrize(
    "answer, cards, ok, words",
    [
        (["2.15.0+cpu", None, None, []], [], True, "CPU"),
        (["2.15.0+cu128", "12.8", None, ["H100"]], ["0"], True, "H100"),
        (["2.15.0+cpu", None, None, []], ["0"], False, "1 GPU unused"),
        (["2.15.0+cu128", "12.8", None, []], ["0", "1"], False, "does not see the 2 GPU"),
        (["2.15.0+cu128", "12.8", None, []], [], True, "a tenth of the disk"),
    ],
)
def test_torch_build_and_devices(monkeypatch, answer, cards, ok, words):
    fake_torch(monkeypatch, answer)
    monkeypatch.setattr(doctor, "cuda_devices", lambda: cards)
    device = by_name(doctor.torch_build())["device"]
    assert device.ok is ok and words in device.value and bool(device.what_to_do) is not ok


def test_a_missing_torch_and_missing_packages_are_findings(monkeypatch, tmp_path):
    fake_torch(monkeypatch, None, code=1)

    def version(name):
        if name in ("torch", "timm"):
            raise PackageNotFoundError(name)
        return "0.1" if name == "plotly" else "99.0"

    monkeypatch.setattr(doctor, "version", version)
    found = by_name(doctor.examine(tmp_path))
    assert not found["torch build"].ok and "No module named 'torch'" in found["torch build"].value
    assert (found["timm"].ok, found["timm"].value) == (False, "missing") and "uv pip install" in found["timm"].what_to_do
    assert not found["plotly"].ok and "needs at least" in found["plotly"].what_to_do
    assert found["numpy"].ok


def test_folders_without_room_or_permission_are_findings(monkeypatch, tmp_path):
    monkeypatch.setattr(doctor, "MINIMUM_FREE_GB", 1e9)
    assert "free space" in doctor.folder("runs folder", tmp_path / "deep" / "runs", "--runs").what_to_do
    monkeypatch.setattr(doctor, "MINIMUM_FREE_GB", 0.0)
    assert doctor.folder("runs folder", tmp_path / "deep" / "runs", "--runs").ok

    def refused(dir):
        raise PermissionError(13, "Permission denied", str(dir))

    monkeypatch.setattr(doctor.tempfile, "TemporaryFile", refused)
    finding = doctor.folder("cache", tmp_path, "WORKBENCH_CACHE")
    assert not finding.ok and "Permission denied" in finding.value and "WORKBENCH_CACHE" in finding.what_to_do


def test_test_data_that_is_not_there(monkeypatch, tmp_path):
    monkeypatch.setenv("WORKBENCH_TEST_DATA", str(tmp_path / "nothing"))
    assert not doctor.data().ok
    monkeypatch.delenv("WORKBENCH_TEST_DATA")
    assert doctor.data().ok
