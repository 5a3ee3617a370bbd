"""One file, one method, one name."""
