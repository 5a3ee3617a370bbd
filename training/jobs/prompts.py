"""Prompts in the shared space of a run's method at a snapshot: the text tower alone. Needs torch."""

import numpy as np

from training.bench import Task
from workbench import prompt_bank
from workbench.capable import need
from workbench.errors import UserError
from workbench.run import write_json

VERSION = 1
MOST = 5000  # texts of one job


def compute(task: Task) -> None:
    """Write vectors.npy (t, d) in the order of the parameter `texts`, and read.json: temperature and how much of each text is read."""
    from workbench import prompts

    need(task.run, "Projects", "prompts")
    given = task.parameters.get("texts")
    if not isinstance(given, list) or not 0 < len(given) <= MOST:
        raise UserError(f"{task.run.id}: texts: expected a list of 1 to {MOST:,} prompts")
    texts = [prompt_bank.prompt(text, f"prompt {place + 1}") for place, text in enumerate(given)]
    task.progress(0.1, "loading the method")
    method = task.method(task.parameters.get("step", "last"))
    task.progress(0.6, f"reading {len(texts)} prompts")
    np.save(task.folder / "vectors.npy", prompts.vectors(method, texts))
    reading = [each._asdict() for each in prompts.reading(method.config, texts)]
    write_json(task.folder / "read.json", {"temperature": prompts.temperature(method), "texts": texts, "reading": reading})
