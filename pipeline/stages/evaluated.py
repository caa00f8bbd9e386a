"""The cells of an evaluation study side by side: its tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from pipeline.core.statistics import Interval, mean_interval, quantile_interval
from pipeline.program.linear_program import Floats
from pipeline.stages.evaluating import REALISED, known_to, read_cell
from pipeline.stages.evaluation import Cell, Plan
from pipeline.store.files import replace_file
from pipeline.store.parquet import to_parquet
from pipeline.tables.studies import STUDY_TABLES

TAIL = 0.95
WARNED = {"planned": "warnings", "met": "met_warnings"}  # stage -> field of a record
SLACKS = ("penalty_cost", "shed_kwh", "unserved_kwh", "other_slack_kwh")


@dataclass(frozen=True)
class Found:
    """The records of a study that are there. `met[cell][day]`, `perfect[day]`."""

    plan: Plan
    days: tuple[str, ...]
    met: dict[str, dict[str, dict[str, Any]]]
    perfect: dict[str, dict[str, Any]]

    @property
    def cells(self) -> list[Cell]:
        """Those of which at least one day is there."""
        return [cell for cell in self.plan.cells if self.met[cell.name]]

    def missing(self) -> list[str]:
        return [f"{day}/{cell.name}" for day in self.days for cell in self.plan.cells if day not in self.met[cell.name]]

    def sample(self, cell: Cell, against: str, field: str, days: Sequence[str]) -> Floats:
        """(D, M) values of a field of the records; `perfect_cost` of the days."""
        source = self.perfect if field == "perfect_cost" else self.met[cell.name]
        rows = [[value for name, value in zip(source[day]["scenarios"], source[day][field], strict=True)
                 if (name == REALISED) == (against == REALISED)] for day in days]
        return np.array(rows, dtype=float)


def found_of(folder: Path, plan: Plan, days: Sequence[str]) -> Found:
    """What is there of a study, as it was made with this case, code, file and knowledge."""
    known = {day: known_to(folder, plan, day) for day in days}
    met = {cell.name: {day: record for day in days if (record := read_cell(folder, plan, day, cell, known[day])) is not None}
           for cell in plan.cells}
    perfect = {day: record for day in days if (record := read_cell(folder, plan, day, None, known[day])) is not None}
    return Found(plan, tuple(days), met, perfect)


def tables_of(found: Found) -> dict[str, pa.Table]:
    """evaluation, summary, bounds, timings and warnings."""
    return {"evaluation": _evaluation(found), "summary": _summary(found), "bounds": _bounds(found), "timings": _timings(found),
            "warnings": _warnings(found)}


def write_tables(folder: Path, tables: dict[str, pa.Table]) -> dict[str, str]:
    """Each file at once; returns their paths."""
    paths = {name: folder / f"{name}.parquet" for name in tables}
    for name, table in tables.items():
        replace_file(paths[name], to_parquet(table))
    return {name: str(path) for name, path in paths.items()}


def _head(cell: Cell) -> dict[str, Any]:
    return {"treatment": cell.treatment, "parameter": cell.parameter, "parameter_value": cell.value}


def _table(name: str, rows: Sequence[dict[str, Any]]) -> pa.Table:
    return STUDY_TABLES[name].build({column.name: [row[column.name] for row in rows] for column in STUDY_TABLES[name].columns})


def _evaluation(found: Found) -> pa.Table:
    money = found.plan.case.currency
    rows = []
    for cell in found.cells:
        for day, record in found.met[cell.name].items():
            for s, scenario in enumerate(record["scenarios"]):
                rows.append({**_head(cell), "delivery_date": day, "against": "realised" if scenario == REALISED else "held_out",
                             "scenario": scenario, "cost": record["cost"][s], "perfect_cost": found.perfect[day]["perfect_cost"][s],
                             **{slack: record[slack][s] for slack in SLACKS}, "currency": money})
    return _table("evaluation", rows)


def _bounds(found: Found) -> pa.Table:
    rows = [
        {**_head(cell), "delivery_date": day, **dict(zip(("iteration", "lower", "upper", "gap_share"), row, strict=True)),
         "currency": found.plan.case.currency}
        for cell in found.cells for day, record in found.met[cell.name].items() for row in record["bounds"]
    ]
    return _table("bounds", rows)


def _timings(found: Found) -> pa.Table:
    return _table("timings", [{**_head(cell), "delivery_date": day, "way": record["way"], **record["timing"]}
                              for cell in found.cells for day, record in found.met[cell.name].items()])


def _warnings(found: Found) -> pa.Table:
    rows = [
        {**_head(cell), "delivery_date": day, "stage": stage, "place": place, "message": message}
        for cell in found.cells for day, record in found.met[cell.name].items() for stage, said in WARNED.items()
        for place, message in record[said]
    ]
    return _table("warnings", rows)


def _summary(found: Found) -> pa.Table:
    return _table("summary", [_row(found, cell, against) for cell in found.cells for against in found.plan.study.against])


def _row(found: Found, cell: Cell, against: str) -> dict[str, Any]:
    """One treatment against one kind of scenarios, over the days that it was planned on."""
    study, records = found.plan.study, found.met[cell.name]
    days = list(records)
    cost = found.sample(cell, against, "cost", days)
    mean = mean_interval(cost, study.confidence_share)
    tail = quantile_interval(cost, TAIL, study.confidence_share)
    gaps = [record["gap_share"] for record in records.values()]
    return {
        **_head(cell), "against": against, "day_count": len(days), "scenario_count": cost.shape[1],
        "confidence_share": study.confidence_share, **_interval("mean", mean), **_against_reference(found, cell, against),
        **_interval("q95", tail), "worst_cost": float(cost.max()),
        "perfect_cost": float(found.sample(cell, against, "perfect_cost", days).mean()),
        **{slack: float(found.sample(cell, against, slack, days).mean()) for slack in SLACKS},
        "starts_stops_count": float(np.mean([_switchings(record["committed"]) for record in records.values()])),
        "planned_cost": float(np.mean([record["planned_cost"] for record in records.values()])),
        "objective_cost": float(np.mean([record["objective_cost"] for record in records.values()])),
        "gap_share": None if None in gaps else max(gaps),
        "warning_count": sum(len(record[said]) for record in records.values() for said in WARNED.values()),
        "currency": found.plan.case.currency,
    }


def _interval(name: str, interval: Interval) -> dict[str, float | None]:
    return {f"{name}_cost": interval.value, f"{name}_low_cost": _or_none(interval.low), f"{name}_high_cost": _or_none(interval.high)}


def _or_none(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _against_reference(found: Found, cell: Cell, against: str) -> dict[str, Any]:
    """Paired: the same day and scenario under both, so that what both share drops out of the interval."""
    other = found.plan.reference
    days = [day for day in found.met[cell.name] if day in found.met[other.name]]
    if not days:
        return {"difference_cost": None, "difference_low_cost": None, "difference_high_cost": None, "commitment_changes_count": None}
    difference = found.sample(cell, against, "cost", days) - found.sample(other, against, "cost", days)
    changes = [_changes(found.met[cell.name][day]["committed"], found.met[other.name][day]["committed"]) for day in days]
    interval = mean_interval(difference, found.plan.study.confidence_share)
    return {**_interval("difference", interval), "commitment_changes_count": float(np.mean(changes))}


def _switchings(committed: dict[str, list[int]]) -> int:
    """Starts and stops within the day."""
    return sum(abs(after - before) for on in committed.values() for before, after in pairwise(on))


def _changes(mine: dict[str, list[int]], other: dict[str, list[int]]) -> int:
    return sum(a != b for unit, on in mine.items() for a, b in zip(on, other.get(unit, [0] * len(on)), strict=True))
