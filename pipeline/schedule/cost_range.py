"""The costs that a schedule was decided with, scenario by scenario, and whether the settled one lies among them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from pipeline.program.linear_program import Floats
from pipeline.schedule.findings import Finding

LOWEST, HIGHEST, DEVIATION = "scenario_cost_lowest", "scenario_cost_highest", "scenario_cost_deviation"
MARGIN_SHARE = 0.01  # so far beyond an end is still inside: a day-ahead step of an hour prices its quarter-hours alike
ABOVE_EXPECTED = 0.3  # of the expected cost: so much more is said, whatever was foreseen
DEVIATIONS = 2.0  # of the scenarios' costs, from the expected one: one day in twenty may lie beyond


def scenario_range(costs: Floats, weights: Floats, *, currency: str) -> dict[str, tuple[str, float]]:
    """The lowest and highest cost of the scenarios, costs (S, terms), and the standard deviation under their law (S,), as figures.

    None where the schedule knew one forecast only.
    """
    if len(costs) < 2:
        return {}
    each = costs.sum(axis=1)
    deviation = float(np.sqrt(weights @ (each - weights @ each) ** 2 / weights.sum()))
    return {LOWEST: (currency, float(each.min())), HIGHEST: (currency, float(each.max())), DEVIATION: (currency, deviation)}


def cost_findings(settled: float, expected: float, figures: Mapping[str, float | None], *, currency: str) -> tuple[Finding, ...]:
    """What to say of a settled day's cost beside its schedule's: outside the range of the scenarios, or far above the expected one.

    figures: the schedule's own. A few scenarios span what most days cost, not what all do: outside their range it is a warning beyond
    `DEVIATIONS` of them, or `ABOVE_EXPECTED` above the expected cost, and for information else. Of one forecast there is no range:
    `ABOVE_EXPECTED` above is the warning. Inside the range that is for information.
    """
    low, high, deviation = (figures.get(name) for name in (LOWEST, HIGHEST, DEVIATION))
    said = f"the day cost {settled:,.2f} {currency}, {_against(settled, expected, currency)}"
    limit = expected + ABOVE_EXPECTED * abs(expected)
    if low is None or high is None or deviation is None:
        words = f"{said}; the schedule was made for one forecast, which has no range of costs"
        return (_finding("warning", words, settled, limit),) if settled > limit else ()
    span = f"its scenarios from {low:,.2f} to {high:,.2f} {currency} (standard deviation {deviation:,.2f})"
    margin = MARGIN_SHARE * max(abs(low), abs(high))
    if low - margin <= settled <= high + margin:
        return (_finding("info", f"{said}, inside the range of {span}", settled, limit),) if settled > limit else ()
    side, end = ("above", high) if settled > high else ("below", low)
    odd = settled > limit or abs(settled - expected) > DEVIATIONS * deviation
    return (_finding("warning" if odd else "info", f"{said}, {side} the range of {span}", settled, end),)


def _against(settled: float, expected: float, currency: str) -> str:
    """How far a cost is from the expected one, in words; a share of next to nothing says nothing."""
    share = f" ({100 * (settled - expected) / abs(expected):+.0f} %)" if abs(settled - expected) < 10 * abs(expected) else ""
    return f"{expected:,.2f} {currency} expected{share}"


def _finding(severity: str, words: str, settled: float, limit: float) -> Finding:
    return Finding("real_time", "warning" if severity == "warning" else "info", "cost_range", "settlement", words, settled, limit)
