"""What solids are made of: attenuation per cm at the two energies of the beam, and what a CT shows.

Soft tissue (as muscle), fat and cortical bone: mass attenuation at 60 and 100 keV times density after Hubbell and Seltzer, NISTIR 5632, 1995,
rounded. Marrow, the lung's density and the shares of the two energies are our choice.
"""

import numpy as np

ENERGIES = (60, 100)  # keV
SHARES = (0.6, 0.4)  # of the photons: a stand-in for a filtered beam
WATER = np.array([0.206, 0.171])
AIR = np.array([0.0, 0.0])
SOFT = np.array([0.214, 0.177])
FAT = np.array([0.188, 0.160])
BONE = np.array([0.604, 0.356])
MARROW = 0.8 * SOFT + 0.2 * BONE
DEVICE = np.array([2.4, 1.3])  # added to what it lies in: a tube with a contrast line is mostly plastic
LUNG = 0.22  # density of aerated lung, of soft tissue


def hounsfield(attenuation: np.ndarray) -> np.ndarray:
    """CT numbers of attenuation per cm at the first energy: water 0, air -1000."""
    return 1000 * (attenuation / WATER[0] - 1)
