"""Which runs repeat one setting with other seeds?"""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from workbench.run import Run

FREE = ("seed", "name", "tags", "device", "threads", "workers", "trials")  # what may differ within one setting


class Arm(NamedTuple):
    """One setting and its runs, in the order given."""

    label: str
    runs: tuple[Run, ...]


def setting(config: Mapping[str, Any]) -> str:
    """A hash of everything that decides what a run does, but its seed."""
    kept = {key: value for key, value in config.items() if key not in FREE}
    return hashlib.sha256(json.dumps(kept, sort_keys=True, default=str).encode()).hexdigest()[:12]


def arms(runs: Sequence[Run]) -> tuple[Arm, ...]:
    """Runs by setting and name; settings that share a name are told apart by the end of their first run's identifier."""
    groups: dict[tuple[str, str], list[Run]] = {}
    for run in runs:
        name = run.config.get("name") or run.config.get("method", {}).get("name") or run.id
        groups.setdefault((str(name), setting(run.config)), []).append(run)
    count = Counter(name for name, _ in groups)
    return tuple(Arm(name if count[name] == 1 else f"{name} · {found[0].id[-4:]}", tuple(found)) for (name, _), found in groups.items())
