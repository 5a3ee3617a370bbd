"""Which runs and methods can do what a page needs, and the sentence for those that cannot.  (no torch)"""

from pathlib import Path

from workbench.errors import UserError
from workbench.run import Run, list_runs

SHOWN = 4


def able(root: Path, capability: str) -> list[dict[str, str]]:
    """Name, method and identifier of the runs of a folder with a capability, newest first."""
    return [
        {"id": status["id"], "name": str(status.get("name") or status["id"]), "method": str(status.get("method") or "")}
        for status in list_runs(root)
        if capability in (status.get("capabilities") or [])
    ]


def need(run: Run, capability: str, what: str) -> None:
    """Raises UserError where a run's method lacks a capability; it names the runs beside it that have it."""
    status = run.status
    if capability in (status.get("capabilities") or []):
        return
    if not status.get("capabilities"):
        raise UserError(f"{run.id}: what its method can do is not known yet; wait for its first step")
    others = able(run.path.parent, capability)
    methods = ", ".join(dict.fromkeys(each["method"] for each in others))
    runs = ", ".join(each["id"] for each in others[:SHOWN])
    there = f"runs here that have it: {runs} ({methods})" if others else "no run here has it; train a method such as clip or mflag"
    raise UserError(f"{run.id}: method {status.get('method')} lacks what {what} need ({capability}); {there}")
