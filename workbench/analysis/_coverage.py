"""Coverage that was measured where patients are few: the share of 95 % intervals that held the truth; from docs/results/coverage.json."""

# (positive patients, several images a patient) -> lowest coverage over the AUROCs .6, .8 and .95, 500 negative patients
MEASURED: dict[str, dict[tuple[int, bool], float]] = {}
LEAST = 0.90  # below, an interval misleads: counts only


def shown(procedure: str, positive: int, negative: int, several: bool) -> tuple[str, bool]:
    """What stands beside an interval from so few patients of the rarer class, and whether it is shown at all."""
    fewer = min(positive, negative)
    found = MEASURED.get(procedure, {})
    regime = max((patients for patients, images in found if images == several and patients <= fewer), default=None)
    head = f"few positives ({positive} positive, {negative} negative patients)"
    if regime is None:
        return f"{head}; coverage not measured", True
    coverage = found[regime, several]
    text = f"{head}; measured coverage {coverage:.3f} with {regime}".replace("0.", ".", 1)
    return text, coverage >= LEAST
