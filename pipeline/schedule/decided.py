"""What a treatment's decision says of itself: its bounds, its laws, its way and what was proven. No timings: tables are the same bytes."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from pipeline.program.linear_program import Floats
from pipeline.schedule.findings import Finding
from pipeline.tables import TABLES
from pipeline.uncertainty.two_stage import Decision, relative_gap

WAYS = {
    "simplex": "the simplex method", "interior_point": "interior point", "mixed_integer": "branch and bound",
    "decomposition": "decomposition", "column_and_constraint": "column-and-constraint generation",
}
PLACE = "schedule"
LAW_OF_DECISION = 0  # where an iteration's number would stand


def decision_tables(decision: Decision | None, run_id: str, *, currency: str) -> dict[str, pa.Table]:
    """bounds and distribution; without a row where there is no decision to tell of."""
    if decision is None:
        return {"bounds": TABLES["bounds"].empty(), "distribution": TABLES["distribution"].empty()}
    return {"bounds": _bounds(decision, run_id, currency), "distribution": _distribution(decision, run_id)}


def _bounds(decision: Decision, run_id: str, currency: str) -> pa.Table:
    """The best of each side so far: what a round proved stays proven. What it did not prove is no bound, and left out."""
    rounds = decision.iterations
    lower = np.maximum.accumulate(np.array([one.lower if one.proven else -np.inf for one in rounds], dtype=float))
    upper = np.minimum.accumulate(np.array([one.upper for one in rounds], dtype=float))
    gap = [relative_gap(low, high) for low, high in zip(lower, upper, strict=True)]
    return TABLES["bounds"].build({
        "run_id": [run_id] * len(rounds), "iteration": [one.iteration for one in rounds], "lower": _or_null(lower),
        "upper": _or_null(upper), "gap_share": _or_null(np.array(gap)), "currency": [currency] * len(rounds)})


def _or_null(values: Floats) -> pa.Array:
    return pa.array([float(value) if np.isfinite(value) else None for value in values], pa.float64())


def _distribution(decision: Decision, run_id: str) -> pa.Table:
    laws = {one.iteration: one.law for one in decision.iterations if one.law is not None}
    if decision.law is not None:
        laws[LAW_OF_DECISION] = decision.law
    iterations = [iteration for iteration, law in laws.items() for _ in law]
    scenarios = [str(s) for law in laws.values() for s in range(1, len(law) + 1)]
    weights = [_share(float(weight)) for law in laws.values() for weight in law]
    return TABLES["distribution"].build(
        {"run_id": [run_id] * len(weights), "iteration": iterations, "scenario": scenarios, "weight": weights})


def _share(weight: float) -> float:
    """A solver's -1e-17 is 0 and its 1 + 1e-16 is 1; anything further off is left for the gate to refuse."""
    return min(max(weight, 0.0), 1.0) if -1e-9 <= weight <= 1 + 1e-9 else weight


def decision_figures(decision: Decision | None, *, currency: str) -> dict[str, tuple[str, float]]:
    """The treatment's objective, the proven bound and their gap; no bound, no figure of it."""
    if decision is None:
        return {}
    found = {"treatment_objective": (currency, decision.objective)}
    if np.isfinite(decision.lower):
        found["proven_lower_bound"] = (currency, decision.lower)
    if np.isfinite(decision.gap):
        found["proven_gap"] = ("1", decision.gap)
    if decision.iterations:
        found["iteration_count"] = ("1", float(len(decision.iterations)))
    return found


def decision_findings(decision: Decision | None, *, currency: str) -> tuple[Finding, ...]:
    """How the schedule was found and what is proven of it, in words."""
    if decision is None:
        return ()
    how = f"decided by {WAYS[decision.way]}"
    if decision.iterations:
        how += f" in {len(decision.iterations)} iteration{'' if len(decision.iterations) == 1 else 's'}"
    gap = None
    if not decision.proven:
        said = (f"{how}; the worst that was found costs {decision.objective:.2f} {currency}, and that nothing is worse is not proven; "
                f"no decision costs less than {decision.lower:.2f} {currency} at its worst")
    elif np.isfinite(decision.lower):
        gap = decision.gap
        share = 100 * gap if gap > 1e-9 else 0.0
        said = f"{how}; under the treatment no decision costs less than {decision.lower:.2f} {currency}: a gap of {share:.3g} % is proven"
    else:
        said = f"{how}; no bound is proven, so how far it is from the optimum is not known"
    if decision.words:
        said += f"; {decision.words}"
    return (Finding("day_ahead", "info", "way", PLACE, said, gap),)
