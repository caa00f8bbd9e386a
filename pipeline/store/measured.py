"""The state of the plant as it was measured, versioned like observations: a correction or a withdrawal is a further version."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import sqlalchemy as sa

from pipeline.core.errors import InputError, Mistake
from pipeline.store.ingests import IngestedFile, Receipt, log_ingest, next_sequence
from pipeline.store.schema import MEASURED_STATES


@dataclass(frozen=True)
class MeasuredState:
    """`quantity` of a device at `measured_at` (UTC epoch seconds), named and in the unit of the table `states`."""

    namespace: str
    device: str
    quantity: str
    measured_at: int
    value: float
    author: str
    known_at: int
    withdrawn: bool = False

    @property
    def key(self) -> tuple[str, str, int]:
        """What its versions share."""
        return self.device, self.quantity, self.measured_at


def add(
    connection: sa.Connection, namespace: str, states: Sequence[MeasuredState], *, source: str, ingested_at: int,
    file: IngestedFile | None = None,
) -> Receipt:
    """Append what is new or changed, inside the caller's transaction. Raises InputError for an author or a number that is missing."""
    mistakes = [mistake for state in states for mistake in _mistakes(state)]
    if mistakes:
        raise InputError(mistakes)
    latest = {state.key: state for state in _rows(connection, MEASURED_STATES.c.namespace == namespace,
                                                  MEASURED_STATES.c.device.in_(sorted({state.device for state in states})))}
    entry, sequence, entries, first = _last_entry(connection), next_sequence(connection), [], 0
    for state in states:
        before = latest.get(state.key)
        if before is not None and (before.value, before.withdrawn) == (state.value, state.withdrawn):
            continue
        first += before is None
        entry += 1
        latest[state.key] = state
        entries.append(asdict(state) | {"withdrawn": int(state.withdrawn), "entry": entry, "ingest_seq": sequence})
    receipt = Receipt(first, len(entries) - first, len(states) - len(entries), sequence)
    log_ingest(connection, namespace, sequence, source=source, ingested_at=ingested_at, receipt=receipt, file=file)
    if entries:
        connection.execute(sa.insert(MEASURED_STATES), entries)
    return receipt


def _last_entry(connection: sa.Connection) -> int:
    return int(connection.execute(sa.select(sa.func.coalesce(sa.func.max(MEASURED_STATES.c.entry), 0))).scalar_one())


def withdraw(connection: sa.Connection, namespace: str, sequence: int, *, others: Sequence[int], now: int) -> tuple[int, int] | None:
    """Make an end of what an import brought: its states are again what was said before it, or are withdrawn. How many of each; None
    where it brought none. `others` are imports that were taken back before."""
    m = MEASURED_STATES.c
    brought = sa.select(m.device).where(m.namespace == namespace, m.ingest_seq == sequence)
    versions: dict[tuple[str, str, int], list[tuple[int, MeasuredState]]] = {}
    for by, state in _entries(connection, m.namespace == namespace, m.device.in_(brought)):
        versions.setdefault(state.key, []).append((by, state))
    ours = [told for told in versions.values() if any(by == sequence for by, _ in told)]
    entry, entries = _last_entry(connection), list[dict[str, Any]]()
    for told in (told for told in ours if told[-1][0] == sequence):
        stands = [(by, state) for by, state in told if by not in (sequence, *others)]
        by, origin = stands[-1] if stands else told[-1]
        gone = origin.withdrawn or not stands
        entries.append(asdict(origin) | {"known_at": max(told[-1][1].known_at + 1, int(now)), "withdrawn": int(gone),
                                         "entry": entry + 1 + len(entries), "ingest_seq": by})
    if entries:
        connection.execute(sa.insert(MEASURED_STATES), entries)
    gone_count = sum(entry["withdrawn"] for entry in entries)
    return (len(entries) - gone_count, gone_count) if ours else None


def _mistakes(state: MeasuredState) -> list[Mistake]:
    place, mistakes = f"state of {state.device}", []
    if not abs(state.value) < float("inf"):
        mistakes.append(Mistake(place, f"{state.quantity} is not a finite number", "give the number that was measured"))
    if not state.author.strip():
        mistakes.append(Mistake(place, "has no author", "give an author: it is kept with the decision"))
    return mistakes


def _entries(connection: sa.Connection, *conditions: sa.ColumnElement[bool]) -> list[tuple[int, MeasuredState]]:
    """Versions in the order in which they became known, each with the number of the import that brought it."""
    m = MEASURED_STATES.c
    statement = sa.select(MEASURED_STATES).where(*conditions).order_by(m.known_at, m.entry)
    return [(int(row.ingest_seq), MeasuredState(row.namespace, row.device, row.quantity, int(row.measured_at), row.value, row.author,
                                                int(row.known_at), bool(row.withdrawn))) for row in connection.execute(statement)]


def _rows(connection: sa.Connection, *conditions: sa.ColumnElement[bool]) -> list[MeasuredState]:
    return [state for _, state in _entries(connection, *conditions)]


def read(connection: sa.Connection, namespace: str, *, start: int, end: int, as_of: int) -> list[MeasuredState]:
    """Every version known at `as_of` of what was measured in [start, end), withdrawals too, in the order in which they became known."""
    m = MEASURED_STATES.c
    return _rows(connection, m.namespace == namespace, m.measured_at >= int(start), m.measured_at < int(end), m.known_at <= int(as_of))


def standing(states: Iterable[MeasuredState]) -> list[MeasuredState]:
    """Of versions in the order in which they became known, the latest of each; what was withdrawn is gone."""
    latest = {state.key: state for state in states}
    return [state for state in latest.values() if not state.withdrawn]


def has_device(connection: sa.Connection, namespace: str, device: str) -> bool:
    """True when anything was ever measured of a device: then new measurements are live, not a first import."""
    m = MEASURED_STATES.c
    return connection.execute(sa.select(m.entry).where(m.namespace == namespace, m.device == device)).first() is not None
