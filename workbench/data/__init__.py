"""One file, one data set, one name. No torch."""
