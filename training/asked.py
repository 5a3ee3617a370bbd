"""What the command line asks of a study beside its name.  (no torch)"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from workbench.errors import UserError


class Asked(NamedTuple):
    """Only some rows or arms, the first of the seeds, changed settings, and where the record is copied to."""

    only: tuple[str, ...] = ()
    seeds: int | None = None
    settings: tuple[str, ...] = ()
    results: Path | None = None

    def changed(self) -> list[str]:
        """What makes the numbers other than the study's own, as it was typed."""
        return [*([f"--seeds {self.seeds}"] if self.seeds is not None else []), *(f"--set {each}" for each in self.settings)]

    def refuse(self, name: str) -> None:
        """Raises UserError where a study that takes none of it was asked for any."""
        if self.only or self.changed():
            raise UserError(f"study {name}: is one piece; it takes no --only, --seeds or --set")

    def chosen(self, known: Sequence[str], name: str) -> list[str]:
        """The rows or arms to be run, all where none is named; raises UserError for one there is not."""
        wrong = [each for each in self.only if each not in known]
        if wrong:
            raise UserError(f"study {name}: --only {wrong[0]}: there are {', '.join(known)}")
        return [each for each in known if not self.only or each in self.only]

    def first_seeds(self, seeds: Sequence[int], name: str) -> list[int]:
        """The seeds to be trained; raises UserError for more than there are, or none."""
        if self.seeds is not None and not 1 <= self.seeds <= len(seeds):
            raise UserError(f"study {name}: --seeds {self.seeds}: it has {len(seeds)}; give a number from 1 to {len(seeds)}")
        return list(seeds)[: self.seeds]


ALL = Asked()
