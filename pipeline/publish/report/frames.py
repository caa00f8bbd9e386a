"""Published tables as numpy rows on the day's grids. Reads what it is given and computes nothing that was decided elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.cases.case import Case
from pipeline.core.clock import QUARTER_S, DeliveryDay, Instants
from pipeline.publish.report.axis import Floats, TimeGrid
from pipeline.tables import TABLES

Key = tuple[str, ...]
Rows = dict[Key, Floats]


def where(table: pa.Table, **equal: str) -> pa.Table:
    """Rows in which every named column equals the given value."""
    for column, value in equal.items():
        table = table.filter(pc.equal(table[column], value))
    return table


def instants(table: pa.Table, column: str = "valid_from") -> Instants:
    """An instant column as UTC epoch seconds."""
    return np.asarray(table[column].combine_chunks().cast(pa.timestamp("us", tz="UTC")).cast(pa.int64()).to_numpy() // 1_000_000)


def numbers(table: pa.Table, column: str) -> Floats:
    """A number column, NaN for null."""
    return np.asarray(table[column].to_numpy(zero_copy_only=False), dtype=np.float64)


def rows_on(grid: TimeGrid, table: pa.Table, keys: tuple[str, ...], value: str = "value") -> Rows:
    """Long table -> one row (T,) on the grid per distinct key, in the table's order."""
    if not table.num_rows:
        return {}
    code = np.zeros(table.num_rows, dtype=np.int64)
    for key in keys:
        column = table[key].combine_chunks().dictionary_encode()
        code = code * len(column.dictionary) + column.indices.to_numpy()
    _, first, inverse = np.unique(code, return_index=True, return_inverse=True)
    names = [tuple(str(table[key][int(row)].as_py()) for key in keys) for row in first]
    out = np.full((len(first), len(grid)), np.nan)
    at = (instants(table) - grid.starts[0]) // grid.step_s
    inside = (at >= 0) & (at < len(grid))
    out[inverse[inside], at[inside]] = numbers(table, value)[inside]
    return dict(zip(names, out, strict=True))


@dataclass(frozen=True)
class DayTables:
    """The published tables of one delivery day of one case and variant."""

    case: Case
    day: DeliveryDay
    tables: Mapping[str, pa.Table]

    def table(self, name: str) -> pa.Table:
        """A table, empty where it was not published."""
        return self.tables.get(name, TABLES[name].empty())

    @cached_property
    def quarters(self) -> TimeGrid:
        return TimeGrid("q", self.day.starts(15), QUARTER_S, self.day)

    @cached_property
    def plan_grid(self) -> TimeGrid:
        """The grid of the day-ahead schedule, as published; before one exists, as the settings declare it."""
        step_s = _step_s(instants(self.table("schedule")), 60 * self.case.settings.day_ahead_step_min)
        return TimeGrid("p", self.day.starts(step_s // 60), step_s, self.day)

    @cached_property
    def plan(self) -> Rows:
        """Probability-weighted day-ahead schedule by (network, device, bus, carrier, quantity)."""
        table = self.table("schedule")
        return rows_on(self.plan_grid, where(table, scenario="expected"), ("network", "device", "bus", "carrier", "quantity"))

    @cached_property
    def settled(self) -> Rows:
        """Settled dispatch by (network, device, bus, carrier, quantity)."""
        return rows_on(
            self.quarters, where(self.table("dispatch"), scenario="settled"), ("network", "device", "bus", "carrier", "quantity")
        )

    @cached_property
    def dispatched_steps(self) -> int:
        """Quarter-hours with a settled dispatch."""
        return len(np.unique(instants(where(self.table("dispatch"), scenario="settled"))))

    def stage_of(self, name: str) -> str:
        """`real_time` where the table has such rows, else `day_ahead`."""
        stages = set(self.table(name)["stage"].unique().to_pylist())
        return "real_time" if "real_time" in stages else "day_ahead"

    def grid_of(self, stage: str) -> TimeGrid:
        return self.quarters if stage == "real_time" else self.plan_grid

    @property
    def has_dispatch(self) -> bool:
        return bool(self.settled)

    @property
    def best(self) -> tuple[Rows, TimeGrid, str]:
        """What is known best of the day: settled dispatch, before it the schedule."""
        if self.settled:
            return self.settled, self.quarters, "settled dispatch"
        return self.plan, self.plan_grid, "day-ahead schedule (no dispatch yet)"


def _step_s(starts: Instants, default: int) -> int:
    distinct = np.unique(starts)
    return int(np.diff(distinct).min()) if len(distinct) > 1 else default


def records(table: pa.Table) -> list[dict[str, Any]]:
    return list(table.to_pylist())
