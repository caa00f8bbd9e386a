"""Vehicles of EV aggregators -> the table `ev_connection`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import pyarrow as pa

from pipeline.core.clock import Instants
from pipeline.program.linear_program import Floats, Indices
from pipeline.schedule.desk import Desk
from pipeline.schedule.long_rows import constant
from pipeline.schedule.outlook import Connections
from pipeline.tables import TABLES


def connection_table(desk: Desk, run_id: str, stage: Literal["day_ahead", "real_time"], *, scenarios: Sequence[str], columns: Floats,
                     inputs: Floats, steps: Indices, starts: Instants, planned: Connections) -> dict[str, pa.Table]:
    """Of (S, T, J) columns and (S, T, I) inputs; nothing where the case has no aggregator. planned: the matrix over the whole day."""
    a = desk.roster.aggregators
    if not a.names:
        return {}
    shape = (len(scenarios), len(a.names), len(steps))
    count = int(np.prod(shape))
    labels = np.array(scenarios, dtype=object)[:, None, None], np.array(a.names, dtype=object)[None, :, None]

    def rows(values: Floats) -> pa.Array:
        return pa.array(np.broadcast_to(values, shape).ravel())

    def along(cells: Floats) -> Floats:
        return cells.transpose(0, 2, 1)

    expected = np.stack([planned[name][1] for name in a.names])[:, steps - 1]
    energy = along(columns[:, :, a.energy])
    return {"ev_connection": TABLES["ev_connection"].build({
        "run_id": constant(run_id, count), "stage": constant(stage, count),
        "step": pa.array(np.broadcast_to(steps, shape).ravel().astype(np.int32)),
        "valid_from": pa.array(np.broadcast_to(starts, shape).ravel() * 1_000_000, pa.timestamp("us", tz="UTC")),
        "scenario": pa.array(np.broadcast_to(labels[0], shape).ravel(), pa.string()),
        "aggregator": pa.array(np.broadcast_to(labels[1], shape).ravel(), pa.string()),
        "arrivals_count": rows(along(inputs[:, :, a.arrivals])), "departures_count": rows(along(inputs[:, :, a.departures])),
        "expected_departures_count": rows(expected[None]), "connected_count": rows(along(inputs[:, :, a.connected])),
        "energy_kwh": rows(energy),
    })}
