"""What is fixed before training: a study's arms and measures, a table of claims. YAML in, checked objects out; everything named must exist."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from training import recipe as recipes
from training.measures import check_measure
from training.setup import resolve
from workbench import registry
from workbench.config import Config, read_yaml
from workbench.errors import UserError
from workbench.run import RunConfig

Settings = dict[str, Any]
Seeds = Annotated[tuple[Annotated[int, Field(ge=0)], ...], Field(min_length=1)]
CLAIMS = Path(__file__).parents[1] / "docs/claims.yaml"
MOST_ROWS = 12


class Plan(Config):
    """A study: arms of one recipe over equal seeds, each against the control."""

    question: Annotated[str, Field(min_length=1)]
    """What the study asks, one line."""
    recipe: str
    """Recipe that every arm changes."""
    settings: Settings = {}
    """Key paths and values laid over the recipe in every arm."""
    seeds: Seeds = (0, 1, 2)
    """Training seeds, the same for every arm."""
    control: str
    """The arm that the others are compared with."""
    arms: Annotated[dict[str, Settings], Field(min_length=2)]
    """Arm -> key paths and values that make it."""
    measures: Annotated[tuple[str, ...], Field(min_length=1)]
    """What is measured of every run."""


class Control(Config):
    """A method as it is without the terms that claims are about."""

    recipe: str
    """Recipe it starts from."""
    settings: Settings = {}
    """Key paths and values laid over it."""


class Claim(Config):
    """One row: a term, what it is for, and what that is to be good for."""

    name: str
    """Unique name of the row."""
    method: str
    """Method, one of `controls`."""
    term: Annotated[str, Field(min_length=1)]
    """The term in words."""
    settings: Annotated[Settings, Field(min_length=1)]
    """Key paths `method.…` and values that add it to the control."""
    mechanism: str
    """Measure of whether it does what it is for."""
    outcome: str
    """Measure of whether that helps."""
    trials: Annotated[int, Field(ge=1)] = 1
    """Settings of this row that were tried before this one."""


class Claims(Config):
    """The table: written before training, at most twelve rows, one control a method."""

    seeds: Seeds = (0, 1, 2, 3, 4)
    """Training seeds, the same for every row and control."""
    seconds: Annotated[float, Field(gt=0, le=120)] = 120
    """Most wall seconds that a run may train."""
    tuning: Annotated[int, Field(ge=1)] = 240
    """Steps of fine-tuning for questions, where a row's outcome asks for it."""
    settings: Settings = {}
    """Key paths and values laid over every recipe: looks and validations are left out."""
    controls: dict[str, Control]
    """Method -> its control."""
    rows: Annotated[tuple[Claim, ...], Field(min_length=1, max_length=MOST_ROWS)]
    """The claims."""

    def configured(self, method: str, added: Mapping[str, Any], more: tuple[str, ...] = ()) -> RunConfig:
        """The control of a method with settings added; `more` are those of the command line."""
        control = self.controls[method]
        given = recipes.spelled({**self.settings, **control.settings, **added})
        return recipes.read(control.recipe, [*given, *more])


def checked(config: RunConfig, where: str) -> RunConfig:
    """A run's configuration whose method and data are checked too; raises UserError."""
    return resolve(config, where)


def read_plan(path: Path) -> Plan:
    """A study file, every arm and measure checked; raises UserError."""
    plan = Plan.parse(read_yaml(path), path.name)
    if plan.control not in plan.arms:
        raise UserError(f"{path.name}: control: no arm {plan.control!r}; the arms are {', '.join(plan.arms)}")
    for name in plan.arms:
        config = checked(arm_config(plan, name), f"{path.name}: arms.{name}")
        for measure in plan.measures:
            check_measure(measure, config.method["name"], f"{path.name}: measures")
    return plan


def arm_config(plan: Plan, name: str, more: tuple[str, ...] = ()) -> RunConfig:
    """The configuration of an arm; `more` are settings of the command line."""
    return recipes.read(plan.recipe, [*recipes.spelled({**plan.settings, **plan.arms[name]}), *more])


def read_claims(path: Path = CLAIMS) -> Claims:
    """The table of claims, every method, field and measure checked; raises UserError that names the row and what is allowed."""
    claims = Claims.parse(read_yaml(path), path.name)
    for method in claims.controls:
        if method not in registry.names("methods"):
            raise UserError(f"{path.name}: controls: no method {method!r}; the methods are {', '.join(registry.names('methods'))}")
        own = checked(claims.configured(method, {}), f"{path.name}: controls.{method}").method["name"]
        if own != method:
            raise UserError(
                f"{path.name}: controls.{method}: recipe {claims.controls[method].recipe} trains {own}; name a recipe of {method}"
            )
    names = [row.name for row in claims.rows]
    for row in claims.rows:
        where = f"{path.name}: row {row.name}"
        if names.count(row.name) > 1:
            raise UserError(f"{where}: there are two of this name; rename one")
        if row.method not in claims.controls:
            raise UserError(f"{where}: method {row.method!r} has no control; those with one are {', '.join(claims.controls)}")
        outside = [key for key in row.settings if not key.startswith("method.") or key == "method.name"]
        if outside:
            raise UserError(f"{where}: {outside[0]} is not the method's; a row changes `method.…` only, else it has another control")
        if checked(claims.configured(row.method, row.settings), where) == checked(claims.configured(row.method, {}), where):
            raise UserError(f"{where}: its settings are those of the control; change one")
        kinds: tuple[Literal["mechanism"], Literal["outcome"]] = ("mechanism", "outcome")
        for kind in kinds:
            check_measure(getattr(row, kind), row.method, f"{where}: {kind}", kind)
    return claims
