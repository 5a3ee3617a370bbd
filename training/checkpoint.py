"""Weights for the time machine (snapshots) and state for an exact resume (checkpoints)."""

import hashlib
import os
import pickle
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from workbench.errors import UserError
from workbench.run import Snapshots


def own_state(method: nn.Module, frozen: set[str]) -> dict[str, Tensor]:
    """Persistent state without the parts that no stage trains."""
    return {name: value.detach().contiguous() for name, value in method.state_dict().items() if name not in frozen}


def write_folder(path: Path, tensors: Mapping[str, Tensor], private: Mapping[str, Any] | None = None) -> None:
    """Write a folder aside, make it durable, rename it: it is whole or it is not there."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    try:
        save_file({name: value.cpu() for name, value in tensors.items()}, part / "model.safetensors")
        if private is not None:
            torch.save(dict(private), part / "state.pt")
            for file in part.iterdir():
                with open(file, "rb") as handle:
                    os.fsync(handle.fileno())
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)  # on a full disk this is the room in which the status can say so
        raise
    if path.exists():
        old = path.with_name(f".{path.name}.{os.getpid()}.old")
        os.replace(path, old)
        os.replace(part, path)
        shutil.rmtree(old)
    else:
        os.replace(part, path)


def keep_frozen(run: Path, method: nn.Module, frozen: set[str]) -> str | None:
    """Store the frozen part once per run by its hash, hard-linked from a sibling run that has it."""
    state = {name: value.detach().cpu().contiguous() for name, value in method.state_dict().items() if name in frozen}
    if not state:
        return None
    digest = hashlib.sha256()
    for name in sorted(state):
        digest.update(f"{name} {state[name].dtype} {tuple(state[name].shape)}".encode())
        digest.update(state[name].reshape(-1).view(torch.uint8).numpy().data)
    target = run / "frozen" / f"{digest.hexdigest()}.safetensors"
    target.parent.mkdir(exist_ok=True)
    if not target.exists():
        for sibling in run.parent.glob(f"*/frozen/{target.name}"):
            try:
                os.link(sibling, target)
                return target.name
            except OSError:
                break  # another file system: a copy then
        part = target.with_suffix(".part")
        save_file(state, part)
        os.replace(part, target)
    return target.name


def read_state(folder: Path) -> dict[str, Any]:
    """The private resume state, by torch's restricted reader."""
    path = folder / "state.pt"
    try:
        return torch.load(path, weights_only=True, map_location="cpu")
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; this checkpoint is incomplete, delete {folder} to resume from the one before") from None
    except (RuntimeError, EOFError, pickle.UnpicklingError) as error:
        first = str(error).splitlines()[0][:200]
        raise UserError(f"{path}: damaged ({first}); delete {folder} to resume from the checkpoint before") from None


def prune(folder: Path, keep: int) -> None:
    """Remove all but the newest `keep` checkpoints, and what a crash left half-written; `best` is a folder of its own."""
    steps = sorted(int(path.name[5:]) for path in folder.glob("step-*"))
    for step in steps[:-keep]:
        shutil.rmtree(folder / f"step-{step}")
    for path in folder.glob(".step-*"):
        shutil.rmtree(path, ignore_errors=True)


def snapshot_steps(config: Snapshots, steps: int, bytes_each: int) -> tuple[list[int], int]:
    """0, 1, 2, 4, … while the gap is below `every`, then every `every`; thinned to the budget. Returns steps and the spacing used."""
    every = config.every or max(1, steps // 8)
    allowed = max(2, int(config.budget_gb * 1e9 / max(1, bytes_each)))
    while True:
        found, step = [0], 1
        while step < steps:
            found.append(step)
            step = step * 2 if step * 2 < every else (step // every + 1) * every
        found.append(steps)
        if len(found) <= allowed or every >= steps:
            return (found if len(found) <= allowed else [*found[: allowed - 1], steps]), every
        every = min(steps, every * 2)
