"""The notebook cell that redraws a page: the same functions, the same runs, the same numbers."""

from app.select import Selection

LATENT_SPACE = """\
import workbench as wb

feature, step = {feature!r}, {step}
runs = wb.compare([
{paths}
])
views = [runs.spectrum(feature, step), runs.history(feature, step)]
views += [runs.trajectory(name, feature, step) for name in ("participation_ratio", "feature_std", "offset", "probe")]
for view in views:
    view.figure.show()
print(*runs.verdict(feature, step), sep="\\n")
"""


def latent_space(chosen: Selection) -> str:
    """For the page Latent space."""
    paths = "\n".join(f"    {str(run.path)!r}," for run in chosen.runs)
    return LATENT_SPACE.format(feature=chosen.feature, step=chosen.step, paths=paths)
