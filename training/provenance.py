"""Where a run came from: revision, versions, machine, data."""

import platform
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

PACKAGES = ("torch", "timm", "transformers", "accelerate", "numpy", "safetensors")


def revision() -> dict[str, Any]:
    """Git revision of the clone and whether it was changed; null outside a clone."""
    root = Path(__file__).parent.parent
    try:
        commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=root, capture_output=True, text=True, check=True, timeout=10)
        changed = subprocess.run(["git", "status", "--porcelain", "-uno"], cwd=root, capture_output=True, text=True, check=True, timeout=10)
    except (FileNotFoundError, subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        return {"commit": None, "dirty": None, "why": type(error).__name__}
    return {"commit": commit.stdout.strip(), "dirty": bool(changed.stdout.strip())}


def installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def provenance(data_hashes: dict[str, str], device: Any) -> dict[str, Any]:
    """Everything provenance.json says before a run adds its own."""
    import torch

    name = torch.cuda.get_device_name(device) if getattr(device, "type", "cpu") == "cuda" else platform.processor() or platform.machine()
    return {
        "git": revision(),
        "versions": {name: installed(name) for name in PACKAGES} | {"python": platform.python_version()},
        "device": {"kind": str(device), "name": name, "threads": torch.get_num_threads()},
        "data": data_hashes,
        "command": [Path(sys.argv[0]).name, *sys.argv[1:]],
    }
