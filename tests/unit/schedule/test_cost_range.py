"""What a settled day's cost says of the schedule that it was run by."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.schedule.cost_range import cost_findings, scenario_range

# Three scenarios, two terms: 2500, 2786 and 3100 in all.
COSTS = np.array([[2600.0, -100.0], [2700.0, 86.0], [3000.0, 100.0]])
WEIGHTS = np.array([0.25, 0.5, 0.25])
RANGE = {name: value for name, (_, value) in scenario_range(COSTS, WEIGHTS, currency="USD").items()}


def test_the_range_is_that_of_whole_scenarios() -> None:
    """The mean is 2793: a quarter each lies 293 below and 307 above it, half 7."""
    assert {"scenario_cost_lowest": 2500.0, "scenario_cost_highest": 3100.0,
                     "scenario_cost_deviation": pytest.approx(np.sqrt((293**2 + 307**2) / 4 + 7**2 / 2))} == RANGE
    assert scenario_range(COSTS[:1], WEIGHTS[:1], currency="USD") == {}


@pytest.mark.parametrize(("settled", "severity", "limit"), [
    (2786.0, None, None), (2500.0, None, None), (3130.0, None, None),  # a hundredth beyond an end is still inside
    (3616.0, "warning", 3100.0), (3132.0, "info", 3100.0), (2460.0, "info", 2500.0), (-100.0, "warning", 2500.0),
    (3210.0, "info", 3100.0), (3212.0, "warning", 3100.0), (2362.0, "info", 2500.0), (2360.0, "warning", 2500.0),  # 2786 +- 424.5
])
def test_outside_the_scenarios_is_said_and_odd_is_a_warning(settled: float, severity: str | None, limit: float | None) -> None:
    found = cost_findings(settled, 2786.0, RANGE, currency="USD")
    assert [(one.severity, one.check, one.value, one.limit) for one in found] == (
        [] if severity is None else [(severity, "cost_range", settled, limit)])


def test_the_words_name_what_was_expected_and_the_range() -> None:
    (found,) = cost_findings(3616.0, 2786.0, RANGE, currency="USD")
    assert found.message == ("the day cost 3,616.00 USD, 2,786.00 USD expected (+30 %), above the range of its scenarios from 2,500.00 to "
                             "3,100.00 USD (standard deviation 212.25)")


@pytest.mark.parametrize(("settled", "expected", "found"), [
    (130.0, 100.0, 0), (131.0, 100.0, 1), (10.0, 100.0, 0), (-69.0, -100.0, 1), (-71.0, -100.0, 0), (5.0, 0.0, 1),
])
def test_one_forecast_has_no_range(settled: float, expected: float, found: int) -> None:
    """A third dearer than expected is a warning, income as well as cost, and it says that there is no range."""
    said = cost_findings(settled, expected, {"unsettled_intervals": 0.0}, currency="USD")
    assert [one.severity for one in said] == ["warning"] * found
    assert all("made for one forecast, which has no range of costs" in one.message for one in said)


def test_far_above_the_expected_one_inside_a_wide_range_is_told() -> None:
    wide = {"scenario_cost_lowest": 50.0, "scenario_cost_highest": 200.0, "scenario_cost_deviation": 60.0}
    (found,) = cost_findings(150.0, 100.0, wide, currency="USD")
    assert (found.severity, found.limit) == ("info", 130.0) and "(+50 %), inside the range of its scenarios" in found.message


def test_outside_the_range_and_far_above_the_expected_one_is_a_warning_whatever_the_deviation() -> None:
    wide = {"scenario_cost_lowest": 50.0, "scenario_cost_highest": 125.0, "scenario_cost_deviation": 60.0}
    assert [cost_findings(settled, 100.0, wide, currency="USD")[0].severity for settled in (128.0, 131.0)] == ["info", "warning"]
