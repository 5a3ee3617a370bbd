"""Numbers computed once, elsewhere, in float64: the losses must still give them."""
