"""More caution never costs less: radius, aversion and budget on random small systems, through `plan_day`."""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.cases.case import Case
from pipeline.cases.settings import Affine, BoxRobust, Cvar, Method, Settings, Stochastic, Wasserstein
from pipeline.equipment import Demand, Generator, Source, Store
from pipeline.equipment.generator import Commitment
from pipeline.physics.horizon import Horizon
from pipeline.program.cached import compiled
from pipeline.program.linear_program import Floats, LinearProgram
from pipeline.schedule.day_ahead import DayAhead, DayAheadOptions, plan_day
from pipeline.schedule.outlook import Outlook
from pipeline.schedule.treatments import Spread
from tests.helpers import case_of, market_tie

STEPS = 24
# An optimum by interior point is known to 1e-5 of what is priced; by branch and bound to its gap.
LINEAR, MIXED = 1e-5, 1e-6
OPTIONS = DayAheadOptions(value_of_stochastic_solution=False, mip_gap_share=1e-7)


@lru_cache(maxsize=16)
def system(seed: int, commitment: bool) -> tuple[Case, LinearProgram]:
    """A generator, a store, wind, a load and a market whose position is decided ahead, with random sizes and costs."""
    rng = np.random.default_rng(seed)
    unit = Commitment(start_cost=float(rng.uniform(1, 30)), stop_cost=1.0, min_up_h=2, min_down_h=2) if commitment else None
    case = case_of(
        Demand(id="use", bus="plate", series="load"), Source(id="wind", bus="plate", series="wind"),
        Generator(id="unit", bus="plate", power_max_kw=float(rng.uniform(40, 90)), power_min_kw=20.0 if commitment else 0.0,
                  cost_linear_per_kwh=float(rng.uniform(0.1, 0.4)), segment_count=1, commitment=unit),
        Store(id="battery", bus="plate", charge_max_kw=15, discharge_max_kw=15, charge_efficiency_share=0.9, discharge_efficiency_share=0.9,
              energy_max_kwh=30, energy_initial_kwh=15, wear_cost_per_kwh=1e-3),
        ties=(market_tie(exchange_min_kw=-40.0, exchange_max_kw=40.0, deviation_price_per_kwh=float(rng.uniform(0.02, 0.3))),))
    return case, compiled(case, Horizon(STEPS, 1.0), cache_dir=None)


def outlooks(seed: int, count: int) -> tuple[list[Outlook], Floats, Floats]:
    """Days of random load, wind and price, their weights and distances."""
    rng = np.random.default_rng(seed)
    values = np.zeros((count, 4, STEPS))
    values[:, 0] = rng.uniform(40, 110, (count, STEPS))
    values[:, 2] = rng.uniform(0.1, 0.4, STEPS)
    values[:, 3] = rng.uniform(0, 40, (count, STEPS))
    apart = np.abs(values[:, None] - values[None]).mean(axis=(2, 3))
    return [Outlook(("load", "heat", "price", "wind"), one) for one in values], rng.dirichlet(np.full(count, 4.0)), apart


def priced(case: Case, program: LinearProgram, drawn: tuple[list[Outlook], Floats, Floats], method: Method) -> float:
    days, weights, apart = drawn
    case = case.model_copy(update={"settings": Settings(method=method, mip_gap_share=1e-7)})
    plan: DayAhead = plan_day(case, case.day(case.default_date), program, days, weights, options=OPTIONS, spread=Spread(apart))
    assert plan.decision is not None
    return plan.decision.objective


@pytest.mark.parametrize("commitment", [False, True], ids=["linear", "committed"])
@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 7), days=st.integers(0, 10**6), first=st.floats(0.0, 1.0), more=st.floats(0.0, 1.0))
def test_cost_never_falls_with_radius_or_aversion(commitment: bool, seed: int, days: int, first: float, more: float) -> None:
    case, program = system(seed, commitment)
    drawn = outlooks(days, 3)
    share = MIXED if commitment else LINEAR
    expected = priced(case, program, drawn, Stochastic())
    radius = [priced(case, program, drawn, Wasserstein(radius_share=one)) for one in (first, first + more)]
    aversion = [priced(case, program, drawn, Cvar(aversion_share=one, tail_share=0.3)) for one in (first / 2, (first + more) / 2)]
    for costs in (radius, aversion):
        for below, above in zip([expected, *costs], costs, strict=False):
            assert below <= above + share * (1 + abs(above))


@pytest.mark.parametrize("kind", [BoxRobust, Affine], ids=["box_robust", "affine"])
@settings(max_examples=4, deadline=None)
@given(seed=st.integers(0, 3), days=st.integers(0, 10**6), first=st.floats(0.0, 1.0), more=st.floats(0.0, 1.0))
def test_cost_never_falls_with_the_budget(kind: type[BoxRobust] | type[Affine], seed: int, days: int, first: float, more: float) -> None:
    case, program = system(seed, False)
    kinds = {"load": "load", "wind": "wind", "price": "price"}
    series = tuple(one.model_copy(update={"kind": kinds.get(one.id, "other")}) for one in case.series)
    case = case.model_copy(update={"series": series})
    drawn = outlooks(days, 1)
    if kind is BoxRobust:  # corners of a morning: a whole day's are searched for minutes
        drawn[0][0].values[[0, 3], 4:] = 0.0
    costs = [priced(case, program, drawn, kind(budget_share=share)) for share in (0.0, first / 2, (first + more) / 2)]
    for below, above in pairwise(costs):
        assert below <= above + LINEAR * (1 + abs(above))
