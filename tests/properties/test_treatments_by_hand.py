"""What a treatment minimises, through the stages: worked out from the published scenarios, their weights and nothing of the program.

A site without anything to decide costs price x load in every scenario, whatever is positioned.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import pytest
from scipy.optimize import linprog

from pipeline.stages import forecast, open_day_ahead, request, scenarios, schedule
from pipeline.stages.home import Home
from pipeline.stages.ingesting import ensure_ingested
from pipeline.stages.opening import load_run
from tests.small_site import DEMAND, NAMES, Floats, measured, write_site
from tests.whole_day import at_home

FEW = {"draw_count": 40, "representative_count": 8, "reducer": "k_medoids", "representative": "medoid"}
# The kept draws themselves, each its cluster's only member; a medoid would be moved to the moments of all draws.
ITSELF = {"draw_count": 40, "representative_count": 6, "pre_reduction_count": 6, "representative": "worst_member"}
METHODS: dict[str, dict[str, Any]] = {
    "mean": {"kind": "stochastic", **FEW},
    "tail_10": {"kind": "cvar", "aversion_share": 1.0, "tail_share": 0.1, **FEW},
    "tail_40_half": {"kind": "cvar", "aversion_share": 0.5, "tail_share": 0.4, **FEW},
    "radius_10": {"kind": "wasserstein", "radius_share": 0.1, **ITSELF},
    "radius_30": {"kind": "wasserstein", "radius_share": 0.3, **ITSELF},
    "radius_absolute": {"kind": "wasserstein", "radius_share": 0.02, "radius_basis": "absolute", **ITSELF},
}


@dataclass(frozen=True)
class Made:
    """What a day-ahead run wrote: scenarios (K, S, T), weights (K,), mean forecast (S, T), and its costs, USD."""

    values: Floats
    weights: Floats
    mean: Floats
    expected: float
    minimised: float

    @property
    def costs(self) -> Floats:
        """(K,) price x load by the hour, the step of the schedule."""
        load, price = (self.values[:, NAMES.index(name)].reshape(len(self.values), 24, 4).mean(axis=2) for name in NAMES)
        return (load * price).sum(axis=1)

    @property
    def apart(self) -> Floats:
        """(K, K) mean difference by the hour, each as a share of its forecast."""
        hourly = self.values.reshape(*self.values.shape[:2], 24, 4).mean(axis=3) / self.mean.reshape(len(self.mean), 24, 4).mean(axis=2)
        assert (np.abs(self.mean) > 0.1 * np.abs(self.mean).max(axis=1, keepdims=True)).all()
        flat = hourly.reshape(len(hourly), -1)
        return np.abs(flat[:, None] - flat[None]).mean(axis=2)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Made]:
    """What the day-ahead run of a method of `METHODS` wrote."""
    where = tmp_path_factory.mktemp("treatments")
    site = write_site(where / "site", {"demand": [DEMAND]}, histories=measured(), tie={"deviation_price_per_kwh": 1e-9},
                      settings={"forecast": {"window_days": 7, "price_window_days": 7}},
                      variants={name: {"settings": {"method": method}} for name, method in METHODS.items()})

    @lru_cache
    def make(variant: str) -> Made:
        with at_home(where / "home") as home:
            asked = request({"case": str(site), "variant": variant})
            ensure_ingested(asked)
            run_id = schedule(scenarios(forecast(open_day_ahead(asked))))
            return _written(home, run_id, float(load_run(run_id).stored.parameters["treatment_objective"]))

    return make


def _written(home: Home, run_id: str, minimised: float) -> Made:
    rows = home.lake.read(run_id, "scenarios").to_pylist()
    count = len({row["scenario"] for row in rows})
    values, weights, mean = np.full((count, 2, 96), np.nan), np.full(count, np.nan), np.full((2, 96), np.nan)
    for row in rows:
        values[int(row["scenario"]) - 1, NAMES.index(row["series"]), row["step"] - 1] = row["value"]
        weights[int(row["scenario"]) - 1] = row["weight"]
    for row in home.lake.read(run_id, "forecasts").to_pylist():
        mean[NAMES.index(row["series"]), row["step"] - 1] = row["mean"]
    costs = {row["term"]: row["value"] for row in home.lake.read(run_id, "costs").to_pylist()}
    return Made(values, weights, mean, costs["total"], minimised)


def tail_mean(costs: Floats, weights: Floats, share: float) -> float:
    """Mean of the dearest share."""
    order = np.argsort(-costs)
    taken = np.diff(np.minimum(np.concatenate([[0.0], np.cumsum(weights[order])]), share))
    return float(taken @ costs[order] / share)


def worst_mean(costs: Floats, weights: Floats, apart: Floats, radius: float) -> float:
    """Largest mean of the laws that moving probability over a mean distance of `radius` can reach: the transport program itself."""
    count = len(costs)
    sent = np.kron(np.eye(count), np.ones(count))
    found = linprog(-np.tile(costs, count), A_eq=sent, b_eq=weights, A_ub=apart.reshape(1, -1), b_ub=[radius])
    assert found.status == 0
    return -float(found.fun)


@pytest.mark.parametrize("variant", METHODS)
def test_a_schedule_costs_the_weighted_mean_of_its_scenarios(made: Callable[[str], Made], variant: str) -> None:
    day = made(variant)
    assert day.expected == pytest.approx(day.weights @ day.costs, rel=1e-6)
    assert len(set(np.round(day.weights, 6))) > 1, "weights that are all one would hide that they were mixed up"


@pytest.mark.parametrize(("variant", "aversion", "tail"), [("mean", 0.0, 1.0), ("tail_10", 1.0, 0.1), ("tail_40_half", 0.5, 0.4)])
def test_aversion_and_tail_of_the_settings_are_those_of_the_decision(
    made: Callable[[str], Made], variant: str, aversion: float, tail: float,
) -> None:
    day = made(variant)
    mean = float(day.weights @ day.costs)
    assert day.minimised == pytest.approx((1 - aversion) * mean + aversion * tail_mean(day.costs, day.weights, tail), rel=1e-6)
    assert tail == 1.0 or tail_mean(day.costs, day.weights, min(2 * tail, 1)) < 0.999 * tail_mean(day.costs, day.weights, tail)


@pytest.mark.parametrize(("variant", "share"), [("radius_10", 0.1), ("radius_30", 0.3), ("radius_absolute", None)])
def test_the_radius_of_the_settings_is_that_of_the_decision(made: Callable[[str], Made], variant: str, share: float | None) -> None:
    """The slope of the cost over the radius, and where it ends, follow from costs and distances alone."""
    day = made(variant)
    median = float(np.median(day.apart[np.triu_indices(len(day.apart), k=1)]))
    radius = 0.02 if share is None else share * median
    expected = worst_mean(day.costs, day.weights, day.apart, radius)
    assert day.minimised == pytest.approx(expected, rel=1e-5)
    assert worst_mean(day.costs, day.weights, day.apart, 1.2 * radius) > expected * (1 + 1e-4), "a radius that matters"
