"""A run's latent space in words and numbers, for the terminal."""

from typing import Any

from workbench.errors import UserError
from workbench.run import Run

COLUMNS = ("participation_ratio", "effective_rank", "uncentred_rank", "feature_std", "offset")


def spectra_document(run: Run, step: int | None = None) -> dict[str, Any]:
    """Geometry and probe of one look, with the untrained network, pixels and metadata as references."""
    looks = run.looks()
    if not looks:
        raise UserError(f"{run.id}: no looks yet; wait for the first, or set monitors.studies above 0")
    chosen = looks[-1] if step is None else step
    if chosen not in looks:
        raise UserError(f"{run.id}: no look at step {chosen}; there are {looks}")
    return {
        "run": run.id,
        "step": chosen,
        "geometry": run.geometry(chosen),
        "untrained": run.geometry(looks[0]) if looks[0] == 0 else {},
        "probe": run.probe(chosen),
        "probe_untrained": run.probe(0) if looks[0] == 0 else {},
        "references": run.references(),
    }


def interval(value: dict[str, Any] | None) -> str:
    if value is None or value.get("value") is None:
        return "-"
    head = f"{value['value']:.3g}"
    return head if value.get("low") is None else f"{head} [{value['low']:.3g}, {value['high']:.3g}]"


def spectra_text(document: dict[str, Any]) -> str:
    """The document as a table per feature."""
    lines = [f"{document['run']}, step {document['step']}"]
    for feature, geometry in document["geometry"].items():
        lines.append(
            f"\n{feature}: {geometry['n']} studies, {geometry['d']} dimensions"
            + ("" if geometry["n"] >= 4 * geometry["d"] else " (N < 4 d: ranks are limited by N, compare with the ceiling only)")
        )
        before = document["untrained"].get(feature, {})
        lines.append(f"  {'statistic':<22}{'value [95 %]':<28}{'untrained':<12}isotropic ceiling")
        for name in COLUMNS:
            found = geometry[name]
            ceiling = found.get("ceiling")
            untrained = f"{before[name]['value']:.3g}" if name in before else "-"
            lines.append(
                f"  {name.replace('_', ' '):<22}{interval(found):<28}{untrained:<12}{'-' if ceiling is None else f'{ceiling:.3g}'}"
            )
        spectrum = geometry["spectrum"]
        shown = [place for place in (0, 1, 3, 7, 15, 31, 63, 127) if place < len(spectrum)]
        top = spectrum[0] or 1.0
        lines.append("  singular values / first  " + "  ".join(f"{place + 1}: {spectrum[place] / top:.2g}" for place in shown))
        if feature in document["probe"]:
            reads = document["probe"][feature]["macro_auroc"]
            start = document["probe_untrained"].get(feature, {}).get("macro_auroc")
            lines.append(f"  probe, macro AUROC {interval(reads)}; untrained {interval(start)}")
    references = document["references"]
    floors = [f"{name} {interval(references[name]['macro_auroc'])}" for name in ("pixels", "metadata", "source") if name in references]
    return "\n".join([*lines, "", "floors: " + ", ".join([*floors, "chance .5"])])
