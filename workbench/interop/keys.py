"""Names of tensors in other libraries, laid over those of a method: what matches, what is missing, what is left over; needs torch."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from workbench.interop import positions

LEAST, ELSEWHERE = 0.5, 0.05  # shares of a part's numbers: that must match; that may have another shape (a head of other classes)
LAYER = re.compile(r"^(?P<head>.*?)(?:encoder\.)?layers?\.(?P<number>\d+)\.(?P<rest>.+)$")
INSIDE = {  # transformers' names within a layer (two generations of ViT, DINOv2, CLIP) -> timm's
    r"(layernorm_before|layer_norm1|norm1)\.": "norm1.",
    r"(layernorm_after|layer_norm2|norm2)\.": "norm2.",
    r"(attention\.output\.dense|attention\.o_proj|self_attn\.out_proj)\.": "attn.proj.",
    r"(intermediate\.dense|mlp\.fc1)\.": "mlp.fc1.",
    r"(output\.dense|mlp\.fc2)\.": "mlp.fc2.",
    r"layer_scale1\.lambda1": "ls1.gamma",
    r"layer_scale2\.lambda1": "ls2.gamma",
}
OUTSIDE = {
    r"embeddings\.(cls_token|class_embedding)$": "cls_token",
    r"embeddings\.(position_embeddings|position_embedding\.weight)$": "pos_embed",
    r"embeddings\.(patch_embeddings\.projection|patch_embedding)\.": "patch_embed.proj.",
    r"pre_layrnorm\.": "norm_pre.",
    r"(?<![a-z_])(layernorm|post_layernorm)\.": "norm.",
}
ATTENTION = re.compile(
    r"^(?:attention\.attention\.|attention\.|self_attn\.)(?P<which>query|key|value|q_proj|k_proj|v_proj)\.(?P<kind>weight|bias)$"
)
ORDER = {"query": 0, "q_proj": 0, "key": 1, "k_proj": 1, "value": 2, "v_proj": 2}


def from_transformers(given: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Tensors of transformers' ViT, ViT-MAE, DINOv2 or CLIP image tower under timm's names; others keep theirs."""
    found: dict[str, Tensor] = {}
    fused: dict[str, dict[int, Tensor]] = {}
    for name, value in given.items():
        layer = LAYER.match(name)
        if layer is None:
            new = renamed(name, OUTSIDE)
            found[new] = value.reshape(1, 1, -1) if new.endswith("cls_token") else value
            found[new] = value[None] if new.endswith("pos_embed") and value.ndim == 2 else found[new]
            continue
        stem, attention = f"{layer['head']}blocks.{layer['number']}.", ATTENTION.match(layer["rest"])
        if attention:
            fused.setdefault(f"{stem}attn.qkv.{attention['kind']}", {})[ORDER[attention["which"]]] = value
        else:
            found[stem + renamed(layer["rest"], INSIDE)] = value
    whole = {name: torch.cat([parts[place] for place in range(3)]) for name, parts in fused.items() if len(parts) == 3}
    return found | whole


def renamed(name: str, table: Mapping[str, str]) -> str:
    for pattern, new in table.items():
        changed, count = re.subn(pattern, new, name, count=1)
        if count:
            return changed
    return name


@dataclass(frozen=True)
class Fit:
    """Given tensors laid over a method's: `tensors` under the method's names, and what became of every key."""

    tensors: dict[str, Tensor]
    matched: dict[str, str]  # the method's name -> the file's
    adapted: dict[str, dict[str, Any]] = field(default_factory=dict)  # changed to fit, and how
    differing: dict[str, dict[str, Any]] = field(default_factory=dict)  # there, but of another shape
    missing: dict[str, list[int]] = field(default_factory=dict)
    unused: dict[str, list[int]] = field(default_factory=dict)
    laid: tuple[str, str] = ("", "")  # the file's prefix, the method's
    share: float = 0.0  # of the method's numbers

    def report(self) -> dict[str, Any]:
        """Plain values for provenance.json: every key with its shape."""
        return {
            "prefix": {"given": self.laid[0], "own": self.laid[1]},
            "share": round(self.share, 6),
            "matched": {name: list(self.tensors[name].shape) for name in self.matched if name not in self.adapted},
            "adapted": self.adapted,
            "differing": self.differing,
            "missing": self.missing,
            "unused": self.unused,
        }


def lay_over(own: Mapping[str, Tensor], given: Mapping[str, Tensor]) -> Fit:
    """The best way to lay `given` over `own`: leading name parts (`module.`, `visual.trunk.`) are exchanged so that most numbers match."""
    best, rank = Fit({}, {}), (-1.0, False, 0)
    for mine in prefixes(own, 0.5):
        for theirs in prefixes(given, 0.05):
            fit = one_way(own, given, mine, theirs)
            score = (fit.share, mine == theirs, -len(mine) - len(theirs))
            if score > rank:
                best, rank = fit, score
    return best


