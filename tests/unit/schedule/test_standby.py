"""Always a schedule: each rung stands in where the one above gives nothing, says so, and passes the gates."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest

from pipeline.cases.settings import Stochastic
from pipeline.core.clock import DeliveryDay
from pipeline.core.errors import NoSchedule
from pipeline.program.linear_program import LinearProgram
from pipeline.schedule import standby
from pipeline.schedule.day_ahead import DayAhead, DayAheadOptions
from pipeline.schedule.desk import Desk
from pipeline.schedule.layout import Label
from pipeline.schedule.outlook import coarsen
from pipeline.schedule.plan import Plan
from pipeline.schedule.read_out import day_ahead_tables
from pipeline.schedule.standby import Earlier, plan_always, stand_in
from pipeline.validate.context import Context
from pipeline.validate.gates import check_stage
from tests.unit.schedule.tiny_day import QUIET, Setting, setting

NO_TIME = DayAheadOptions(time_limit_s=1e-6, value_of_stochastic_solution=False)
NONE = NoSchedule("the solver ended as failed")


def passes_gates(tiny: Setting, found: DayAhead) -> None:
    outlook = coarsen(tiny.truth(), 4)
    context = Context(values={"expected": dict(zip(outlook.series, outlook.values, strict=True))}, objective=found.objective)
    mistakes, _ = check_stage(tiny.case, day_ahead_tables(found, "da-1"), day=tiny.day, product="day_ahead", context=context,
                              contracts="arrays")
    assert mistakes == []


def words(found: DayAhead, check: str = "fallback") -> list[str]:
    return [finding.message for finding in found.findings if finding.check == check]


def test_where_the_program_answers_nothing_stands_in(tiny: Setting) -> None:
    found = plan_always(tiny.case, tiny.day, tiny.hourly, [coarsen(tiny.truth(), 4)], np.ones(1), options=QUIET, earlier=never)
    assert found.objective == tiny.plan().objective and words(found) == []


def never() -> Earlier | None:
    raise AssertionError("a plan of a day before was looked up though nothing stands in")


def test_no_time_at_all_holds_yesterdays_plan_within_the_limits(tiny: Setting) -> None:
    yesterday = Earlier(tiny.day.shifted(-1), tiny.plan().plan)
    out = coarsen(tiny.truth(), 4)
    found = plan_always(tiny.case, tiny.day, tiny.hourly, [out], np.ones(1), options=NO_TIME, earlier=lambda: yesterday)
    assert found.status == "fallback" and found.objective == pytest.approx(tiny.plan().objective, rel=1e-9)  # the same day again
    assert words(found) == ["no schedule was found (no day-ahead schedule of tiny for 2016-06-15: nothing feasible within 1e-06 s; raise "
                            f"settings.solver_time_limit_s): the schedule of {yesterday.day.date}, moved to today and held, is used within "
                            "the limits"]
    passes_gates(tiny, found)


def test_without_any_plan_devices_rest(tiny: Setting) -> None:
    found = plan_always(tiny.case, tiny.day, tiny.hourly, [coarsen(tiny.truth(), 4)], np.ones(1), options=NO_TIME)
    assert "devices at rest are held within the limits" in words(found)[0]
    assert found.objective > tiny.plan().objective
    passes_gates(tiny, found)


def test_a_plan_of_a_shorter_day_is_moved_by_the_clock() -> None:
    """After the day of 23 hours every hour takes what the same hour of the clock had; the one that was skipped takes the next."""
    before = DeliveryDay(date(2024, 3, 31), "Europe/Berlin")
    after = before.shifted(1)
    hours = [0, 1, *range(3, 24)]
    assert before.steps(60) == len(hours)
    desk = cast(Desk, SimpleNamespace(starts=lambda: after.starts(60)))
    moved = standby._moved(Earlier(before, Plan((Label("a", "power_kw"),), np.array(hours, dtype=float)[:, None])), after, desk)
    assert moved.expected[:, 0].tolist() == [0, 1, 3, *range(3, 24)]


def test_a_treatment_that_finds_nothing_gives_way_to_the_deterministic_schedule(tiny: Setting, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = setting(method=Stochastic(representative_count=2))
    real = standby.plan_day

    def only_deterministic(case, *given, **more):  # type: ignore[no-untyped-def]
        if case.settings.method.kind != "deterministic":
            raise NoSchedule("the treatment failed")
        return real(case, *given, **more)

    monkeypatch.setattr(standby, "plan_day", only_deterministic)
    outlooks = [coarsen(asked.truth(), 4)] * 2
    found = plan_always(asked.case, asked.day, asked.hourly, outlooks, np.full(2, 0.5), options=QUIET, earlier=never)
    assert found.objective == pytest.approx(tiny.plan().objective, rel=1e-9)
    assert words(found) == ["no schedule was found under stochastic (the treatment failed): "
                            "the deterministic schedule of the mean forecast is used"]
    passes_gates(asked, found)


@dataclass(frozen=True)
class Word:
    target: str
    quantity: str
    value: float
    valid_from: int
    valid_to: int | None = None



def test_power_that_nothing_can_take_is_no_schedule_only_where_that_is_proven_and_nobody_asked_for_it(tiny: Setting) -> None:
    out = coarsen(tiny.truth(), 4)
    desk = tiny.plan().desk

    def stuck(word: tuple[Word, ...], none: NoSchedule) -> DayAhead:
        return stand_in(tiny.case, tiny.day, tiny.hourly, out, none=none, overrides=word)

    left = [standby.Finding("day_ahead", "warning", "unbalanced", "step 1", "3 kW that no device or tie could take", 3.0, 0.0)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(standby, "unbalanced", lambda *_, **__: left)
        with pytest.raises(NoSchedule, match="rows conflict"):
            stuck((), NoSchedule("rows conflict", proven=True))
        word = Word(desk.case.ties[0].id, "out", 1.0, tiny.day.start)
        assert words(stuck((word,), NoSchedule("rows conflict", proven=True)), "unbalanced")
        assert words(stuck((), NONE), "unbalanced")


def test_an_infeasible_program_is_proven_to_be(tiny: Setting) -> None:
    program: LinearProgram = replace(tiny.hourly, row_lower=np.full_like(tiny.hourly.row_lower, 1e9))
    with pytest.raises(NoSchedule) as caught:
        standby.plan_day(tiny.case, tiny.day, program, [coarsen(tiny.truth(), 4)], np.ones(1), options=QUIET)
    assert caught.value.proven
