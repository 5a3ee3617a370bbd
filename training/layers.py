"""The layers of a tower, for stages that train only those on top."""

from collections.abc import Collection, Mapping

from torch import nn

from workbench.errors import UserError
from workbench.method import Method


def layers_of(method: Method, part: str) -> list[str]:
    """Name prefixes of a part's layers, the lowest first: its longest list of modules of one class. Raises UserError where there is none."""
    parts = dict(method.named_children())
    if part not in parts:
        why = "is frozen whole; set text_trainable: true" if hasattr(method, part) else f"is not in the method; the parts are {list(parts)}"
        raise UserError(f"stages.top_layers: part {part!r} {why}")
    lists = [(name, module) for name, module in parts[part].named_modules(prefix=part) if isinstance(module, nn.ModuleList | nn.Sequential)]
    found: list[str] = []
    for name, module in lists:
        layers = list(module)
        if len(layers) > len(found) and len({type(layer) for layer in layers}) == 1:
            found = [f"{name}.{place}." for place in range(len(layers))]
    if not found:
        raise UserError(f"stages.top_layers: part {part!r} has no list of equal layers; choose its parameters by `trainable`")
    return found


def beneath(method: Method, top: Mapping[str, int], names: Collection[str]) -> set[str]:
    """Those of `names` that `top` keeps frozen: all of a part but its layers from the top. Raises UserError for more layers than there are."""
    frozen: set[str] = set()
    for part, count in top.items():
        layers = layers_of(method, part)
        if count > len(layers):
            raise UserError(f"stages.top_layers.{part}: {count} layers asked for, it has {len(layers)}; lower the number")
        kept = tuple(layers[len(layers) - count :])
        frozen |= {name for name in names if name.startswith(part + ".") and not name.startswith(kept)}
    return frozen
