"""From the run settings' method to a decision: which algebra a treatment is, and what its first stage costs in every scenario."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from pipeline.cases.settings import Cvar, Sampled, Stochastic
from pipeline.cases.settings import Wasserstein as WassersteinSettings
from pipeline.core.errors import InputError, Mistake
from pipeline.program.linear_program import Floats, Indices, dot
from pipeline.program.solve import Status, solve
from pipeline.schedule.solving import CLOSE, Found, Met, Work, meet, separately, undecided, warn_of_end
from pipeline.uncertainty.choose import decide
from pipeline.uncertainty.column_and_constraint import column_and_constraint
from pipeline.uncertainty.cvar import MeanCvar
from pipeline.uncertainty.expectation import expected_cost, recourse_of
from pipeline.uncertainty.measure import Expectation, Measure
from pipeline.uncertainty.monolith import NoDecision, solve_monolith
from pipeline.uncertainty.two_stage import Decision, TwoStage, relative_gap
from pipeline.uncertainty.wasserstein import Wasserstein


@dataclass(frozen=True)
class Spread:
    """How far scenarios lie apart: (S, S) distances, and the median one of the sample that they stand for (None: of these)."""

    distances: Floats
    median: float | None = None

    @property
    def typical(self) -> float:
        """What a radius is a share of."""
        if self.median is not None:
            return self.median
        apart = self.distances[np.triu_indices(len(self.distances), k=1)]
        return float(np.median(apart)) if apart.size else 0.0


def measure_of(work: Work, spread: Spread | None) -> Measure:
    """The measure that the case's method prices scenarios with. Raises InputError for one that lacks its distances."""
    match work.desk.case.settings.method:
        case Cvar() as method:
            return MeanCvar(method.aversion_share, method.tail_share)
        case WassersteinSettings() as method:
            if spread is None:
                raise InputError(Mistake("settings.method: wasserstein", "nothing says how far the scenarios lie apart",
                                         "give plan_day the distances between them"))
            unit = spread.typical if method.radius_basis == "share_of_median" else 1.0
            return Wasserstein(spread.distances, method.radius_share * unit)
        case _:
            return Expectation()


def treat(work: Work, scenarios: Floats, weights: Floats, *, average: Floats, forecast: Floats, spread: Spread | None) -> Found:
    """Decide the first stage under the case's method, then meet every scenario.

    scenarios: (S, m) inputs. average: (m,) their mean. forecast: (m,) inputs of the forecast, which seeds column-and-constraint generation.
    """
    program = work.desk.program
    first_stage = program.columns_like(work.desk.case.settings.first_stage)
    measure = measure_of(work, spread)
    if not first_stage.size:
        return separately(work, scenarios, weights)
    recourse = recourse_of(program, first_stage, work.left())
    mean_first = _mean_first(work, first_stage, average)
    two_stage = TwoStage(program, first_stage, scenarios, weights)
    decision = _decided(work, two_stage, measure, forecast, mean_first)
    met = meet(work, recourse, decision.first, scenarios, weights)
    decision = _as_met(decision, met, measure, weights)
    kpis = {}
    if mean_first is not None and isinstance(measure, Expectation):  # only an expectation minimises what this measures
        kpis = _worth(work, expected_cost(recourse, mean_first, scenarios, weights), float((weights * met.relaxed).sum()))
    expected = float((weights * met.costs).sum())
    return Found(met.x, met.row_dual, expected, decision.lower, decision.gap, work.status, kpis, decision)


def _decided(work: Work, two_stage: TwoStage, measure: Measure, forecast: Floats, mean_first: Floats | None) -> Decision:
    """The treatment's decision. Where time runs out without one, the first stage of the mean forecast, with a warning and no bound."""
    method = work.desk.case.settings.method
    try:
        if isinstance(method, WassersteinSettings) and method.solution == "column_and_constraint":
            decision = column_and_constraint(two_stage, measure, work.left(), gap_share=method.gap_share, forecast=forecast)
        elif isinstance(method, WassersteinSettings) and method.solution == "monolith":
            decision = solve_monolith(two_stage, measure, work.left())
        else:
            proven = method if isinstance(method, Sampled) else Stochastic()  # several outlooks of one forecast: their mean
            decision = decide(two_stage, measure, work.left(), gap_share=proven.gap_share)
    except NoDecision as none:
        if none.status not in (Status.time_limit, Status.failed) or mean_first is None:
            raise undecided(work, none, two_stage.scenarios[0]) from none
        why = "met its time limit" if none.status is Status.time_limit else "ended without a solution"
        work.warn("time_limit", "schedule", f"the scenario program {why}: the positions of the mean forecast are used")
        return Decision(mean_first, np.inf, -np.inf, none.status, "simplex")
    warn_of_end(work, decision)
    return decision


def _as_met(decision: Decision, met: Met, measure: Measure, weights: Floats) -> Decision:
    """The decision at the costs of the recourse that is published, which binaries against charging both ways may have raised."""
    law = measure.law(met.costs, weights)
    objective = dot(law, met.costs)
    lower = objective if relative_gap(decision.lower, objective) <= CLOSE else decision.lower
    return replace(decision, objective=objective, lower=min(lower, objective), costs=met.costs, law=law)


def _mean_first(work: Work, first_stage: Indices, average: Floats) -> Floats | None:
    """First stage of the mean forecast: what planning without scenarios would have positioned."""
    if not work.options.value_of_stochastic_solution:
        return None
    solution = solve(work.desk.program.bind(average), work.left())
    return None if solution.x is None else solution.x[first_stage]


def _worth(work: Work, of_mean: float, of_scenarios: float) -> dict[str, tuple[str, float]]:
    """What planning with scenarios saves on their mean, against the mean forecast's first stage.

    Both sides without binaries: those that negative prices brought in would count against the scenarios only. Where that first
    stage leaves a scenario without any schedule its cost has no number, and a finding says so.
    """
    if not np.isfinite(of_mean):
        work.inform("mean_positions", "schedule", "what is best for the mean forecast leaves a scenario without a schedule, or was not met "
                    "in time: no value of the stochastic solution")
        return {}
    money = work.desk.case.currency
    return {"cost_of_mean_positions": (money, of_mean), "value_of_stochastic_solution": (money, of_mean - of_scenarios)}
