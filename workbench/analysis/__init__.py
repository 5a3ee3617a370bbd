"""What is asked of features and runs: arrays in, frozen results out. One question a file, no torch."""
