"""Who writes a report and in which words: a style, the templates, and the slots of a noun."""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import yaml

from workbench.phantom.report import FOLDER, amount_of, density_of, grade_of, millimetres_of
from workbench.phantom.thorax.latents import Finding, Study

ALTERNATIVES = re.compile(r"\(([^()]*\|[^()]*)\)")
SLOT = re.compile(r"\{(\w+)\}")


class Author(NamedTuple):
    """Who writes about which film, and the draws it takes."""

    study: Study
    style: str
    draw: np.random.Generator

    def chance(self, of: float) -> bool:
        return bool(self.draw.random() < of)

    def pick(self, options: Sequence[Any]) -> Any:
        return options[int(self.draw.integers(len(options)))]

    def own(self, table: Mapping[str, Any]) -> Any:
        """One of the options of the author's style."""
        return self.pick(table.get(self.style) or table["all"])


@cache
def phrases() -> dict[str, Any]:
    """The templates, with their marks."""
    return yaml.safe_load((FOLDER / "styles.yaml").read_text())


def filled(author: Author, template: str, values: Mapping[str, str | Callable[[], str]]) -> str:
    """A template with its alternatives chosen and its slots filled."""
    while found := ALTERNATIVES.search(template):
        template = f"{template[: found.start()]}{author.pick(found[1].split('|'))}{template[found.end() :]}"

    def value(slot: re.Match[str]) -> str:
        if slot[1] == "prior":
            return str(author.pick(phrases()["words"]["prior"]))
        own = values[slot[1]]
        return own if isinstance(own, str) else own()

    return SLOT.sub(value, template)


def slots(author: Author, found: Sequence[Finding]) -> dict[str, str | Callable[[], str]]:
    """Words for the slots of a noun, marked as attributes."""
    words, short = phrases()["words"], author.style == "telegram"
    worst = max(found, key=lambda finding: finding.severity)
    zone = worst.zone

    def side() -> str:
        return author.pick((worst.side, worst.side[0].upper(), f"{worst.side[0].upper()}t")) if short else worst.side

    def sided() -> str:
        return f"[side:{worst.side}-sided]" if not short and author.chance(0.2) else f"[side:{side()}]"

    def region() -> str:
        lobe = words["lobe"].get(f"{worst.side} {zone}")
        if short and lobe and author.chance(0.6):
            return f"<[side:{lobe[0]}][zone:{lobe[1:]}]>"
        return f"[side:{side()}] <[zone:{author.pick(words['zone'][zone])}]>"

    def size() -> str:
        own = millimetres_of(worst)
        return f"[size:{own / 10:.1f} cm]" if author.chance(0.35) else f"[size:{own} mm]"

    return {
        "side": lambda: f"[side:{side()}]",
        "sided": sided,
        "both": lambda: f"[side:{'bilat' if short and author.chance(0.5) else 'bilateral'}]",
        "larger": lambda: f"[predominance:{worst.side}]",
        "amount": lambda: f"[amount:{author.pick(words['amount'][amount_of(worst)])}]",
        "degree": lambda: f"[degree:{author.pick(words['degree'][grade_of(worst)])}]",
        "degreely": lambda: f"[degree:{author.pick(words['degreely'][grade_of(worst)])}]",
        "density": lambda: f"[density:{author.pick(words['density'][density_of(worst)])}]",
        "grade": lambda: f"[grade:{grade_of(worst)}]",
        "region": region,
        "size": size,
        "height": lambda: f"[height:{worst.size:.1f} cm]",
        "ratio": lambda: f"[cardiothoracic ratio:{0.52 + 0.15 * worst.severity:.2f}]",
    }
