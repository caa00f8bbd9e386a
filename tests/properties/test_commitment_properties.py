"""Rows of commitment against every schedule there is, and ramps with commitment that always leave a way at a quarter-hour's step."""

from __future__ import annotations

from functools import lru_cache
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.equipment import Commitment, Demand, Generator
from pipeline.physics.assemble import assemble
from pipeline.physics.horizon import Horizon
from pipeline.program.compile import compile_model
from pipeline.program.freeze import freeze
from pipeline.program.linear_program import Floats, LinearProgram
from pipeline.program.solve import Status, solve
from pipeline.schedule.bind import Binder
from tests.helpers import case_of, inputs_of

LEAST_KW, MOST_KW, PRICE, START, STOP, OTHER = 30.0, 100.0, 0.2, 7.0, 3.0, 0.5


def unit(up_h: float, down_h: float, *, ramp_kw_per_h: float | None = None) -> Generator:
    return Generator(id="g", bus="plate", power_max_kw=MOST_KW, power_min_kw=LEAST_KW, cost_linear_per_kwh=PRICE, segment_count=1,
                     ramp_kw_per_h=ramp_kw_per_h, power_initial_kw=LEAST_KW,
                     commitment=Commitment(start_cost=START, stop_cost=STOP, min_up_h=up_h, min_down_h=down_h))


@lru_cache
def hourly(up_h: int, down_h: int, hours: int) -> tuple[LinearProgram, Binder]:
    """The unit, a backup at .5 and a load that may be dumped at the same price."""
    backup = Generator(id="backup", bus="plate", power_max_kw=1000, cost_linear_per_kwh=OTHER, segment_count=1)
    case = case_of(unit(up_h, down_h), backup, Demand(id="d", bus="plate", series="load", dump_max_kw=1000), ties=())
    case = case.model_copy(update={"settings": case.settings.model_copy(update={"slack_price_per_kwh": OTHER})})
    program = compile_model(assemble(case, Horizon(hours, 1.0)))
    return program, Binder(case, program)


def allowed(on: tuple[int, ...], before: bool, elapsed_h: float, up_h: int, down_h: int) -> bool:
    """Every state that ended lasted its least time, what began before the first hour included."""
    state, lasted = before, elapsed_h
    for now in map(bool, on):
        if now != state:
            if lasted < (up_h if state else down_h):
                return False
            state, lasted = now, 0.0
        lasted += 1
    return True


def cost(on: tuple[int, ...], before: bool, load: list[float]) -> float:
    """Merit order by hand: the unit where it is on, the backup or the dump for the rest."""
    total, state = 0.0, before
    for now, wanted in zip(map(bool, on), load, strict=True):
        power = min(max(wanted, LEAST_KW), MOST_KW) if now else 0.0
        total += PRICE * power + OTHER * abs(wanted - power) + (START if now and not state else 0.0) + (STOP if state and not now else 0.0)
        state = now
    return total


@settings(deadline=None, max_examples=40)
@given(load=st.lists(st.integers(0, 150), min_size=5, max_size=5), before=st.booleans(), elapsed=st.integers(1, 4),
       up_h=st.integers(0, 4), down_h=st.integers(0, 4))
def test_the_optimum_is_the_best_of_all_schedules(load: list[int], before: bool, elapsed: int, up_h: int, down_h: int) -> None:
    program, binder = hourly(up_h, down_h, len(load))
    state = binder.initial_state().with_values({"g.on_before_share": float(before), "g.in_state_before_h": float(elapsed)})
    filled = inputs_of(program, {"d.load_kw": load})[binder.axis.index]
    inputs = binder.assemble(filled, state)
    found = solve(program.bind(inputs))
    assert found.status is Status.optimal and found.x is not None
    wanted = [float(value) for value in load]
    schedules = [on for on in product((0, 1), repeat=len(load)) if allowed(on, before, float(elapsed), up_h, down_h)]
    best = min(cost(on, before, wanted) for on in schedules)
    assert found.objective == pytest.approx(best, abs=1e-6)
    on = tuple(round(value) for value in found.x[program.column_index["g.on_share"]])
    assert on in schedules and cost(on, before, wanted) == pytest.approx(best, abs=1e-6)


