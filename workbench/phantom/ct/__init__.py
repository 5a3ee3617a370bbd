"""Films of a real chest CT whose structures are labelled: warped into other patients, given findings, projected.

Every patient of this engine is a warped copy of one person: splits are by seed, not by patient. Everything is a pure function of
(GENERATOR_VERSION, scan, seed, index).
"""

GENERATOR_VERSION = 2
SIDES = ("right", "left")
FINDINGS = ("cardiomegaly", "effusion", "pneumothorax", "consolidation", "atelectasis", "oedema", "nodule", "mass")
