"""Treatments of uncertainty: algebra on a `LinearProgram`, its columns and weights; no device is known here."""
