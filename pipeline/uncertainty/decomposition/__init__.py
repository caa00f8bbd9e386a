"""Price decomposition of two-stage programs, found from the arrays: blocks answer prices, a master combines their answers."""
