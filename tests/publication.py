"""Small runs to publish, for tests of the ledger and of crashes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from pipeline.store.lake import Lake
from pipeline.store.runs import RunRecord
from pipeline.store.warehouse import Warehouse
from pipeline.tables import TABLES

DATE = "2016-06-15"
T0 = 1_465_941_600


def day_ahead_run(run_id: str, issued_at: int, **more: Any) -> RunRecord:
    fields = {"case": "tiny", "variant": "default", "method": "stochastic", "delivery_date": DATE, **more}
    return RunRecord(run_id, "day_ahead", issued_at=issued_at, as_of=issued_at, **fields)


def real_time_run(run_id: str, steps: tuple[int, int], parents: Sequence[str] = (), **more: Any) -> RunRecord:
    fields: dict[str, Any] = {"case": "tiny", "variant": "default", "method": "stochastic", "delivery_date": DATE}
    fields |= {"issued_at": T0 + 900 * (steps[0] - 1), **more}
    return RunRecord(run_id, "real_time", as_of=fields["issued_at"], parents=tuple(parents), parameters={"steps": list(steps)}, **fields)


def costs(run_id: str, stage: str, value: float) -> pa.Table:
    return TABLES["costs"].build({"run_id": [run_id], "stage": [stage], "term": ["total"], "value": [value], "currency": ["USD"]})


def states(run_id: str, steps: tuple[int, int], value: float = 0.0, stage: str = "real_time") -> pa.Table:
    covered = list(range(steps[0], steps[1] + 1))
    count = len(covered)
    return TABLES["states"].build({
        "run_id": [run_id] * count, "stage": [stage] * count, "step": covered, "valid_from": [T0 + 900 * (step - 1) for step in covered],
        "device": ["battery"] * count, "quantity": ["energy_kwh"] * count, "unit": ["kWh"] * count, "value": [value] * count,
        "measured_value": [None] * count,
    })


def finding(run_id: str, stage: str, severity: str = "info", place: str = "f01_b02") -> pa.Table:
    return TABLES["findings"].build({
        "run_id": [run_id], "stage": [stage], "severity": [severity], "check": ["voltage"], "place": [place], "message": ["low"],
        "value": [0.94], "limit": [0.95],
    })


def enter(warehouse: Warehouse, lake: Lake, run: RunRecord, tables: dict[str, pa.Table] | None = None, status: str = "done") -> RunRecord:
    """Register and finish a run, with tables of its own unless given."""
    if tables is None:
        steps = tuple(run.parameters.get("steps", (1, 4)))
        tables = {"costs": costs(run.run_id, run.product, float(run.issued_at)), "states": states(run.run_id, steps, stage=run.product)}
    warehouse.register_run(run)
    lake.write(run.run_id, tables)
    warehouse.finish_run(run.run_id, status=status)
    return run
