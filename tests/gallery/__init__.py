"""One healthy and one broken example of every diagnostic, and what fools it; `python -m tests.full gallery` makes docs/gallery.md of them."""

from tests.gallery import groups, isotropy, pairs, ranks, scale
from tests.gallery.entry import Entry


def every() -> list[Entry]:
    """The examples of all diagnostics, in the order of the page."""
    return [entry for part in (ranks, scale, isotropy, groups, pairs) for entry in part.entries()]
