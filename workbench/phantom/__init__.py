"""The simulators: one three-dimensional patient, seen by X-rays from any side and voxelised as CT, and the reports of it. All of it is simulated.

Everything is a pure function of (GENERATOR_VERSION, seed, index).
"""

GENERATOR_VERSION = 5
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
