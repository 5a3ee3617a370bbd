"""The next simulator: one three-dimensional patient, seen by X-rays from any side and voxelised as CT. All of it is simulated.

Everything is a pure function of (GENERATOR_VERSION, seed, index). Not yet the default: nodules (.53) and rib fractures (.58) are too hard to learn at 64 pixels, all else holds (docs/results/difficulty.json).
"""

GENERATOR_VERSION = 4
SIDES = ("right", "left")
DEVICES = ("endotracheal tube", "feeding tube", "central venous line", "pacemaker")
FINDINGS = (
    "cardiomegaly",
    "effusion",
    "pneumothorax",
    "consolidation",
    "atelectasis",
    "oedema",
    "nodule",
    "mass",
    "rib fracture",
    *DEVICES,
)
MASKS = ("right lung", "left lung", "heart", *FINDINGS[1:])
