"""How numbers, times and run states are said on a page."""

import math
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from app.state import escape

THIN = "\u2009"
STATES = ("running", "starting", "queued", "finished", "stopped", "failed", "stale", "imported", "damaged")


def number(value: float | None, digits: int = 3) -> str:
    """Three significant digits; thousands with thin spaces; a dash where there is no number."""
    if value is None or not math.isfinite(value):
        return "–"
    if abs(value) >= 1000:
        return f"{value:,.0f}".replace(",", THIN)
    return f"{value:.{digits}g}" if value == 0 or abs(value) >= 1e-3 else f"{value:.1e}"


def share(value: float | None) -> str:
    """A number between 0 and 1 as `.735`."""
    return "–" if value is None or not math.isfinite(value) else f"{value:.3f}".removeprefix("0")


def duration(seconds: float | None) -> str:
    """`3 min 20 s`, `2 h 5 min`, `4 d 3 h`; a dash where unknown."""
    if seconds is None or not math.isfinite(seconds) or seconds < 0:
        return "–"
    for unit, small, size, per in (("d", "h", 86400, 24), ("h", "min", 3600, 60), ("min", "s", 60, 60)):
        if seconds >= size:
            whole, rest = divmod(round(seconds / (size / per)), per)
            return f"{whole} {unit} {rest} {small}" if rest else f"{whole} {unit}"
    return f"{seconds:.0f} s" if seconds >= 1 else f"{seconds * 1000:.0f} ms"


def clock(moment: float) -> str:
    """Local time of day; with the date where it is not today."""
    local = time.localtime(moment)
    today = time.localtime()[:3] == local[:3]
    return time.strftime("%H:%M:%S" if today else "%Y-%m-%d %H:%M", local)


def count(states: Iterable[str]) -> str:
    """`12 runs: 2 running, 10 finished`."""
    found = Counter(states)
    total = sum(found.values())
    return f"{total} run{'s' * (total != 1)}: " + ", ".join(f"{found[name]} {name}" for name in STATES if found[name])


def headline(status: Mapping[str, Any], label: str) -> str:
    """One sentence of Markdown on where a run stands, with its error where it has one."""
    step, steps = status.get("step", 0), status.get("steps", 0)
    at = f"step {number(step, 12)} of {number(steps, 12)}"
    said = {
        "running": f"trains, {at}",
        "starting": "is starting",
        "queued": "waits for a free device",
        "finished": f"finished its {number(steps, 12)} steps",
        "stopped": f"was stopped at {at}",
        "failed": f"failed at {at}",
        "stale": f"says it runs, but nothing does: its process ended without a word at {at}. Resume it from its last checkpoint",
    }.get(status["state"], f"is {status['state']}")
    error = f" {escape(status['error'])}" if status.get("error") and status["state"] == "failed" else ""
    return f"**{escape(label)}** {said}.{error}"


def size(count_of_bytes: float) -> str:
    """`12 MB`, in powers of 1000."""
    units = ["B", "kB", "MB", "GB", "TB"]
    while count_of_bytes >= 999.5 and len(units) > 1:
        count_of_bytes /= 1000
        units.pop(0)
    return f"{count_of_bytes:.3g} {units[0]}"


def pace(status: Mapping[str, Any], rate: float | None) -> str:
    """Share done, steps a second, and how long it still takes."""
    done = status.get("step", 0) / status["steps"] if status.get("steps") else 0.0
    parts = [f"{done:.0%}"]
    if rate:
        left = (status.get("steps", 0) - status.get("step", 0)) / rate
        parts += [f"{number(rate)} steps/s", f"about {duration(left)} left"]
    return " · ".join(parts)
