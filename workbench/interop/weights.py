"""Start weights from elsewhere: timm's hub, a file or folder of another library, a run's snapshot; every key accounted for. Needs torch.

Only safetensors are read here. A `.pth` comes in through `workbench import`, which rewrites it in a process of its own.
"""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from workbench.errors import UserError
from workbench.interop import keys, mae
from workbench.interop.pickled import SUFFIXES
from workbench.method import Method
from workbench.models import read_weights
from workbench.run import find_run

TIMM = "timm:"
FOLDER_FILES = ("model.safetensors", "open_clip_model.safetensors", "pytorch_model.safetensors")


class Given(NamedTuple):
    """Tensors by name as their source has them, and what kind of source it was."""

    tensors: dict[str, Tensor]
    kind: str  # "file", "folder", "timm", "run"


def initialise_from(method: Method, sources: Mapping[str, str], root: str | Path | None = None) -> dict[str, dict[str, Any]]:
    """Load start weights into parts of a method (`*`: all of it); per part the report of every key. Raises UserError for another architecture."""
    report = {}
    for part, source in sources.items():
        own = {name: value for name, value in method.state_dict().items() if part == "*" or name.startswith(part + ".")}
        if not own:
            raise UserError(f"init_from: part {part!r} is not in the method; the parts are {[name for name, _ in method.named_children()]}")
        given = read(source, root)
        report[part] = {"source": source, "kind": given.kind, **load(method, own, given.tensors, f"init_from.{part}: {source}")}
    return report


def load(method: Method, own: Mapping[str, Tensor], given: Mapping[str, Tensor], where: str) -> dict[str, Any]:
    """Lay `given` over the part `own` of a method and load it; returns the report of every key."""
    fit, layout = best_fit(own, given)
    wrong = keys.another(fit, own, given)
    if wrong:
        raise UserError(f"{where}: weights of another architecture: {wrong}; give weights of this part, or set the method to their size")
    broken = [name for name, value in fit.tensors.items() if value.is_floating_point() and not torch.isfinite(value).all()]
    if broken:
        raise UserError(f"{where}: {fit.matched[broken[0]]} holds numbers that are not finite; give another file")
    method.load_state_dict(fit.tensors, strict=False)
    return {"layout": layout, **fit.report()}


def best_fit(own: Mapping[str, Tensor], given: Mapping[str, Tensor]) -> tuple[keys.Fit, str]:
    """The names as they are, or as another library's are known to mean, whichever matches more; and which it was."""
    best, layout = keys.lay_over(own, given), "as it is"
    for name, tensors in layouts(given) if best.share < 0.999 else ():
        fit = keys.lay_over(own, tensors)
        if fit.share > best.share:
            best, layout = fit, name
    return best, layout


def layouts(given: Mapping[str, Tensor]) -> Iterator[tuple[str, dict[str, Tensor]]]:
    """The tensors under our names for every layout they may be in; what a layout does not know keeps its name."""
    yield "transformers", keys.from_transformers(given)
    if any("decoder_blocks." in name for name in given):
        found, told = mae.from_official(given)
        yield "official MAE", {name: given[name] for name in told["unused"]} | found
    if any("decoder.decoder_" in name for name in given):
        yield "transformers MAE", mae.from_transformers(given)


def read(source: str, root: str | Path | None = None) -> Given:
    """Tensors of `timm:NAME`, a .safetensors file, a folder as transformers or timm save it, or a run's snapshot `RUN[:STEP]`."""
    if source.startswith(TIMM):
        return Given(from_hub(source.removeprefix(TIMM)), "timm")
    path = Path(source).expanduser()
    if path.suffix in SUFFIXES:
        raise UserError(
            f"{source}: a pickled file is not read here; bring it in with `workbench import {path.name}` and name the run it makes"
        )
    if path.suffix == ".safetensors":
        return Given(load_safetensors(path), "file")
    if path.is_dir() and not (path / "status.json").is_file():
        return Given(load_folder(path), "folder")
    return Given(from_run(source, root), "run")


def load_safetensors(path: Path) -> dict[str, Tensor]:
    if not path.is_file():
        raise UserError(f"{path}: no such file; give an existing .safetensors file")
    try:
        return load_file(path)
    except SafetensorError as error:
        raise UserError(f"{path}: damaged or no safetensors file ({error}); fetch it again") from None


def load_folder(path: Path) -> dict[str, Tensor]:
    """A model saved by transformers, timm or open_clip, whole or in shards that stay within the folder."""
    for name in FOLDER_FILES:
        if (path / name).is_file():
            return load_safetensors(path / name)
    index = path / "model.safetensors.index.json"
    if not index.is_file():
        raise UserError(f"{path}: holds none of {', '.join(FOLDER_FILES)}; save the model as safetensors, or `workbench import` its file")
    try:
        shards = sorted(set(json.loads(index.read_text())["weight_map"].values()))
    except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError, AttributeError):
        raise UserError(f"{index}: damaged; fetch the folder again") from None
    wrong = [shard for shard in shards if not re.fullmatch(r"[\w.-]+\.safetensors", str(shard))]
    if wrong:
        raise UserError(f"{index}: names {str(wrong[0])[:80]!r}, which is no .safetensors file of this folder; fetch the folder again")
    return {name: value for shard in shards for name, value in load_safetensors(path / shard).items()}


def from_run(source: str, root: str | Path | None = None) -> dict[str, Tensor]:
    """The weights of a snapshot, its frozen part with it."""
    name, _, step = source.partition(":")
    if step and not step.isdigit():
        raise UserError(f"{source}: {step!r} is no step; write RUN:STEP, for example {name}:1000, or RUN for its last snapshot")
    run = find_run(name, root)
    return read_weights(run.snapshot(int(step) if step else "last"), run.path)


def from_hub(name: str) -> dict[str, Tensor]:
    """Pretrained weights of a timm model, from the hub or its cache on this disk; never random ones."""
    import timm
    from huggingface_hub import hf_hub_download

    if not timm.is_model(name):
        raise UserError(f"{TIMM}{name}: timm has no such model; see timm.list_models(pretrained=True)")
    known = timm.models.get_pretrained_cfg(name)
    if known is None or not known.hf_hub_id:
        tags = timm.list_pretrained(name.partition(".")[0])
        rest = f"; those with weights are {', '.join(tags[:4])}" if tags else "; give a local .safetensors file"
        raise UserError(f"{TIMM}{name}: timm has no pretrained weights of this model on the hub, and random ones start nothing{rest}")
    try:
        path = hf_hub_download(known.hf_hub_id, "model.safetensors")
    except OSError as error:
        why = str(error).strip().splitlines()[0][:120] if str(error).strip() else type(error).__name__
        raise UserError(
            f"{TIMM}{name}: the hub is not reachable and its weights are not on this disk ({why}); "
            "connect to the network, or download model.safetensors elsewhere and give its path"
        ) from None
    return load_safetensors(Path(path))
