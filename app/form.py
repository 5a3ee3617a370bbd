"""A form from a JSON schema: every widget, bound and help text comes from the typed configuration."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from app.state import escape


def fields(schema: Mapping[str, Any], values: Mapping[str, Any], only: Sequence[str], key: str) -> dict[str, Any]:
    """Draw the fields `only` of an object schema and return their values; `key` makes the widgets' names unique."""
    return {name: field(name, resolve(schema, schema["properties"][name]), values.get(name), f"{key}.{name}") for name in only}


def resolve(schema: Mapping[str, Any], part: Mapping[str, Any]) -> dict[str, Any]:
    """`part` with its reference followed and an optional `null` taken out and noted under "optional"."""
    if "$ref" in part:
        target = schema["$defs"][part["$ref"].rsplit("/", 1)[-1]]
        part = {**target, **{name: value for name, value in part.items() if name != "$ref"}}
    options = [option for option in part.get("anyOf", []) if option.get("type") != "null"]
    if len(options) == 1:
        rest = {name: value for name, value in part.items() if name != "anyOf"}
        part = resolve(schema, options[0]) | rest | {"optional": True}
    return dict(part)


def field(name: str, part: Mapping[str, Any], value: Any, key: str) -> Any:
    """One widget for one leaf of a schema; raises TypeError for a kind of field it cannot draw."""
    label, told = name.replace("_", " ").capitalize(), escape(part.get("description", "")) or None
    value = part.get("default") if value is None else value
    kind = part.get("type")
    if "enum" in part:
        options = [None, *part["enum"]] if part.get("optional") else list(part["enum"])
        return st.selectbox(label, options, index=options.index(value) if value in options else 0, key=key, help=told)
    if kind == "boolean":
        return st.checkbox(label, bool(value), key=key, help=told)
    if kind in ("integer", "number"):
        as_kind = int if kind == "integer" else float
        low, high = bound(part, "minimum", "exclusiveMinimum", as_kind), bound(part, "maximum", "exclusiveMaximum", as_kind)
        start = None if value is None else as_kind(value)
        shown = {} if kind == "integer" else {"format": "%.6g", "step": step_of(start)}
        return st.number_input(label, low, high, start, key=key, help=told, **shown)
    if kind == "string":
        return st.text_input(label, value or "", key=key, help=told, max_chars=200) or (None if part.get("optional") else "")
    raise TypeError(f"no widget for field {name} of type {kind}")


def bound(part: Mapping[str, Any], inclusive: str, exclusive: str, as_kind: type) -> Any:
    """A bound the widget can hold; an exclusive one of a real number is left to the server's check."""
    if inclusive in part:
        return as_kind(part[inclusive])
    return None


def step_of(value: float | None) -> float:
    """How far one click moves a real number: a tenth of it."""
    return abs(value) / 10 if value else 0.1
