"""Weights and features made elsewhere: in and out. Needs torch when used, not when imported."""

import importlib
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from workbench.errors import UserError

KINDS = {"mae": "workbench.interop.mae"}  # official layouts: a module with from_official(state_dict) -> (our state dict, report)


def load_official(path_or_state_dict: str | Path | Mapping[str, Any], kind: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """A checkpoint in the layout of a method's official code as our state dict, and the report of its keys; `kind` is one of KINDS."""
    if kind not in KINDS:
        raise UserError(f"{kind}: no official layout of that name is known; there are {', '.join(KINDS)}")
    convert = importlib.import_module(KINDS[kind]).from_official
    if isinstance(path_or_state_dict, Mapping):
        return convert(dict(path_or_state_dict))
    return convert(read_file(Path(path_or_state_dict)))


def read_file(path: Path) -> dict[str, Any]:
    """Tensors of a received file: safetensors as they are, a pickled one rewritten in a process of its own."""
    from workbench.interop import pickled, weights

    if path.suffix not in pickled.SUFFIXES:
        return weights.read(str(path)).tensors
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "weights.safetensors"
        pickled.rewrite(path, target)
        return weights.load_safetensors(target)
