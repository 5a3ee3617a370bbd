"""Networks shared by two or more methods."""
