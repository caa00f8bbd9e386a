"""EV charging sessions, versioned like observations: a changed departure is a further version."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from pipeline.core.clock import Instants
from pipeline.core.errors import InputError, Mistake
from pipeline.core.ids import canonical_json, digest
from pipeline.store.ingests import IngestedFile, Receipt, log_ingest, next_sequence
from pipeline.store.schema import SESSIONS

Floats = NDArray[np.float64]
NEVER = int(np.iinfo(np.int64).max)
MOST_NAMES = 400  # of a statement: below the number of parameters that any SQLite takes
_COLUMNS = ("fleet", "session", "arrival", "departure", "need_kwh", "charger_kw", "known_at", "ingest_seq", "withdrawn")


@dataclass(frozen=True)
class SessionBatch:
    """Sessions to add, all of length n. `need_kwh`: stored energy wanted. `known_at`: the arrival where it is empty.

    `session` names each session within its fleet; where it is empty, the arrival and the place among equal arrivals name it.
    """

    fleet: Sequence[str]
    arrival: Instants
    departure: Instants
    need_kwh: Floats
    charger_kw: Floats
    known_at: Instants | None = None
    session: Sequence[str] = field(default=())

    def names(self) -> list[str]:
        if self.session:
            return list(self.session)
        seen: dict[tuple[str, int], int] = {}
        names = []
        for fleet, arrival in zip(self.fleet, self.arrival.tolist(), strict=True):
            seen[fleet, arrival] = seen.get((fleet, arrival), 0) + 1
            names.append(f"{arrival}.{seen[fleet, arrival]}")
        return names


@dataclass(frozen=True)
class Sessions:
    """Sessions read, sorted by fleet (in the order asked for), arrival, departure, session; arrays of shape (n,).

    `superseded_at`: when a later version of the session became known; NEVER for the latest one.
    """

    fleets: tuple[str, ...]
    fleet_index: NDArray[np.int32]
    session: tuple[str, ...]
    arrival: Instants
    departure: Instants
    need_kwh: Floats
    charger_kw: Floats
    known_at: Instants
    superseded_at: Instants

    def __len__(self) -> int:
        return int(self.arrival.size)

    def latest(self) -> Sessions:
        """Without the superseded versions."""
        keep = self.superseded_at == NEVER
        if keep.all():
            return self
        return Sessions(
            self.fleets, self.fleet_index[keep], tuple(np.array(self.session, object)[keep]), self.arrival[keep], self.departure[keep],
            self.need_kwh[keep], self.charger_kw[keep], self.known_at[keep], self.superseded_at[keep],
        )

    @property
    def fleet(self) -> list[str]:
        return [self.fleets[index] for index in self.fleet_index]

    def digest(self) -> str:
        """Hash of what was read."""
        arrays = (self.fleet_index, self.arrival, self.departure, self.need_kwh, self.charger_kw, self.known_at, self.superseded_at)
        return digest(canonical_json([self.fleets, self.session]), *(np.ascontiguousarray(array).tobytes() for array in arrays))


def add(
    connection: sa.Connection, namespace: str, batch: SessionBatch, *, source: str, ingested_at: int,
    file: IngestedFile | None = None, trust_known_at: bool = False,
) -> Receipt:
    """Append sessions that are new, and versions of those that changed. A change is known when it is ingested (see corrections.add)."""
    _check(batch)
    latest = {(row.fleet, row.session): row for row in _stored(connection, namespace, batch)}
    sequence = next_sequence(connection)
    known = batch.arrival if batch.known_at is None else batch.known_at
    entries, first_count = [], 0
    rows = zip(batch.fleet, batch.names(), batch.arrival.tolist(), batch.departure.tolist(), batch.need_kwh.tolist(),
               batch.charger_kw.tolist(), known.tolist(), strict=True)
    for fleet, session, arrival, departure, need_kwh, charger_kw, known_at in rows:
        before = latest.get((fleet, session))
        if before is not None and not before.withdrawn and tuple(before)[2:6] == (arrival, departure, need_kwh, charger_kw):
            continue
        first_count += before is None
        moment = known_at if before is None or trust_known_at else max(known_at, int(ingested_at))
        entries.append({
            "namespace": namespace, "fleet": fleet, "session": session, "arrival": arrival, "departure": departure, "need_kwh": need_kwh,
            "charger_kw": charger_kw, "known_at": moment, "ingest_seq": sequence, "withdrawn": 0,
        })
    receipt = Receipt(first_count, len(entries) - first_count, len(batch.fleet) - len(entries), sequence)
    log_ingest(connection, namespace, sequence, source=source, ingested_at=ingested_at, receipt=receipt, file=file)
    if entries:
        connection.execute(sa.insert(SESSIONS), entries)
    return receipt


def withdraw(connection: sa.Connection, namespace: str, sequence: int, *, others: Sequence[int], now: int) -> tuple[int, int] | None:
    """Make an end of what an import brought: its sessions are again what they were before it, or are not there. How many of each; None
    where it brought none. `others` are imports that were taken back before."""
    s = SESSIONS.c
    brought = sa.select(s.fleet, s.session).where(s.namespace == namespace, s.ingest_seq == sequence)
    versions: dict[tuple[str, str], list[sa.Row[tuple[Any, ...]]]] = {}
    for row in _versions(connection, namespace, sa.tuple_(s.fleet, s.session).in_(brought)):
        versions.setdefault((row.fleet, row.session), []).append(row)
    entries = []
    for told in (told for told in versions.values() if told[-1].ingest_seq == sequence):
        stands = [row for row in told if row.ingest_seq not in (sequence, *others) and not row.withdrawn]
        origin = stands[-1] if stands else told[-1]
        entries.append({**origin._mapping, "namespace": namespace, "known_at": max(told[-1].known_at + 1, int(now)),
                        "withdrawn": int(not stands)})
    if entries:
        connection.execute(sa.insert(SESSIONS), entries)
    gone = sum(entry["withdrawn"] for entry in entries)
    return (len(entries) - gone, gone) if versions else None


def _check(batch: SessionBatch) -> None:
    names = list(zip(batch.fleet, batch.names(), strict=True))
    mistakes = []
    if len(set(names)) != len(names):
        mistakes.append(Mistake("sessions", "a session is named twice in one batch", "name each session of a fleet once"))
    late = np.flatnonzero(~(batch.departure >= batch.arrival))
    sound = np.isfinite(batch.need_kwh) & np.isfinite(batch.charger_kw) & (batch.need_kwh >= 0) & (batch.charger_kw >= 0)
    places = [f"session {session} of {fleet}" for fleet, session in names]
    mistakes += [Mistake(places[row], "departs before it arrives", "mend the times") for row in late]
    mistakes += [Mistake(places[row], "need_kwh or charger_kw is negative or missing", "mend it") for row in np.flatnonzero(~sound)]
    if mistakes:
        raise InputError(mistakes)


def _versions(connection: sa.Connection, namespace: str, *conditions: sa.ColumnElement[bool]) -> list[sa.Row[tuple[Any, ...]]]:
    """Versions, oldest knowledge first: in a dictionary by session the latest one stands."""
    s = SESSIONS.c
    statement = sa.select(*(s[name] for name in _COLUMNS)).where(s.namespace == namespace, *conditions)
    return list(connection.execute(statement.order_by(s.known_at, s.ingest_seq)))


def _stored(connection: sa.Connection, namespace: str, batch: SessionBatch) -> list[sa.Row[tuple[Any, ...]]]:
    """All versions of the sessions that a batch names."""
    names, found = sorted(set(zip(batch.fleet, batch.names(), strict=True))), []
    s = SESSIONS.c
    for first in range(0, len(names), MOST_NAMES):
        part = names[first : first + MOST_NAMES]
        found += _versions(connection, namespace, sa.tuple_(s.fleet, s.session).in_(part))
    return found


def _overlapping(namespace: str, fleets: Sequence[str], start: int, end: int) -> sa.ColumnElement[bool]:
    """Sessions of which some version is at a charger in [start, end); one that leaves as it comes is where it comes."""
    s = SESSIONS.c
    inside = sa.select(s.fleet, s.session).where(
        s.namespace == namespace, s.fleet.in_(list(fleets)), s.departure >= start, s.arrival < end,
        sa.or_(s.departure > start, s.arrival == start))
    return sa.tuple_(s.fleet, s.session).in_(inside)


def known_fleets(connection: sa.Connection, namespace: str, fleets: Sequence[str]) -> set[str]:
    """Those of the fleets of which any session is stored."""
    s = SESSIONS.c
    one = sa.select(s.fleet).where(s.namespace == namespace)
    return {fleet for fleet in fleets if connection.execute(one.where(s.fleet == fleet).limit(1)).first() is not None}


def newest_before(connection: sa.Connection, namespace: str, fleet: str, *, moment: int, as_of: int) -> int | None:
    """Arrival of a fleet's last session before the moment, as known at `as_of`; None where it has none."""
    s, later = SESSIONS.c, SESSIONS.alias("later").c
    gone = sa.exists().where(
        later.namespace == s.namespace, later.fleet == s.fleet, later.session == s.session, later.withdrawn == 1,
        later.known_at >= s.known_at, later.known_at <= int(as_of))
    statement = sa.select(sa.func.max(s.arrival)).where(
        s.namespace == namespace, s.fleet == fleet, s.arrival < int(moment), s.known_at <= int(as_of), ~gone)
    found = connection.execute(statement).scalar()
    return None if found is None else int(found)


