"""Where disposable, recomputable files go."""

import os
from pathlib import Path


def cache_root() -> Path:
    """$WORKBENCH_CACHE, or the user's cache folder; safe to delete at any time while nothing runs."""
    named = os.environ.get("WORKBENCH_CACHE")
    if named:
        return Path(named).expanduser().resolve()
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "latent-geometry-workbench"
