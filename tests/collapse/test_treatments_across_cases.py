"""Each treatment where it must equal a simpler one, through `plan_day`, on every system."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import pytest

from pipeline.cases.settings import FIRST_STAGE, Affine, BoxRobust, Cvar, Deterministic, Method, Stochastic, Wasserstein
from pipeline.forecast.ev_connection import expected_connections
from pipeline.program.linear_program import Floats
from pipeline.program.solve import SolveOptions
from pipeline.schedule.day_ahead import DayAhead, DayAheadOptions, plan_day
from pipeline.schedule.outlook import Outlook, coarsen
from pipeline.schedule.treatments import Spread
from pipeline.uncertainty.measure import WorstCase
from pipeline.uncertainty.monolith import solve_monolith
from pipeline.uncertainty.two_stage import TwoStage
from tests.unit.schedule.tiny_day import setting

# Case, variant and what is decided ahead: the turbines' power where the case itself leaves everything to the day.
SYSTEMS = {
    "networked": ("tiny", "two_price", FIRST_STAGE),
    "hydrogen": ("hydrogen_microgrids", None, ("mgt*.segment_kw",)),
    "robust": ("distributionally_robust_microgrids", "reference", FIRST_STAGE),
    "robust_low_load_75": ("distributionally_robust_microgrids", "low_load_75", FIRST_STAGE),
    "robust_low_load_50": ("distributionally_robust_microgrids", "low_load_50", FIRST_STAGE),
}
TIGHT = DayAheadOptions(value_of_stochastic_solution=False, mip_gap_share=1e-8)
WEIGHTS = np.array([0.6, 0.4])
EXACT = 1e-6


@dataclass(frozen=True, eq=False)
class System:
    """A day of one case, two outlooks around its tables, and how far they lie apart."""

    name: str
    variant: str | None
    first_stage: tuple[str, ...]
    outlooks: tuple[Outlook, ...]
    distances: Floats

    @lru_cache(maxsize=32)  # noqa: B019  # a system lives as long as the tests
    def plan(self, method: Method, rows: tuple[int, ...] = (0, 1)) -> DayAhead:
        """The schedule over some of the outlooks, which may be the same one twice."""
        chosen, weights = [self.outlooks[row] for row in rows], WEIGHTS[:len(rows)] / WEIGHTS[:len(rows)].sum()
        day = setting(self.name, self.variant, method=method, first_stage=self.first_stage)
        return plan_day(day.case, day.day, day.hourly, chosen, weights, options=TIGHT, spread=Spread(self.distances[np.ix_(rows, rows)]))

    def two_stage(self) -> TwoStage:
        """What `plan_day` hands to a treatment, as arrays."""
        plan = self.plan(Stochastic())
        program = plan.desk.program
        scenarios = np.zeros((len(plan.inputs), len(program.input_names)))
        scenarios[:, plan.desk.layout.inputs.index] = plan.inputs
        scenarios[:, plan.desk.binder.scalars.state] = plan.state.values
        return TwoStage(program, program.columns_like(plan.desk.case.settings.first_stage), scenarios, plan.weights)


@lru_cache
def system_of(name: str, variant: str | None, first_stage: tuple[str, ...]) -> System:
    day = setting(name, variant)
    vehicles = expected_connections(day.case, day=day.day, step_min=60)
    outlooks = tuple(coarsen(replace(day.truth(error=0.1, seed=seed), connections=vehicles), 4) for seed in range(len(WEIGHTS)))
    centre = np.abs(coarsen(day.truth(), 4).values)
    apart = [[float(np.abs(one.values - other.values).sum() / centre.sum()) for other in outlooks] for one in outlooks]
    return System(name, variant, first_stage, outlooks, np.array(apart))


@pytest.fixture(scope="module", params=SYSTEMS)
def system(request: pytest.FixtureRequest) -> System:
    return system_of(*SYSTEMS[request.param])


@pytest.fixture(scope="module")
def expected(system: System) -> float:
    return system.plan(Stochastic()).objective


def priced(plan: DayAhead) -> float:
    """What the treatment minimised, at the recourse that is published."""
    assert plan.decision is not None
    return plan.decision.objective


def whole() -> Wasserstein:
    """Some radius, solved in one piece."""
    return Wasserstein(radius_share=0.3, solution="monolith", gap_share=1e-8)


def widest(system: System) -> Wasserstein:
    """A radius that reaches every scenario."""
    return Wasserstein(radius_share=float(system.distances.max()), radius_basis="absolute")


@pytest.mark.parametrize("method", [Stochastic(), Cvar(), Wasserstein()], ids=lambda method: method.kind)
def test_scenarios_that_are_one_are_the_deterministic_schedule(system: System, method: Method) -> None:
    certain = system.plan(Deterministic(), (0,)).objective
    assert system.plan(method, (0,)).objective == pytest.approx(certain, rel=EXACT)
    assert priced(system.plan(method, (0, 0))) == pytest.approx(certain, rel=EXACT)


@pytest.mark.parametrize("method", [BoxRobust(budget_share=0.0), Affine(budget_share=0.0)], ids=lambda method: method.kind)
def test_no_budget_is_the_deterministic_schedule(system: System, method: Method) -> None:
    plan = system.plan(method, (0,))
    certain = system.plan(Deterministic(), (0,)).objective
    assert plan.objective == pytest.approx(certain, rel=EXACT)
    assert priced(plan) == pytest.approx(certain, rel=EXACT)


def test_no_aversion_is_the_expectation(system: System, expected: float) -> None:
    plan = system.plan(Cvar(aversion_share=0.0))
    assert plan.objective == pytest.approx(expected, rel=EXACT) and priced(plan) == pytest.approx(expected, rel=EXACT)


def test_no_radius_is_the_expectation(system: System, expected: float) -> None:
    plan = system.plan(Wasserstein(radius_share=0.0))
    assert plan.objective == pytest.approx(expected, rel=EXACT) and priced(plan) == pytest.approx(expected, rel=EXACT)


def test_a_radius_of_the_largest_distance_is_the_worst_scenario(system: System, expected: float) -> None:
    worst = solve_monolith(system.two_stage(), WorstCase(), SolveOptions(method="simplex")).objective
    plan = system.plan(widest(system))
    assert priced(plan) == pytest.approx(worst, rel=EXACT)
    assert plan.costs.sum(axis=1).max() == pytest.approx(worst, rel=EXACT)
    assert worst > expected


def test_columns_and_constraints_are_the_monolith(system: System) -> None:
    rounds = system.plan(whole().model_copy(update={"solution": "column_and_constraint"}))
    assert priced(rounds) == pytest.approx(priced(system.plan(whole())), rel=EXACT)
    assert rounds.decision is not None and rounds.decision.lower == pytest.approx(priced(rounds), rel=EXACT)


def test_the_price_of_caution_never_falls(system: System, expected: float) -> None:
    """With radius and with aversion."""
    radius = [priced(system.plan(method)) for method in (whole(), widest(system))]
    aversion = [priced(system.plan(Cvar(aversion_share=share, tail_share=0.4))) for share in (0.5, 1.0)]
    for costs in (radius, aversion):
        assert all(below <= above + EXACT * abs(above) for below, above in zip([expected, *costs], costs, strict=False))
