"""The thorax simulator: everything is a pure function of (GENERATOR_VERSION, seed, index). All of it is simulated."""

GENERATOR_VERSION = 3
FINDINGS = ("cardiomegaly", "effusion", "pneumothorax", "consolidation", "nodule", "support device")
SIDES = ("right", "left")
MASKS = ("right lung", "left lung", "heart", "effusion", "pneumothorax", "consolidation", "nodule", "support device")
