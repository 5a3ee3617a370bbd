"""What puts a study into a set: drawn around on a map, filtered, near another, listed, or a combination of these; as plain JSON too.  (no torch)"""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, FiniteFloat, TypeAdapter, ValidationError

from workbench.config import Config, explain
from workbench.errors import UserError

Identifier = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._+-]{0,240}$")]
Method = Literal["pca", "umap", "tsne", "aligned_umap"]
Corner = tuple[FiniteFloat, FiniteFloat]
OPS = {">=": "at least", "<=": "at most", "=": "is", "==": "is", "contains": "says"}
MAPS = {"pca": "PCA", "umap": "UMAP", "tsne": "t-SNE", "aligned_umap": "aligned UMAP"}
MOST = 10_000  # neighbours


def as_rings(polygon: Any) -> Any:
    """One ring as a list of rings; arrays as lists."""
    given = polygon.tolist() if hasattr(polygon, "tolist") else polygon
    try:
        return [given] if isinstance(given[0][0], int | float) else given
    except (TypeError, IndexError, KeyError):
        return given


class Lasso(Config):
    """Inside a polygon, even-odd over its rings, on the map of a run's feature at a step."""

    kind: Literal["lasso"] = "lasso"
    run: Identifier
    feature: Identifier
    step: Annotated[int, Field(ge=0)]
    polygon: Annotated[tuple[tuple[Corner, ...], ...], BeforeValidator(as_rings), Field(min_length=1, max_length=64)]
    method: Method = "pca"
    seed: Annotated[int, Field(ge=0)] = 0
    like: int | None = None
    """Of a PCA: the look whose axes this map's agree with, so that a lasso means the same when more looks have come."""


class Where(Config):
    """A column that is, is at least or at most, or a report that says something."""

    kind: Literal["where"] = "where"
    column: Annotated[str, Field(min_length=1, max_length=200)]
    op: Annotated[Literal["is", "at least", "at most", "says", "says not"], BeforeValidator(lambda op: OPS.get(op, op))] = "is"
    value: FiniteFloat | str | tuple[str, ...]

    @property
    def values(self) -> tuple[str, ...]:
        """What a column of words may be."""
        return self.value if isinstance(self.value, tuple) else (str(self.value),)


class Near(Config):
    """A study, or an uploaded image, and the `k` studies whose stored features point most nearly the same way."""

    kind: Literal["near"] = "near"
    run: Identifier
    feature: Identifier
    step: Annotated[int, Field(ge=0)]
    key: Annotated[str, Field(max_length=500)] = ""
    upload: Annotated[str, Field(pattern=r"^([0-9a-f]{20})?$")] = ""
    k: Annotated[int, Field(ge=1, le=MOST)] = 20


class Text(Config):
    """The `k` studies whose stored features point most nearly as these words do."""

    kind: Literal["text"] = "text"
    run: Identifier
    feature: Identifier
    step: Annotated[int, Field(ge=0)]
    words: Annotated[str, Field(min_length=1, max_length=1000)]
    k: Annotated[int, Field(ge=1, le=MOST)] = 20


class Listed(Config):
    """These studies."""

    kind: Literal["listed"] = "listed"
    keys: tuple[str, ...]


class Both(Config):
    """In all of several sets."""

    kind: Literal["and"] = "and"
    parts: Annotated[tuple["Criterion", ...], Field(min_length=1, max_length=64)]


class Either(Config):
    """In one of several sets at least."""

    kind: Literal["or"] = "or"
    parts: Annotated[tuple["Criterion", ...], Field(min_length=1, max_length=64)]


class Minus(Config):
    """In the first of several sets and in none of the others."""

    kind: Literal["minus"] = "minus"
    parts: Annotated[tuple["Criterion", ...], Field(min_length=2, max_length=64)]


Criterion = Annotated[Lasso | Where | Near | Text | Listed | Both | Either | Minus, Field(discriminator="kind")]
COMBINED = (Both, Either, Minus)
for _combined in COMBINED:
    _combined.model_rebuild()
READER: TypeAdapter[Any] = TypeAdapter(Criterion)


def read(values: Any, where: str) -> Any:
    """A criterion from plain values; raises UserError that names `where` and the first mistake."""
    try:
        return READER.validate_python(values)
    except ValidationError as error:
        raise UserError(explain(error, where, Config)) from None


def leaves(criterion: Any) -> list[Any]:
    """The criteria a combination is made of."""
    return [each for part in criterion.parts for each in leaves(part)] if isinstance(criterion, COMBINED) else [criterion]


def told(criterion: Any) -> str:
    """A criterion in words."""
    match criterion:
        case Lasso():
            corners = sum(map(len, criterion.polygon))
            return f"inside a lasso of {corners} corners on the {MAPS[criterion.method]} of {criterion.feature} at step {criterion.step}"
        case Where(op="is"):
            return f"{criterion.column} is {' or '.join(criterion.values)}"
        case Where():
            value = f"{criterion.value:g}" if isinstance(criterion.value, float) else f"“{criterion.value}”"
            return f"{criterion.column} {criterion.op.replace('says not', 'does not say')} {value}"
        case Near():
            return f"{criterion.key or 'an uploaded image'} and its {criterion.k} nearest in {criterion.feature} at step {criterion.step}"
        case Text():
            return f"the {criterion.k} nearest to “{criterion.words}” in {criterion.feature} at step {criterion.step}"
        case Listed():
            return f"{len(criterion.keys)} listed studies"
        case _:
            word = {"and": " and ", "or": " or ", "minus": " but not "}[criterion.kind]
            return word.join(f"({told(part)})" if isinstance(part, COMBINED) else told(part) for part in criterion.parts)
