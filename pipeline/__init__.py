"""feederflow: day-ahead and real-time scheduling of active distribution systems."""

__version__ = "0.1.0"
