"""The towers of a run at a look, and the zero-shot score that its prompts give as the gap closes. Needs torch."""

from collections.abc import Callable
from typing import Any

import numpy as np

from workbench import prompt_bank, prompts
from workbench.analysis import towers
from workbench.dataset import Dataset
from workbench.embeddings import Embeddings
from workbench.errors import UserError
from workbench.features import of_look
from workbench.run import Run


def of_run(
    run: Run,
    step: int,
    dataset: Dataset,
    method: Callable[[], Any],
    progress: Callable[[float, str], None] = lambda share, message: None,
) -> towers.Towers:
    """Towers of the look at `step`; zero-shot where the data set has prompts and the run a snapshot of that step, which `method` then loads."""
    loaded: list[Any] = []

    def model() -> Any:
        if not loaded:
            loaded.append(method())
        return loaded[0]

    kept = step in run.steps_of("snapshots")
    both = {towers.IMAGE, towers.TEXT} <= set(run.geometry(step))
    pair = computed(run, step, dataset, model()) if kept and not both else towers.stored(run, step)
    try:
        bank = prompt_bank.own(dataset, run.id)
    except UserError as error:
        return towers.of_run(run, pair, dataset, why=str(error), progress=progress)
    if not kept:
        return towers.of_run(run, pair, dataset, why=f"no snapshot of step {step} to read prompts with", progress=progress)
    progress(0.1, "reading the prompts")
    texts = prompt_bank.texts(bank)
    vector = dict(zip(texts, prompts.vectors(model(), texts)))
    sides = [[np.stack([vector[text] for text in own[side]]) for own in bank.values()] for side in prompt_bank.SIDES]
    columns = [list(dataset.label_names).index(name) for name in bank]
    return towers.of_run(run, pair, dataset, (sides[0], sides[1]), columns, prompts.temperature(model()), progress=progress)


def computed(run: Run, step: int, dataset: Dataset, method: Any) -> tuple[Embeddings, Embeddings]:
    """Both towers at the studies of the look, where it stored one of them or none; raises UserError for a method without two."""
    missing = {towers.IMAGE, towers.TEXT} - set(method.features)
    if missing:
        raise UserError(f"{run.id}: its method has no {' and no '.join(sorted(missing))}: no space that images and reports share")
    found = of_look(run, step, dataset, method, [towers.IMAGE, towers.TEXT])
    return found[towers.IMAGE], found[towers.TEXT]