def read(
    connection: sa.Connection, namespace: str, fleets: Sequence[str], *, start: int, end: int, as_of: int, versions: bool = False,
    past_before: int | None = None,
) -> Sessions:
    """Latest version known at `as_of` of every session at a charger in [start, end); with `versions` every one known.

    past_before: of a fleet that has none from before this moment, the last ones before `start` are read too, over as long a time.
    """
    found = _read(connection, namespace, fleets, start, end, as_of, versions=versions)
    if past_before is not None:
        for fleet in sorted(set(fleets) - {row.fleet for row, _ in found if row.arrival < past_before}):
            last = newest_before(connection, namespace, fleet, moment=start, as_of=as_of)
            if last is not None:
                found += _read(connection, namespace, [fleet], last + 1 - (past_before - start), last + 1, as_of, versions=versions)
    place = {fleet: index for index, fleet in enumerate(fleets)}
    found.sort(key=lambda pair: (place[pair[0].fleet], pair[0].arrival, pair[0].departure, pair[0].session, pair[0].known_at))
    columns = list(zip(*((*row[:7], until) for row, until in found), strict=True)) or [()] * 8
    names, session, arrival, departure, need_kwh, charger_kw, known_at, until = columns
    return Sessions(
        tuple(fleets), np.array([place[name] for name in names], np.int32), tuple(session), np.array(arrival, np.int64),
        np.array(departure, np.int64), np.array(need_kwh, np.float64), np.array(charger_kw, np.float64), np.array(known_at, np.int64),
        np.array(until, np.int64),
    )


def _read(
    connection: sa.Connection, namespace: str, fleets: Sequence[str], start: int, end: int, as_of: int, *, versions: bool,
) -> list[tuple[sa.Row[tuple[Any, ...]], int]]:
    """Versions, each with the moment that superseded it."""
    rows = _versions(connection, namespace, SESSIONS.c.known_at <= int(as_of), _overlapping(namespace, fleets, start, end))
    superseded_at = [NEVER] * len(rows)
    last: dict[tuple[str, str], int] = {}
    for number, row in enumerate(rows):
        before = last.get((row.fleet, row.session))
        if before is not None:
            superseded_at[before] = row.known_at
        last[row.fleet, row.session] = number
    kept = [(rows[number], superseded_at[number]) for number in (range(len(rows)) if versions else last.values())]
    return [(row, until) for row, until in kept
            if not row.withdrawn and row.arrival < end and (row.departure > start or row.arrival >= start) and row.known_at < until]
