"""Runs: what was asked, from which knowledge, how it ended and how long it took. The run id names all but the ending."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import sqlalchemy as sa

from pipeline.core.errors import FeederflowError
from pipeline.core.ids import canonical_json
from pipeline.store.schema import RUNS

RUNNING, FAILED = "running", "failed"  # every other status is an ending with a result


class RunConflict(FeederflowError):
    """Two runs with one id but other content, or an ending without a beginning: a bug of the caller."""


@dataclass(frozen=True)
class RunRecord:
    """One run. Instants are UTC epoch seconds, `delivery_date` is ISO, `status` is running, done, degraded, time_limit, failed, ..."""

    run_id: str
    product: str
    case: str
    variant: str
    method: str
    delivery_date: str
    issued_at: int
    as_of: int
    parents: tuple[str, ...] = ()
    parameters: Mapping[str, Any] = field(default_factory=dict)
    status: str = RUNNING
    seconds: float | None = None
    objective: float | None = None
    gap: float | None = None
    timings: Mapping[str, float] = field(default_factory=dict)

    @property
    def finished(self) -> bool:
        """True when it ended with a result: asked again, it returns that."""
        return self.status not in (RUNNING, FAILED)


_SAME = ("run_id", "product", "case", "variant", "method", "delivery_date", "issued_at", "as_of", "parents")
_ENDING = ("status", "seconds", "objective", "gap", "timings", "parameters")


def _row(record: RunRecord) -> dict[str, Any]:
    values = {name: getattr(record, name) for name in _SAME + _ENDING}
    values["case_name"] = values.pop("case")
    values["parents"] = canonical_json(list(record.parents))
    values["parameters"] = canonical_json(dict(record.parameters))
    values["timings"] = canonical_json(dict(record.timings))
    return values


def _record(row: sa.Row[tuple[Any, ...]]) -> RunRecord:
    return RunRecord(
        row.run_id, row.product, row.case_name, row.variant, row.method, row.delivery_date, int(row.issued_at), int(row.as_of),
        tuple(json.loads(row.parents)), json.loads(row.parameters), row.status, row.seconds, row.objective, row.gap,
        json.loads(row.timings),
    )


def register(connection: sa.Connection, record: RunRecord) -> RunRecord:
    """Enter a run, inside the caller's transaction, and return its stored record.

    A run that ended with a result comes back as it ended (`finished` is true: reuse it); one that was killed or failed is open again.
    Raises RunConflict when the id is taken by other content.
    """
    stored = read(connection, record.run_id)
    now = int(time.time())
    if stored is None:
        connection.execute(sa.insert(RUNS), _row(record) | {"started_at": now, "finished_at": None})
        return record
    changed = [name for name in _SAME if getattr(stored, name) != getattr(replace(record, parents=tuple(record.parents)), name)]
    if changed:
        raise RunConflict(f"run {record.run_id} is stored with other {', '.join(changed)}")
    if stored.finished:
        return stored
    connection.execute(sa.update(RUNS).where(RUNS.c.run_id == record.run_id).values(status=RUNNING, started_at=now, finished_at=None))
    return replace(stored, status=RUNNING)


def finish(connection: sa.Connection, run_id: str, *, status: str, **figures: Any) -> RunRecord:
    """Close a run, inside the caller's transaction. `figures`: seconds, objective, gap, timings, parameters (added to those stored)."""
    stored = read(connection, run_id)
    if stored is None:
        raise RunConflict(f"run {run_id} was never registered")
    unknown = set(figures) - set(_ENDING)
    if unknown:
        raise RunConflict(f"a run has no {sorted(unknown)}")
    if "parameters" in figures:
        figures["parameters"] = {**stored.parameters, **figures["parameters"]}
    closed = replace(stored, status=status, **figures)
    values = {name: _row(closed)[name] for name in _ENDING}
    connection.execute(sa.update(RUNS).where(RUNS.c.run_id == run_id).values(finished_at=int(time.time()), **values))
    return closed


def read(connection: sa.Connection, run_id: str) -> RunRecord | None:
    """The record of a run, or None."""
    row = connection.execute(sa.select(RUNS).where(RUNS.c.run_id == run_id)).first()
    return None if row is None else _record(row)


def select(connection: sa.Connection, **conditions: str) -> list[RunRecord]:
    """Runs by equality of `product, case, variant, method, delivery_date, status`, in the order of issue and id."""
    statement = sa.select(RUNS)
    for name, value in conditions.items():
        statement = statement.where(RUNS.c["case_name" if name == "case" else name] == value)
    return [_record(row) for row in connection.execute(statement.order_by(RUNS.c.issued_at, RUNS.c.run_id))]
