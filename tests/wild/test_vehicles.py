"""Vehicles as they come: more wanted than charger and stay give, stays of no length and of days, more cars than chargers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipeline.publish.query import query
from tests.wild.runner import Outcome, copied, typed

STRANGE = """
depot,2024-06-12 09:00,2024-06-12 09:00,3
depot,2024-06-09 20:00,2024-06-14 08:00,55
depot,2024-06-12 13:00,2024-06-12 13:20,0
depot,2024-06-12 14:03,2024-06-12 15:11,6
depot,2024-06-12 14:03,2024-06-12 15:11,6
depot,2024-06-12 14:10,2024-06-12 15:20,6
depot,2024-06-12 14:10,2024-06-12 15:20,6
depot,2024-06-12 14:11,2024-06-12 14:12,60
"""


def rows(outcome: Outcome, sql: str) -> list[dict[str, Any]]:
    return query(outcome.home, sql).to_pylist()


def charged_kwh(outcome: Outcome) -> float:
    """Energy drawn by the fleet over the settled day."""
    (found,) = rows(outcome, "select sum(-value) / 4 as kwh from dispatch where device = 'depot' and quantity = 'injection'"
                             " and scenario = 'settled'")
    return float(found["kwh"])


def test_a_car_that_wants_more_than_its_stay_gives_charges_what_it_can(tmp_path: Path) -> None:
    """40 kWh wanted in half an hour at 11 kW: 4.95 kWh are stored, 35.05 kWh are unserved, priced, and told."""
    outcome = typed(copied("b14_ev_unreachable", tmp_path), "run")
    assert outcome.code == 5, outcome.err
    figures = {row["kpi"]: row["value"] for row in rows(outcome, "select kpi, value from kpis where stage = 'real_time'")}
    assert [figures["ev_unserved_priced"], figures["ev_unserved_kwh"]] == pytest.approx([35.05, 35.05])
    stored = rows(outcome, "select max(value) as kwh from dispatch where quantity = 'energy_kwh[2]' and scenario = 'settled'")
    assert stored[0]["kwh"] == pytest.approx(4.95)
    costs = {row["term"]: row["value"] for row in rows(outcome, "select term, value from costs where stage = 'real_time'")}
    assert costs["penalty_cost"] == pytest.approx(10 * 35.05, rel=1e-3)
    findings = rows(outcome, 'select severity, "check", value from findings where "check" = \'ev_unserved\'')
    assert [(one["severity"], one["check"]) for one in findings] == [("warning", "ev_unserved")]
    (told,) = rows(outcome, 'select severity, value, "limit" from findings where "check" = \'cost_range\'')
    expected = {row["term"]: row["value"] for row in rows(outcome, "select term, value from costs where stage = 'day_ahead'")}["total"]
    assert (told["severity"], told["value"]) == ("warning", pytest.approx(costs["total"])) and costs["total"] > 1.3 * expected > 0
    assert told["limit"] == pytest.approx(1.3 * expected)


def test_every_kind_of_session_ends_in_a_published_day(tmp_path: Path) -> None:
    """A stay of no length, one over five days, a need of nothing, more cars than chargers, a need that a minute cannot give."""
    case = copied("b14_ev_unreachable", tmp_path)
    with (case / "sessions.csv").open("a") as file:
        file.write(STRANGE.lstrip())
    outcome = typed(case, "run")
    assert outcome.code == 5, outcome.err
    need = {row["kpi"]: row["value"] for row in rows(outcome, "select kpi, value from kpis where stage = 'real_time'")}
    assert 0.9 * charged_kwh(outcome) + need["ev_unserved_priced"] == pytest.approx(need["ev_need_kwh"], abs=1e-3)
