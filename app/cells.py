"""The notebook cell that redraws a page: the same functions, the same runs, the same numbers."""

from app.select import Selection

LATENT_SPACE = """\
from workbench.analysis import looks
from workbench.analysis.seeds import arms
from workbench.figures import collapse, spectra
from workbench.run import Run

feature, step = {feature!r}, {step}
runs = [Run(path) for path in {paths!r}]
labels = {{run.id: arm.label for arm in arms(runs) for run in arm.runs}}
slots = {{label: place for place, label in enumerate(dict.fromkeys(labels.values()))}}
seen = {{run.id: run.looks() for run in runs}}

figures = [
    spectra.overlay(looks.overlay(runs, feature, step, labels, seen), slots),
    spectra.heat([looks.history(run, feature, labels[run.id], seen[run.id]) for run in runs], step, slots),
]
for statistic in ("participation_ratio", "feature_std", "offset", "probe"):
    found = [looks.trajectory(run, feature, statistic, labels[run.id], seen[run.id]) for run in runs]
    figures.append(collapse.panel([each for each in found if each], step, slots))
for figure in figures:
    figure.show()
"""


def latent_space(chosen: Selection) -> str:
    """For the page Latent space."""
    return LATENT_SPACE.format(feature=chosen.feature, step=chosen.step, paths=[str(run.path) for run in chosen.runs])
