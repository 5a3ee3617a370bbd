"""The terminal's progress bar: step, loss, rate, time left."""

import sys
import time


def duration(seconds: float) -> str:
    """`3 min 20 s`, `2 h 05 min`, `45 s`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


class Progress:
    """One line that rewrites itself on a terminal; a line a minute elsewhere."""

    def __init__(self, steps: int, start: int, title: str, enabled: bool) -> None:
        self.steps, self.title, self.enabled = steps, title, enabled
        self.terminal = sys.stderr.isatty()
        self.seconds: float | None = None
        self.shown = 0.0

    def update(self, step: int, loss: float, seconds: float) -> None:
        self.seconds = seconds if self.seconds is None else 0.9 * self.seconds + 0.1 * seconds
        now = time.monotonic()
        if not self.enabled or (now - self.shown < (0.2 if self.terminal else 60) and step < self.steps):
            return
        self.shown = now
        filled = int(24 * step / self.steps)
        left = duration(self.seconds * (self.steps - step))
        text = f"{self.title}  {'━' * filled}{'─' * (24 - filled)}  {step}/{self.steps}  loss {loss:.4g}  {1 / self.seconds:.3g} steps/s  {left} left"
        sys.stderr.write(f"\r\x1b[2K{text}" if self.terminal else text + "\n")
        sys.stderr.flush()

    def close(self) -> None:
        if self.enabled and self.terminal:
            sys.stderr.write("\n")
