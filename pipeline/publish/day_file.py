"""The day file of a table: the rows of the runs that are current, whole, in one order. A pure function of SQL and the lake."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.core.errors import FeederflowError, GateFailed, Mistake
from pipeline.store.lake import Lake
from pipeline.store.parquet import sorted_rows
from pipeline.store.runs import RunRecord
from pipeline.store.warehouse import Warehouse
from pipeline.tables import TABLES, Table

DAY_AHEAD, REAL_TIME = "day_ahead", "real_time"


class BrokenChain(FeederflowError):
    """The runs of a day do not hang together, or this home does not hold them."""


@dataclass(frozen=True)
class Part:
    """One table of one run, and the steps that the run decided."""

    table: pa.Table
    steps: frozenset[int]


def chain_of(warehouse: Warehouse, run_id: str) -> list[RunRecord]:
    """A real-time run and those before it on its delivery day, oldest first; a day-ahead run alone."""
    last = warehouse.run(run_id)
    if last is None:
        raise BrokenChain(f"run {run_id} is not in the warehouse")
    if last.product != REAL_TIME:
        return [last]
    same_day = {
        run.run_id: run for run in warehouse.runs(case=last.case, variant=last.variant, product=REAL_TIME, delivery_date=last.delivery_date)
    }
    chain = [last]
    while before := [parent for parent in chain[-1].parents if parent in same_day]:
        if len(before) > 1 or same_day[before[0]] in chain:
            raise BrokenChain(f"run {chain[-1].run_id} follows {' and '.join(before)}: a real-time run follows one run at most")
        chain.append(same_day[before[0]])
    return chain[::-1]


def steps_of(run: RunRecord) -> frozenset[int]:
    """Steps that a run covers, from its parameter `steps` (first and last, inclusive); empty when it names none."""
    first, last = run.parameters.get("steps", (1, 0))
    return frozenset(range(int(first), int(last) + 1))


def tables_of_day(warehouse: Warehouse, lake: Lake, run_ids: Sequence[str]) -> dict[str, pa.Table]:
    """Tables of the runs that are current for a day, merged and sorted by key; by name, in the order of the contracts."""
    chains = [chain_of(warehouse, run_id) for run_id in run_ids]
    written = {run.run_id: set(lake.tables(run.run_id)) for chain in chains for run in chain}
    for run_id, names in written.items():
        if not names:
            raise BrokenChain(f"the lake {lake.files.base} holds no table of run {run_id}: is this the home that belongs to the warehouse?")
    tables = {}
    for name, contract in TABLES.items():
        present = [[run for run in chain if name in written[run.run_id]] for chain in chains]
        merged = [_merge(contract, [Part(_checked(contract, lake, run), steps_of(run)) for run in chain]) for chain in present if chain]
        if merged:
            tables[name] = sorted_rows(pa.concat_tables(merged), contract.key)
    return tables


def _checked(contract: Table, lake: Lake, run: RunRecord) -> pa.Table:
    """A run's table, or GateFailed when its columns are not those of the contract or an empty cell stands where none may."""
    table, place = lake.read(run.run_id, contract.name), f"table {contract.name} of run {run.run_id}"
    fields = [(field.name, field.type) for field in contract.schema]
    if [(field.name, field.type) for field in table.schema] != fields:
        raise GateFailed(Mistake(place, f"has columns {table.schema.names}", f"write {[name for name, _ in fields]}"))
    empty = [column.name for column in contract.columns if not column.nullable and table[column.name].null_count]
    if empty:
        raise GateFailed([Mistake(f"{place}, column {name}", "has empty cells", "fill them") for name in empty])
    return table.cast(contract.schema)


def _merge(contract: Table, parts: list[Part]) -> pa.Table:
    """Rows of a chain, oldest run first: of what a later run decided again, its rows stand.

    Rows of a step fall with the step. Rows that belong to no step, or to an issue time, are replaced by key; they fall with
    their run when every step of it was decided again.
    """
    if len(parts) == 1:
        return parts[0].table
    by_step = "step" in contract.key and "issued_at" not in contract.key
    kept, later = [], frozenset[int]()
    for part in reversed(parts):
        if by_step:
            steps = part.table["step"].to_numpy()
            kept.append(part.table.filter(pa.array(~np.isin(steps, _array(later)))))
            later |= part.steps | frozenset(steps.tolist())
        else:
            if not part.steps or not part.steps <= later:
                kept.append(part.table)
            later |= part.steps
    merged = pa.concat_tables(kept[::-1])
    return merged if by_step else _last_of_key(merged, contract.key)


def _array(steps: frozenset[int]) -> NDArray[np.int64]:
    return np.array(sorted(steps), np.int64)


def _last_of_key(table: pa.Table, key: tuple[str, ...]) -> pa.Table:
    order = table.append_column("_order", pa.array(np.arange(table.num_rows)))
    last = order.group_by(list(key)).aggregate([("_order", "max")])["_order_max"]
    return table.take(pa.array(np.sort(last.to_numpy())))
