"""One file per source -> observations and sessions. Units, signs and time zones are settled here and nowhere else."""
