"""A run's progress in a notebook: one line, one card, and a view that renews itself until the run ends.  (no torch)"""

import html
import time
from collections.abc import Callable, Mapping
from typing import Any

from workbench.run import Run

GOING = ("queued", "starting", "running")


def line(status: Mapping[str, Any]) -> str:
    """`running, step 40 of 150`, with the error where there is one."""
    said = f"{status['state']}, step {status.get('step', 0)} of {status.get('steps', '?')}"
    left = status.get("eta_seconds")
    if status["state"] == "running" and left:
        said += f", {left:.0f} s left"
    return said + (f": {status['error']}" if status.get("error") else "")


def card(name: str, status: Mapping[str, Any]) -> str:
    """The same as HTML with a bar; every word from the run is escaped."""
    share = 100 * min(1.0, status.get("step", 0) / max(1, status.get("steps") or 1))
    told = [f"{key} {value}" for key in ("method", "seed") if (value := status.get(key)) is not None]
    told += [f"{key} {value:.4g}" for key, value in status.get("metrics", {}).items() if isinstance(value, int | float)]
    bar = f'<div style="height:4px;background:#8884;max-width:32em"><div style="height:4px;width:{share:.1f}%;background:#0B6E75"></div></div>'
    said = html.escape(f"{line(status)} · {' · '.join(told[:6])}")
    return f"<div><b>{html.escape(str(status.get('name') or name))}</b> <code>{html.escape(name)}</code><br>{said}{bar}</div>"


def watch(run: Run, every: float, figure: Callable[[], Any]) -> None:
    """Renew card and figure until the run has ended; outside IPython a printed line each time."""
    try:
        from IPython import get_ipython
        from IPython.display import HTML, display
    except ImportError:
        shown = None
    else:
        shown = get_ipython()
    handles: list[Any] = []
    while True:
        status = run.status
        if shown is None:
            print(line(status), flush=True)
        else:
            drawn = figure()
            parts = [HTML(card(run.id, status)), *([drawn] if drawn is not None else [])]
            for place, part in enumerate(parts):
                if place < len(handles):
                    handles[place].update(part)
                else:
                    handles.append(display(part, display_id=True))
        if status["state"] not in GOING:
            return
        time.sleep(every)
