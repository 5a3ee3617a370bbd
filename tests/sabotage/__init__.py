"""Known-wrong patches: each must turn the named tests red, or those tests prove nothing."""

from typing import NamedTuple


class Sabotage(NamedTuple):
    """Replace `find` (it must occur exactly once) by `replace` in `target`; every test in `tests` must then fail."""

    target: str
    find: str
    replace: str
    tests: list[str]
    why: str
