"""Which finding a person should read first: by severity, then by what it does to customers and plant, then by how far it goes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

SEVERITIES = ("failed", "warning", "info")

# Somebody goes without, then plant beyond its limits, then a decision that was not the best, then doubt about the data.
CONSEQUENCE = (
    "unbalanced", "room_left", "slack_used", "voltage_limit", "ac_voltage_limit", "ac_loading", "ac_converged", "ev_unserved", "cycle",
    "fallback", "time_limit", "gap_left", "simultaneous_charging", "set_point", "late_issue", "given_forecast", "stale_data", "idle_fleet",
    "short_history", "ev_unserved_fleet",
)


def worst_first(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Rows of `findings` in the order in which a person should read them."""
    return sorted((dict(row) for row in rows), key=_rank)


def _rank(row: Mapping[str, Any]) -> tuple[int, int, float, str, str]:
    check = row["check"]
    consequence = CONSEQUENCE.index(check) if check in CONSEQUENCE else len(CONSEQUENCE)
    return SEVERITIES.index(row["severity"]), consequence, -_beyond(row), check, row["place"]


def _beyond(row: Mapping[str, Any]) -> float:
    """How far beyond its limit, as a share of it; the amount itself where the limit is zero or absent."""
    value, limit = row["value"], row["limit"]
    if value is None:
        return 0.0
    if not limit:
        return abs(float(value))
    return abs(float(value) - float(limit)) / abs(float(limit))
