"""A received `.pth` becomes safetensors, in a process of its own, through torch's restricted reader; anything but tensors is refused.

`python -m workbench.interop.pickled IN OUT` is that process; it needs torch.
"""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from workbench.errors import UserError

SUFFIXES = (".pth", ".pt", ".bin", ".ckpt", ".tar")
INSIDE = ("model", "state_dict", "model_state_dict", "module", "net", "teacher", "student")  # where training scripts put the weights
LIMIT = 900  # seconds


def rewrite(path: Path, target: Path) -> dict[str, Any]:
    """Rewrite a pickled file as safetensors; returns what was taken and left. Raises UserError where it holds more than tensors and numbers."""
    if not path.is_file():
        raise UserError(f"{path}: no such file; give an existing file of weights")
    command = [sys.executable, "-m", "workbench.interop.pickled", str(path.resolve()), str(target.resolve())]
    try:
        ended = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, timeout=LIMIT, check=False)
    except subprocess.TimeoutExpired:
        raise UserError(f"{path}: not read after {LIMIT} s and given up; ask its author for safetensors") from None
    lines = (ended.stdout if ended.returncode == 0 else ended.stderr).strip().splitlines()
    if ended.returncode == 0:
        return json.loads(lines[-1])
    told = lines[-1] if ended.returncode == 2 and lines else f"{path}: the process that read it ended with exit code {ended.returncode}"
    raise UserError(told)


def read(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Tensors of a pickled file and the report; `weights_only=True` builds tensors, plain containers and numbers, and runs nothing."""
    import argparse
    import pickle

    import torch

    try:
        with torch.serialization.safe_globals([argparse.Namespace]):  # plain options beside the weights, as training scripts save them
            content = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError, KeyError) as error:
        refused = isinstance(error, pickle.UnpicklingError)  # whose own words advise to read it unsafely
        first = "it holds more than tensors and plain options, or is no torch file" if refused else str(error).strip().splitlines()[0][:160]
        raise UserError(
            f"{path}: not readable by torch's restricted reader ({first}); nothing else is read here, ask its author for safetensors"
        ) from None
    taken, state = weights_in(content)
    if not state:
        has = ", ".join(map(str, content)) if isinstance(content, Mapping) else type(content).__name__
        raise UserError(f"{path}: no tensors by name in it (it holds {has[:200]}); give a file with a state dict")
    beside = [str(key) for key in content if str(key) != taken] if taken else []
    return state, {"taken": taken, "beside": beside[:40], "tensors": len(state)}


def weights_in(content: Any) -> tuple[str, dict[str, Any]]:
    """Where the weights lie in what was read ("" = at the top), and the tensors."""
    import torch

    if not isinstance(content, Mapping):
        return "", {}
    for key in INSIDE:
        if isinstance(content.get(key), Mapping):
            inner = {str(name): value for name, value in content[key].items() if isinstance(value, torch.Tensor)}
            if inner:
                return key, inner
    return "", {str(name): value for name, value in content.items() if isinstance(value, torch.Tensor)}


def main(arguments: list[str]) -> int:
    from safetensors.torch import save_file

    try:
        state, report = read(Path(arguments[0]))
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    save_file({name: value.detach().clone().contiguous() for name, value in state.items()}, arguments[1])
    print(json.dumps(report))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
