"""Time, units, errors and identifiers. Imports nothing of ours."""
