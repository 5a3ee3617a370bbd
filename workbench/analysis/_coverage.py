"""Coverage that was measured where patients are few: the share of 95 % intervals that held the truth, from docs/results/coverage.json."""

import json
from functools import lru_cache
from pathlib import Path

RECORD = Path(__file__).parents[2] / "docs/results/coverage.json"  # made by `python -m tests.full coverage`; beside it that of `decisions`
LEAST = 0.90  # below, an interval misleads: counts only
FEW = 50  # patients (of the rarer class) below which the measured coverage is shown

Regimes = dict[str, dict[tuple[int, bool], float]]


@lru_cache(maxsize=1)
def measured() -> Regimes:
    """Procedure -> (patients of the rarer class, several images a patient) -> lowest coverage over the AUROCs simulated."""
    found: Regimes = {}
    records = [path for path in (RECORD, RECORD.with_name("coverage-decisions.json")) if path.is_file()]
    cells = {key: cell for path in records for key, cell in json.loads(path.read_text())["cells"].items()}
    for key, cell in cells.items():
        setting, kind = cell["setting"], key.split()[0]
        patients = int(setting["d"] * setting["N/d"] / setting["images"]) if kind == "spectra" else int(setting.get("positive", FEW))
        if patients < FEW:
            regime, at = found.setdefault(kind, {}), (patients, setting["images"] > 1)
            regime[at] = min([regime.get(at, 1.0), *(each["coverage"] for each in cell["statistics"].values())])
    return found


def shown(procedure: str, positive: int, negative: int, several: bool) -> tuple[str, bool]:
    """What stands beside an interval from so few patients of the rarer class, and whether it is shown at all."""
    fewer, found = min(positive, negative), measured().get(procedure, {})
    regime = max((patients for patients, images in found if images == several and patients <= fewer), default=None)
    head = f"few positives ({positive} positive, {negative} negative patients)"
    if regime is None:
        return f"{head}; coverage not measured", True
    text = f"{head}; measured coverage {f'{found[regime, several]:.3f}'.removeprefix('0')} with {regime}"
    return text, found[regime, several] >= LEAST


def of_spectra(patients: int, several: bool) -> str:
    """What stands beside the interval of a spectral statistic from so few patients; empty from `FEW` on."""
    if patients >= FEW:
        return ""
    found = measured().get("spectra", {})
    regime = max((count for count, images in found if images == several and count <= patients), default=None)
    told = (
        "coverage not measured"
        if regime is None
        else f"measured coverage {f'{found[regime, several]:.3f}'.removeprefix('0')} with {regime}"
    )
    return f"; few patients ({patients}): {told}"