def prefixes(tensors: Mapping[str, Tensor], least: float) -> list[str]:
    """Leading name parts, up to three deep, that hold at least that share of all numbers; the empty one first."""
    total, size = sum(value.numel() for value in tensors.values()), {"": 0}
    for name, value in tensors.items():
        parts = name.split(".")
        for depth in range(1, min(4, len(parts))):
            stem = ".".join(parts[:depth]) + "."
            size[stem] = size.get(stem, 0) + value.numel()
    return [stem for stem, held in size.items() if not stem or held >= least * total]


def one_way(own: Mapping[str, Tensor], given: Mapping[str, Tensor], mine: str, theirs: str) -> Fit:
    """`given` below the prefix `theirs` laid over `own` below `mine`."""
    short = {name.removeprefix(theirs): name for name in given if name.startswith(theirs)}
    fit = Fit({}, {}, laid=(theirs, mine))
    for name, wanted in own.items():
        source = short.get(name.removeprefix(mine)) if name.startswith(mine) else None
        if source is None:
            fit.missing[name] = list(wanted.shape)
            continue
        value = given[source]
        changed = None if value.shape == wanted.shape else adapt(name, value, wanted)
        if value.shape != wanted.shape and changed is None:
            fit.differing[name] = {"expected": list(wanted.shape), "found": list(value.shape), "given": source}
            continue
        fit.matched[name] = source
        fit.tensors[name] = value if changed is None else changed[0]
        if changed is not None:
            fit.adapted[name] = {"from": list(value.shape), "to": list(wanted.shape), "how": changed[1]}
    used = {*fit.matched.values(), *(each["given"] for each in fit.differing.values())}
    fit.unused.update({name: list(value.shape) for name, value in given.items() if name not in used})
    total = sum(value.numel() for value in own.values())
    return Fit(
        fit.tensors, fit.matched, fit.adapted, fit.differing, fit.missing, fit.unused, fit.laid,
        sum(own[name].numel() for name in fit.matched) / max(1, total),
    )  # fmt: skip


def adapt(name: str, value: Tensor, wanted: Tensor) -> tuple[Tensor, str] | None:
    """A tensor brought to another shape without changing what it computes: position tables, and colour filters shown grey images."""
    if positions.is_table(name):
        return positions.resized(value, wanted)
    if value.ndim == wanted.ndim == 4 and value.shape[0] == wanted.shape[0] and value.shape[2:] == wanted.shape[2:]:
        if value.shape[1] == 3 and wanted.shape[1] == 1:
            return value.sum(1, keepdim=True), "summed over colours: the same on grey images"
        if value.shape[1] == 1 and wanted.shape[1] == 3:
            return value.expand(-1, 3, -1, -1) / 3, "spread over colours: the same on grey images"
    return None


def another(fit: Fit, own: Mapping[str, Tensor], given: Mapping[str, Tensor]) -> str | None:
    """Why these are weights of another architecture: what was expected and what was found; None where they fit."""
    total = sum(value.numel() for value in own.values())
    if fit.share >= LEAST and sum(own[name].numel() for name in fit.differing) <= ELSEWHERE * total:
        deeper = repeated(fit.unused, (name.removeprefix(fit.laid[0]) for name in fit.matched.values()), fit.laid[0])
        shallower = repeated(fit.missing, (name.removeprefix(fit.laid[1]) for name in fit.matched), fit.laid[1])
        if deeper:
            return f"it holds {deeper} beside the same parts with lower numbers, which the method does not have: a deeper network"
        if shallower:
            return f"it holds no {shallower}, which the method has beside the same parts with lower numbers: a shallower network"
        return None
    if fit.differing:
        name = max(fit.differing, key=lambda each: own[each].numel())
        told = fit.differing[name]
        return f"expected {name} {shape(told['expected'])}, found {told['given']} {shape(told['found'])}"
    wanted = max(own, key=lambda each: own[each].numel())
    found = max(given, key=lambda each: given[each].numel(), default="")
    has = f"found {found} {shape(given[found].shape)} and {len(given) - 1} others" if found else "found no tensor"
    return f"expected {wanted} {shape(own[wanted].shape)} and {len(own) - 1} others, {has}, of which {len(fit.matched)} match"


def repeated(left: Mapping[str, Any], matched: Any, prefix: str) -> str | None:
    """The first left-over name that differs from matched ones in its numbers only: a layer too many."""
    kinds = {re.sub(r"\d+", "#", name) for name in matched}
    for name in left:
        if name.startswith(prefix) and re.search(r"\.\d+\.", name) and re.sub(r"\d+", "#", name.removeprefix(prefix)) in kinds:
            return name
    return None


def shape(sizes: Any) -> str:
    return f"({', '.join(map(str, sizes))})"
