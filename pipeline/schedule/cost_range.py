"""The costs that a schedule was decided with, scenario by scenario, and whether the settled one lies among them."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.program.linear_program import Floats
from pipeline.schedule.findings import Finding

LOWEST, HIGHEST = "scenario_cost_lowest", "scenario_cost_highest"
MARGIN_SHARE = 0.01  # so far beyond an end is still inside: a day-ahead step of an hour prices its quarter-hours alike
ABOVE_EXPECTED = 0.3  # of the expected cost: so much more is said, whatever was foreseen


def scenario_range(costs: Floats, *, currency: str) -> dict[str, tuple[str, float]]:
    """The lowest and highest cost of the scenarios, costs (S, terms), as figures; none where the schedule knew one forecast only."""
    if len(costs) < 2:
        return {}
    each = costs.sum(axis=1)
    return {LOWEST: (currency, float(each.min())), HIGHEST: (currency, float(each.max()))}


def cost_findings(settled: float, expected: float, figures: Mapping[str, float | None], *, currency: str) -> tuple[Finding, ...]:
    """What to say of a settled day's cost beside its schedule's: a warning outside the range of the scenarios.

    figures: the schedule's own. Of one forecast there is no range: then a cost `ABOVE_EXPECTED` above the expected one is the
    warning; inside a range that is for information.
    """
    low, high = figures.get(LOWEST), figures.get(HIGHEST)
    said = f"the day cost {settled:,.2f} {currency}, {_against(settled, expected, currency)}"
    limit = expected + ABOVE_EXPECTED * abs(expected)
    if low is None or high is None:
        words = f"{said}; the schedule was made for one forecast, which has no range of costs"
        return (_finding("warning", words, settled, limit),) if settled > limit else ()
    span = f"its scenarios from {low:,.2f} to {high:,.2f} {currency}"
    margin = MARGIN_SHARE * max(abs(low), abs(high))
    if low - margin <= settled <= high + margin:
        return (_finding("info", f"{said}, inside the range of {span}", settled, limit),) if settled > limit else ()
    side, end = ("above", high) if settled > high else ("below", low)
    return (_finding("warning", f"{said}, {side} the range of {span}", settled, end),)


def _against(settled: float, expected: float, currency: str) -> str:
    """How far a cost is from the expected one, in words; a share of next to nothing says nothing."""
    share = f" ({100 * (settled - expected) / abs(expected):+.0f} %)" if abs(settled - expected) < 10 * abs(expected) else ""
    return f"{expected:,.2f} {currency} expected{share}"


def _finding(severity: str, words: str, settled: float, limit: float) -> Finding:
    return Finding("real_time", "warning" if severity == "warning" else "info", "cost_range", "settlement", words, settled, limit)
