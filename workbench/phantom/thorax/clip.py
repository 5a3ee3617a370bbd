"""One patient breathing while the heart beats: films of the same solids at the phases of a breath."""

import numpy as np

from workbench.phantom.thorax.film import display, expose, log_exposure
from workbench.phantom.thorax.latents import Study

BREATH, RATE, BEAT = 0.3, 4.0, 0.02  # depth of a breath, beats in a breath, log of the heart's scale at a beat


def at_phase(study: Study, phase: float) -> Study:
    """The study at a share of one breath, which starts and ends breathed out."""
    breath = BREATH * (0.5 - 0.5 * np.cos(2 * np.pi * phase))
    patient = study.patient._replace(heart=study.patient.heart + float(BEAT * np.sin(2 * np.pi * RATE * phase)))
    return study._replace(inspiration=float(study.inspiration - BREATH / 2 + breath), patient=patient)


def clip(study: Study, frames: int, size: int = 128) -> np.ndarray:
    """One breath (t, h, w) uint8; all frames are shown with the window of the first."""
    densities = [expose(study, log_exposure(at_phase(study, frame / frames), size)[0], frame) for frame in range(frames)]
    return np.stack([display(study, density, densities[0]) for density in densities])
