"""Draws from a forecast, reduced to a few weighted representatives, with measures of how well they stand for the rest."""
