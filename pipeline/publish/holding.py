"""Re-dispatch against holding the schedule: said the same on a terminal and on the page."""

from __future__ import annotations

SLACK_SHARE = 1e-6  # of the costs; below it they are the same


def dearer_than_holding(rolling: float | None, none: float | None, *, currency: str) -> str:
    """One sentence where re-dispatch cost more on this day than holding the day-ahead schedule would have; else empty."""
    if rolling is None or none is None or rolling - none <= SLACK_SHARE * max(1.0, abs(rolling), abs(none)):
        return ""
    return f"Re-dispatch cost more than holding the schedule on this day, by {rolling - none:,.2f} {currency}."
