"""Scenarios and their quality as the declared tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.cases.case import Case
from pipeline.core.clock import Instants
from pipeline.tables.scenario_departures import SCENARIO_DEPARTURES
from pipeline.tables.scenario_distances import SCENARIO_DISTANCES
from pipeline.tables.scenario_quality import SCENARIO_QUALITY
from pipeline.tables.scenarios import SCENARIOS

if TYPE_CHECKING:
    from pipeline.scenarios.reduce import Representatives


def scenario_table(found: Representatives, case: Case, starts: Instants, run_id: str) -> pa.Table:
    """Contract SCENARIOS."""
    scenario, series, step = (axis.ravel() for axis in np.indices(found.values.shape))
    names, units = pa.array([one.id for one in case.series]), pa.array([one.unit for one in case.series])
    numbers = pa.array([str(number + 1) for number in range(len(found.weights))])
    columns: dict[str, Any] = {
        "run_id": pa.repeat(run_id, scenario.size), "scenario": numbers.take(pa.array(scenario)), "series": names.take(pa.array(series)),
        "step": step + 1, "valid_from": starts[step], "unit": units.take(pa.array(series)), "value": found.values.ravel(),
        "weight": found.weights[scenario]}
    return SCENARIOS.build(columns)


def distance_table(distances: NDArray[np.float64], run_id: str) -> pa.Table:
    """Contract SCENARIO_DISTANCES from (K, K) distances."""
    one, other = (axis.ravel() for axis in np.indices(distances.shape))
    numbers = pa.array([str(number + 1) for number in range(len(distances))])
    return SCENARIO_DISTANCES.build({"run_id": pa.repeat(run_id, one.size), "from_scenario": numbers.take(pa.array(one)),
                                     "to_scenario": numbers.take(pa.array(other)), "distance_share": distances.ravel().tolist()})


def departures_table(early: NDArray[np.int64], aggregators: Sequence[str], run_id: str) -> pa.Table:
    """Contract SCENARIO_DEPARTURES from (K, A, slots) vehicles."""
    scenario, aggregator, slot = (axis.ravel() for axis in np.indices(early.shape))
    numbers = pa.array([str(number + 1) for number in range(len(early))])
    return SCENARIO_DEPARTURES.build({"run_id": pa.repeat(run_id, scenario.size), "scenario": numbers.take(pa.array(scenario)),
                                      "aggregator": pa.array(aggregators).take(pa.array(aggregator)), "due_step": (slot + 1).tolist(),
                                      "early_count": early.ravel().tolist()})


def quality_table(measures: Mapping[str, Mapping[str, float]], run_id: str) -> pa.Table:
    """Contract SCENARIO_QUALITY from method -> measure -> value."""
    rows = [(method, measure, value) for method, found in measures.items() for measure, value in found.items()]
    return SCENARIO_QUALITY.build({
        "run_id": [run_id] * len(rows), "method": [row[0] for row in rows], "measure": [row[1] for row in rows],
        "value": [float(row[2]) if np.isfinite(row[2]) else None for row in rows]})
