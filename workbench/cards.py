"""The card of a method: what, equation, every field with the source of its default, what was left open, recipes, results. Needs torch.

Everything is read from the method's file, the recipes and the records, so that it cannot drift from them.
"""

import inspect
import json
import re
import textwrap
from dataclasses import asdict, dataclass
from typing import Any

import yaml
from pydantic.fields import FieldInfo

from workbench import account
from workbench.config import Config, LiveMarker
from workbench.jobs import REPOSITORY
from workbench.models import method_class

WIDTH = 120  # of the card as text
OFFICIAL = "official"  # a choice of this name makes a field a switch between the published code and what is meant


@dataclass(frozen=True)
class Field:
    """One field of a configuration; of a nested one `weights.pixels`."""

    name: str
    default: Any
    meaning: str
    origin: str
    choices: tuple[Any, ...]
    live: bool

    @property
    def switch(self) -> bool:
        return OFFICIAL in self.choices


@dataclass(frozen=True)
class Card:
    """One method; `parameters` counts what trains at the published sizes where the method tells them."""

    name: str
    what: str
    head: str
    equation: str
    terms: dict[str, list[str]]
    fields: tuple[Field, ...]
    left_open: tuple[str, ...]
    recipes: dict[str, str]
    results: dict[str, dict[str, Any]]
    parameters: tuple[account.Part, ...]

    def as_dict(self) -> dict[str, Any]:
        return asdict(self) | {"parameters": [part._asdict() for part in self.parameters]}

    def __str__(self) -> str:
        return self.text()

    def text(self) -> str:
        """The card for people, in plain text."""
        switches = tuple(field for field in self.fields if field.switch)
        parts = [
            ("", "\n\n".join(filter(None, (f"{self.name}: {self.what}", self.head)))),
            ("Equation", wrapped(self.equation)),
            ("Terms", "\n".join(f"  {phase}: {', '.join(names)}" for phase, names in self.terms.items())),
            ("Switches: what the published code does, or what is meant", listed(switches)),
            ("Fields, their defaults, and where these come from", listed(tuple(field for field in self.fields if not field.switch))),
            ("Left open by the publication", "\n".join(f"  - {each}" for each in self.left_open)),
            ("Parameters at the published sizes", counted(self.parameters)),
            ("Recipes", "\n".join(f"  {name}: {told}" for name, told in self.recipes.items())),
            ("Results in docs/results", "\n".join(f"  {name} ({each['made']})" for name, each in self.results.items())),
        ]
        return "\n\n".join("\n".join(filter(None, (title, told))) for title, told in parts if told)


def method_card(name: str, parameters: bool = False) -> Card:
    """The card of a method by its name; `parameters` counts them, too, which loads text models' code. Raises UserError for an unknown name."""
    chosen = method_class(name)
    module = inspect.getmodule(chosen)
    what, _, head = (inspect.getdoc(module) or "").partition("\n")
    return Card(
        name=name,
        what=what,
        head=head.strip(),
        equation=chosen.equation,
        terms={phase: list(names) for phase, names in chosen.terms.items()},
        fields=tuple(fields_of(chosen.Config)),
        left_open=chosen.left_open,
        recipes=recipes_of(name),
        results=results_of(name, what),
        parameters=tuple(account.published(chosen)) if parameters else (),
    )


def fields_of(config: type[Config], prefix: str = "", origin: str = "") -> list[Field]:
    """Every field; those of a configuration within one follow it, with its origin."""
    found, origins = [], config.origins_of()
    for name, field in config.model_fields.items():
        told = origins.get(name, origin)
        if isinstance(field.annotation, type) and issubclass(field.annotation, Config):
            found += fields_of(field.annotation, f"{prefix}{name}.", told)
        else:
            live = any(isinstance(each, LiveMarker) for each in field.metadata)
            found.append(Field(prefix + name, field.get_default(), field.description or "", told, choices_of(config, name, field), live))
    return found


def choices_of(config: type[Config], name: str, field: FieldInfo) -> tuple[Any, ...]:
    """The values a field may have, where they are listed."""
    return () if field.annotation is bool else tuple(config.model_json_schema()["properties"][name].get("enum", ()))


def recipes_of(name: str) -> dict[str, str]:
    """Recipes of a method and their first line."""
    found = {}
    for path in sorted((REPOSITORY / "training/recipes").glob("*.yaml")):
        text = path.read_text()
        if yaml.safe_load(text)["method"]["name"] == name:
            found[path.stem] = text.splitlines()[0].removeprefix("# ")
    return found


def results_of(name: str, what: str) -> dict[str, dict[str, Any]]:
    """Records in docs/results that name the method, as in configurations or as in the head of its file."""
    title = what.partition(":")[0]
    spelled = [name.replace("_", "[-_ ]"), *([re.escape(title)] if len(title.split()) == 1 else [])]
    pattern = re.compile(rf"(?<![a-z0-9_])(?:{'|'.join(spelled)})(?![a-z0-9_])", re.IGNORECASE)
    found = {}
    for path in sorted((REPOSITORY / "docs/results").glob("*.json")):
        text = path.read_text()
        if pattern.search(text):
            record = json.loads(text)
            found[path.name] = {key: record.get(key) for key in ("made", "commit", "trials")}
    return found


def wrapped(text: str, indent: str = "  ") -> str:
    return textwrap.fill(text, WIDTH, initial_indent=indent, subsequent_indent=indent)


def listed(fields: tuple[Field, ...]) -> str:
    """Name, default and source on one line, the meaning under it."""
    lines = []
    for field in fields:
        among = f" of {', '.join(map(str, field.choices))}" if field.choices else ""
        lines.append(f"  {field.name} = {field.default}{among}{'; live' if field.live else ''}   [{field.origin}]")
        lines.append(wrapped(field.meaning, "      "))
    return "\n".join(lines)


def counted(parts: tuple[account.Part, ...]) -> str:
    """Every part with what trains of it; the share that does not, of all."""
    if not parts:
        return ""
    lines = [f"  {part.name:<20} {part.parameters:>12,}  {'trains' if part.trained else 'frozen'}" for part in parts]
    return "\n".join([*lines, f"  {account.saved(parts):.1%} fewer train than with all parts"])
