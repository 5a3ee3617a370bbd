"""What every configuration object has in common: frozen, strict, documented, bounded by its types."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, GetJsonSchemaHandler, ValidationError
from pydantic_core import CoreSchema

from workbench.errors import UserError


class LiveMarker:
    """Marks a field that may change while a run trains."""

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return handler(schema) | {"live": True}


T = TypeVar("T")
Live = Annotated[T, LiveMarker()]


class Config(BaseModel):
    """Base of all configurations. The help of a field is the docstring under it."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True, protected_namespaces=())

    origins: ClassVar[Mapping[str, str]] = {}  # field -> where its default comes from; `origins_of` adds what the bases say

    @classmethod
    def origins_of(cls) -> dict[str, str]:
        """Where the default of every field comes from: a class over its bases."""
        found: dict[str, str] = {}
        for base in reversed(cls.__mro__):
            found |= vars(base).get("origins", {})
        return found

    @classmethod
    def parse(cls, values: dict[str, Any], where: str) -> Self:
        """Validate `values`; raises UserError that names `where`, the key path, and what was expected."""
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise UserError(explain(error, where, cls)) from None

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON-compatible values, every default spelled out."""
        return self.model_dump(mode="json")


def explain(error: ValidationError, where: str, cls: type[BaseModel]) -> str:
    """One sentence for the first mistake in a configuration."""
    first = error.errors(include_url=False)[0]
    path = ".".join(str(part) for part in first["loc"]) or "(top level)"
    more = f" ({error.error_count() - 1} more)" if error.error_count() > 1 else ""
    if first["type"] == "extra_forbidden":
        known = ", ".join(fields_at(cls, first["loc"][:-1]))
        return f"{where}: unknown key {path}; the keys here are {known}; remove or rename it{more}"
    given = str(first.get("input"))[:80]
    return f"{where}: {path}: {first['msg'].rstrip('.')}, got {given!r}; correct this value{more}"


def fields_at(cls: type[BaseModel], path: tuple[int | str, ...]) -> list[str]:
    """Field names of the model reached by following `path`, or of `cls` where the path leaves typed models."""
    here: type[BaseModel] = cls
    for part in path:
        field = here.model_fields.get(str(part))
        inner = field.annotation if field else None
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            here = inner
    return sorted(here.model_fields)


def read_yaml(path: Path) -> dict[str, Any]:
    """A YAML mapping, by the safe loader; raises UserError that names the file."""
    try:
        values = yaml.safe_load(path.read_text())
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; give the path of an existing YAML file") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: not readable as YAML ({str(error).splitlines()[0]}); correct the file") from None
    if not isinstance(values, dict):
        raise UserError(f"{path}: expected a mapping of keys to values, found {type(values).__name__}; see training/recipes for examples")
    return values
