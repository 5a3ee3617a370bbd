"""Watches a run's looks while it trains and speaks once of every collapse."""

from collections.abc import Sequence

from workbench.analysis import looks
from workbench.analysis.sentinel import Look, Verdict, sentinel
from workbench.run import Run


class Watch:
    """The looks of a run up to a step, and what was already said; a resumed run knows both from its folder."""

    def __init__(self, run: Run, step: int) -> None:
        self.run, self.seen = run, step if step else -1
        self.history: list[Look] = looks.sequence(run, self.seen)
        self.told = {(event["kind"], event["feature"]) for event in run.events() if event["event"] == "sentinel" and event["step"] <= step}

    def see(self, step: int) -> Verdict | None:
        """Judge the look just written at `step`; a verdict where it alarms of a kind and feature not spoken of before."""
        return self.judge(looks.at_step(self.run.path, step))

    def judge(self, new: Sequence[Look]) -> Verdict | None:
        self.history += new
        verdict = sentinel(self.history) if self.history else None
        if verdict is None or not verdict.alarm or (verdict.kind, verdict.feature) in self.told:
            return None
        self.told.add((verdict.kind, verdict.feature))
        return verdict
