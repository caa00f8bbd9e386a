"""What a treatment of uncertainty cannot carry, refused in one place: where it is asked for, what is wrong, and the remedy."""

from __future__ import annotations

import numpy as np

from pipeline.core.errors import InputError, Mistake
from pipeline.program.linear_program import Floats, Indices, LinearProgram
from pipeline.uncertainty.deviations import Deviations

METHOD = "settings.method"


def check_weights(weights: Floats, scenario_count: int) -> Floats:
    """Probabilities (S,): positive, summing to one. Raises InputError."""
    if scenario_count < 1:
        raise InputError(Mistake(METHOD, "there is no scenario to plan with", "ask for at least one representative"))
    weights = np.asarray(weights, dtype=float)
    place, remedy = "scenario weights", "give each scenario a positive probability; together they make 1"
    if weights.shape != (scenario_count,):
        raise InputError(Mistake(place, f"{weights.size} probabilities for {scenario_count} scenarios", remedy))
    bad = np.flatnonzero(~(np.isfinite(weights) & (weights > 0)))
    if bad.size:
        raise InputError(Mistake(place, f"scenario {bad[0] + 1} has {weights[bad[0]]:g} among probabilities", remedy))
    if abs(weights.sum() - 1) > 1e-9:
        raise InputError(Mistake(place, f"the probabilities sum to {weights.sum():.12g}", remedy))
    return weights


def check_scenarios(program: LinearProgram, scenarios: Floats) -> Floats:
    """Inputs (S, m), at least one scenario, finite. Raises InputError naming the first bad input."""
    scenarios = np.atleast_2d(np.asarray(scenarios, dtype=float))
    if scenarios.shape[0] == 0 or (scenarios.size == 0 and program.input_names):
        raise InputError(Mistake(METHOD, "there is no scenario to plan with", "ask for at least one representative"))
    if scenarios.shape[1] != len(program.input_names):
        raise ValueError(f"scenarios of {scenarios.shape[1]} inputs for a program of {len(program.input_names)}")
    bad = np.argwhere(~np.isfinite(scenarios))
    if bad.size:
        s, i = bad[0]
        message = f"{program.input_names[i]} is {scenarios[s, i]:g} ({len(bad) - 1} more are not finite)"
        raise InputError(Mistake(f"scenario {s + 1}", message, "mend the history or the forecast that it was drawn from"))
    return scenarios


def check_share(value: float, name: str, *, low: float = 0.0, high: float = np.inf, above: bool = False) -> float:
    """`low` <= value <= `high` (`above`: low < value). Raises InputError at settings.method.`name`."""
    if not (low < value if above else low <= value) or not value <= high:  # NaN fails both
        most = "" if high == np.inf else f" and at most {high:g}"
        least = f"above {low:g}" if above else f"at least {low:g}"
        raise InputError(Mistake(f"{METHOD}.{name}", f"{value:g} is out of range", f"take a number {least}{most}"))
    return float(value)


def check_distance(distance: Floats) -> Floats:
    """(S, S) non-negative, finite, symmetric, zero on the diagonal. Raises InputError."""
    distance = np.asarray(distance, dtype=float)
    place, remedy = "distances between scenarios", "compute them from profiles without NaN, each with itself at distance 0"
    if distance.ndim != 2 or distance.shape[0] != distance.shape[1]:
        raise ValueError(f"distances of shape {distance.shape} are no square")
    if not np.isfinite(distance).all() or (distance < 0).any():
        raise InputError(Mistake(place, "one is negative or no finite number", remedy))
    if np.diagonal(distance).any() or not np.allclose(distance, distance.T, rtol=1e-9, atol=0.0):
        raise InputError(Mistake(place, "they are not those of a set with itself", remedy))
    return distance


def check_continuous_recourse(program: LinearProgram, first_stage: Indices, *, treatment: str, remedy: str) -> None:
    """Every integer column is first stage. Raises InputError naming the first that is not."""
    late = np.setdiff1d(np.flatnonzero(program.integer), first_stage)
    if late.size:
        message = f"{treatment} cannot decide {program.column_names[late[0]]} after the fact: it is integer ({late.size - 1} more are)"
        raise InputError(Mistake(METHOD, message, remedy))


def check_certain_prices(program: LinearProgram, touched: Indices, *, treatment: str) -> None:
    """No input in `touched` prices a decision. Raises InputError naming the first that does."""
    priced = np.unique(program.cost_by_input.tocoo().col)
    uncertain = np.intersect1d(priced, touched)
    if uncertain.size:
        message = f"{treatment} cannot carry the uncertain price {program.input_names[uncertain[0]]} ({uncertain.size - 1} more)"
        raise InputError(Mistake(f"{METHOD}.half_widths.price_share", message,
                                 "take 0 (price: expected), and settings.budgeted_prices to guard against prices"))


def check_budgeted(deviations: Deviations, place: str = METHOD, *, budget: str = "budget_share", half_width: str = "half_widths") -> None:
    """Finite, non-negative budgets, finite half-widths. Raises InputError."""
    if not np.isfinite(deviations.budget).all() or (deviations.budget < 0).any():
        raise InputError(Mistake(f"{place}.{budget}", f"the budgets {deviations.budget} are out of range", "take a share from 0 to 1"))
    if not np.isfinite(deviations.directions.data).all():
        raise InputError(Mistake(f"{place}.{half_width}", "one is no finite number", "take shares from 0 to 1 of a finite forecast"))