@pytest.mark.parametrize(("up_h", "down_h"), [(3, 2), (2, 4), (6, 1)])
def test_rows_allow_exactly_the_schedules_that_last_their_least_times(up_h: int, down_h: int) -> None:
    hours = 6
    program, _ = hourly(up_h, down_h, hours)
    inputs = inputs_of(program, {"g.on_before_share": 1.0})
    rows = np.concatenate([program.row_index[f"g.{law}"] for law in ("minimum_up", "minimum_down", "switching", "start_limit", "stop_limit")
                           if f"g.{law}" in program.row_index])
    bound = program.bind(inputs)
    for on in product((0, 1), repeat=hours):
        before = np.array([1, *on[:-1]])
        x = np.zeros(len(program.column_names))
        now = np.array(on)
        for quantity, values in (("on", now), ("start", now > before), ("stop", now < before)):
            x[program.column_index[f"g.{quantity}_share"]] = values
        body = program.matrix[rows] @ x
        holds = bool(((body >= bound.row_lower[rows] - 1e-9) & (body <= bound.row_upper[rows] + 1e-9)).all())
        assert holds == allowed(on, True, 100.0, up_h, down_h), on


@lru_cache
def quarters() -> tuple[LinearProgram, Binder]:
    """The unit at a quarter-hour's step, where its least power is three of its ramps; commitments decided."""
    case = case_of(unit(1, 0.5, ramp_kw_per_h=40), Demand(id="d", bus="plate", series="load", dump_max_kw=1000), ties=())
    program = compile_model(assemble(case, Horizon(12, 0.25, rolling=True)))
    frozen = freeze(program, program.columns_like(["*.on_share", "*.start_share", "*.stop_share"]))
    return frozen, Binder(case, frozen)


@settings(deadline=None, max_examples=60)
@given(wanted=st.lists(st.booleans(), min_size=12, max_size=12), before=st.booleans(), power=st.floats(LEAST_KW, MOST_KW),
       hours=st.floats(0.25, 4), load=st.floats(0, 150))
def test_whatever_was_planned_a_quarter_hour_has_a_way(wanted: list[bool], before: bool, power: float, hours: float, load: float) -> None:
    program, binder = quarters()
    start = binder.initial_state().with_values({"g.on_before_share": float(before), "g.in_state_before_h": hours,
                                                "g.power_before_kw": power if before else 0.0})
    filled = inputs_of(program, {"d.load_kw": load})[binder.axis.index]
    held = np.zeros((12, len(binder.frozen_labels)))
    held[:, [label.quantity for label in binder.frozen_labels].index("on_share")] = wanted
    inputs = binder.assemble(filled, start, frozen=held)
    found = solve(program.bind(inputs))
    assert found.status is Status.optimal and found.x is not None
    on = inputs[program.input_index["g.on_share"]]
    generated, excess = found.x[program.column_index["g.segment_kw"]], found.x[program.column_index["g.ramp_excess_kw"]]
    assert (generated <= MOST_KW * on + 1e-6).all() and (generated >= LEAST_KW * on - 1e-6).all()
    stop = int(np.argmin(on)) if before and not on.all() else 99  # quarters on, each of which brings it 10 kW nearer to its least power
    assert excess.sum() == pytest.approx(max(0.0, power - LEAST_KW - 10.0 * stop), abs=1e-4), "no more than the state forces"
    assert lasts(on, before, hours), "least times hold, whatever was planned"


def lasts(on: Floats, before: bool, hours: float) -> bool:
    """Least times of an hour on and half an hour off, in quarters."""
    state, lasted = before, hours
    for now in on > 0.5:
        if now != state:
            if lasted < (1.0 if state else 0.5) - 1e-9:
                return False
            state, lasted = bool(now), 0.0
        lasted += 0.25
    return True


