"""Suites: what a run is worth by a protocol of its own; one file a suite, found by its name. Need torch."""
