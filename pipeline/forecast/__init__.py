"""Day-ahead and intraday forecasts of series and envelopes of vehicle fleets, from what was known at the issue time only."""
