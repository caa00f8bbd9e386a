"""Measured states in the course of a day: where they count from, how they are carried there, and what is said of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pipeline.schedule.measured import Course, Measurement
from pipeline.schedule.real_time import run_steps
from pipeline.schedule.state import State
from pipeline.schedule.yardsticks import no_redispatch, perfect_foresight
from tests.unit.schedule.tiny_day import Setting, setting

NAME, KEY = "f01_battery.energy_before_kwh", ("f01_battery", "energy_kwh")


def _course(day: Setting, *told: tuple[int, Measurement]) -> Course:
    """told: the step from whose issue on each is known."""
    known = [[one for step, one in told if step <= k] for k in range(1, day.count + 1)]
    return Course(day.case, day.day.starts(), day.rolling().start.names, known)


def _measured(day: Setting, minutes: float, value: float) -> Measurement:
    at = day.day.start + round(60 * minutes)
    return Measurement(*KEY, at, at, value)


def _sweep(course: Course, state: State, moves: list[float]) -> list[float]:
    """Energies that steps begin with, when each moves this much."""
    begun, row = [], state.names.index(NAME)
    for move in moves:
        state = course.begin(state)
        begun.append(float(state.values[row]))
        values = state.values.copy()
        values[row] += move
        state = replace(state, values=values, step=state.step + 1)
    return begun


@pytest.mark.parametrize(("step", "minutes", "expected"), [
    (1, 0.0, [40, 50, 60, 70]),  # at the day's start
    (3, 30.0, [150, 160, 40, 50]),  # at the step's own start
    (2, 20.0, [150, 160, 40 + 20 / 3, 50 + 20 / 3]),  # within the second interval: a third of it has passed
    (4, 20.0, [150, 160, 170, 50 + 20 / 3]),  # known late: carried by what was moved since
    (2, 40.0, [150, 160, 170, 40 + 10 / 3]),  # never before it was measured
])
def test_an_energy_counts_from_the_first_step_that_knows_it(step: int, minutes: float, expected: list[float]) -> None:
    day = setting()
    course = _course(day, (step, _measured(day, minutes, 40.0)))
    assert _sweep(course, day.rolling().start, [10.0] * 4) == pytest.approx(expected)
    (jump,) = course.jumps
    assert (jump.key, jump.taken) == (KEY, pytest.approx(expected[jump.step - 1])) and course.shifts[:, 0].any()


def test_the_newest_measurement_counts_and_a_withdrawn_one_as_if_it_had_never_been() -> None:
    day = setting()
    first, second = _measured(day, 5, 40.0), _measured(day, 10, 44.0)
    course = _course(day, (2, second), (3, first))
    assert _sweep(course, day.rolling().start, [0.0] * 3) == [150.0, 44.0, 44.0], "of an older one nothing more is learnt"
    course = Course(day.case, day.day.starts(), day.rolling().start.names, [[], [first], [], []])
    assert _sweep(course, day.rolling().start, [10.0] * 4) == pytest.approx([150, 40 + 20 / 3, 170, 180])


def test_an_energy_is_never_carried_below_nothing() -> None:
    day = setting()
    assert _sweep(_course(day, (4, _measured(day, 0, 12.0))), day.rolling().start, [-10.0] * 4)[-1] == 0.0


def test_what_was_measured_is_said() -> None:
    """One finding for the difference, with kWh; one for a store outside its limits."""
    day = setting()
    store = next(one for one in day.case.devices if one.id == KEY[0])
    course = _course(day, (2, _measured(day, 15, store.energy_max_kwh + 5)))
    _sweep(course, day.rolling().start, [0.0] * 2)
    jump, outside = course.findings()
    assert (jump.check, jump.severity, jump.place, jump.value) == ("state_jump", "warning", "f01_battery energy_kwh", 155.0)
    assert "measured 305 kWh at 2016-06-15 07:15; before step 2 the computed state 150 kWh becomes 305" in jump.message
    assert (outside.check, outside.severity, outside.value, outside.limit) == ("state_outside", "warning", 305.0, 300.0)
    small = _course(day, (2, _measured(day, 15, 151.0)))
    _sweep(small, day.rolling().start, [0.0] * 2)
    assert [one.severity for one in small.findings()] == ["info"]


def test_a_unit_found_off_has_been_so_since_it_was_measured_and_gives_nothing() -> None:
    from tests.unit.schedule.island import island

    case = island()
    names = ("dg1.on_before_share", "dg1.in_state_before_h", "dg1.power_before_kw")
    unit = next(one for one in case.devices if getattr(one, "commitment", None) is not None)
    names = tuple(name.replace("dg1", unit.id) for name in names)
    starts = case.day(case.default_date).starts()
    off = Measurement(unit.id, "on_share", int(starts[0]), int(starts[0]), 0.0)
    state = State(1, names, np.array([1.0, 9.0, 50.0]), np.zeros(3), (), np.zeros(0))
    course = Course(case, starts, names, [[], [off]])
    second = course.begin(replace(course.begin(state), step=2))
    assert second.values.tolist() == [0.0, 0.25, 0.0]
    hours = Measurement(unit.id, "in_state_h", int(starts[0]), int(starts[0]), 3.0)
    course = Course(case, starts, names, [[off, hours]])
    assert course.begin(state).values.tolist() == [0.0, 3.0, 0.0]


def test_every_yardstick_meets_what_was_measured() -> None:
    """A store that was found emptier is emptier for perfect foresight and for the held schedule, too: the bound stays one."""
    day = setting(variant="reference")
    rolling, truth = day.rolling(), day.truth()
    course = _course(day, (40, _measured(day, 15 * 39, 20.0)))
    found = run_steps(rolling, rolling.start, day.windows(truth), truth, course=course)
    best = perfect_foresight(rolling, day.quarters, truth, shifts=course.shifts)
    blind = perfect_foresight(rolling, day.quarters, truth)
    assert blind.total < best.total <= found.settled.total * (1 + 1e-6) + 1e-6
    energy = best.columns[:, best.desk.roster.stores.energy[0]]
    assert np.isfinite(energy).all()
    held = no_redispatch(rolling, truth, shifts=course.shifts)
    assert best.total <= held.total + 1e-6
    row = rolling.start.names.index(NAME)
    assert found.begins[39, row] == 20.0 and np.flatnonzero(np.isfinite(course.taken[:, row])).tolist() == [39]


def test_what_was_read_off_the_day_before_is_told_apart_from_what_it_became_by_midnight() -> None:
    day = setting()
    start = day.day.start
    course = _course(day, (1, Measurement(*KEY, start - 14 * 3600, start, 70.0, read=20.0)))
    _sweep(course, day.rolling().start, [10.0])
    (said,) = [one.message for one in course.findings("day_ahead") if one.check == "state_jump"]
    assert said.startswith("measured 20 kWh at ") and ", 70 kWh as the day begins, by what was scheduled; before step 1 " in said
    assert "becomes 70" in said
