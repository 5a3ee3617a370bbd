"""A form from a JSON schema: every widget, bound and help text comes from the typed configuration."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import streamlit as st
import yaml

from app.state import escape

WIDE = {
    "integer": 256,
    "number": 1,
}  # a slider is drawn where the bounds are no further apart: its thumb can still hit every value that matters
UNREADABLE = object()  # what a field of YAML text gives while it cannot be read


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


def label_of(name: str) -> str:
    return escape(name.replace("_", " ").capitalize()) if not name.startswith("*") else name


def field(
    name: str, part: Mapping[str, Any], value: Any, key: str, label: str | None = None, on_change: Callable[..., None] | None = None
) -> Any:
    """One widget for one leaf of a schema; what has no widget of its own is a line of YAML. Returns the value, UNREADABLE where a line is none."""
    given = {"key": key, "help": help_of(part), "on_change": on_change}
    label = label or label_of(name)
    value = part.get("default") if value is None else value
    kind = part.get("type")
    if "enum" in part:
        options = [None, *part["enum"]] if part.get("optional") else list(part["enum"])
        named = {None: "as the machine has it"} if name == "precision" else {None: "none"}
        return st.selectbox(
            label,
            options,
            index=options.index(value) if value in options else 0,
            format_func=lambda each: str(named.get(each, each)),
            **given,
        )
    if kind == "boolean":
        return st.checkbox(label, bool(value), **given)
    if kind in ("integer", "number"):
        return number(label, part, value, given)
    if kind == "string":
        return st.text_input(label, value or "", max_chars=400, **given) or (None if part.get("optional") else "")
    return parsed(st.text_input(label, line(value), max_chars=4000, **given))


def number(label: str, part: Mapping[str, Any], value: Any, given: dict[str, Any]) -> Any:
    """A slider where both bounds are near, else a field; an exclusive bound is left to the server's check."""
    as_kind = int if part["type"] == "integer" else float
    low, high = (None if part.get(name) is None else as_kind(part[name]) for name in ("minimum", "maximum"))
    start = None if value is None else as_kind(value)
    if start is not None and low is not None and high is not None and high - low <= WIDE[part["type"]] and low <= start <= high:
        shown = {} if as_kind is int else {"format": "%.4g", "step": (high - low) / 100}
        return st.slider(label, low, high, start, **shown, **given)
    shown = {"step": 1} if as_kind is int else {"format": "%.6g", "step": step_of(start)}
    return st.number_input(label, low, high, start, **shown, **given)


def help_of(part: Mapping[str, Any]) -> str | None:
    """The docstring under the field; and whether it may still change while a run trains."""
    told = [escape(part.get("description", ""))] + ["May be changed while the run trains."] * bool(part.get("live"))
    return " ".join(each for each in told if each) or None


def line(value: Any) -> str:
    """A value as one line of YAML; nothing where it is none."""
    return "" if value is None else yaml.safe_dump(value, default_flow_style=True, width=10_000).strip().removesuffix("...").strip()


def parsed(text: str) -> Any:
    """A line of YAML read, UNREADABLE where it is none."""
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        return UNREADABLE


def step_of(value: float | None) -> float:
    """How far one click moves a real number: a tenth of it."""
    return abs(value) / 10 if value else 0.1
