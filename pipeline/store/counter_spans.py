"""Where the readings of a meter's counter begin and end in every import, so that the difference to those of the next file is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import sqlalchemy as sa

from pipeline.store.ingests import withdrawn_imports
from pipeline.store.schema import COUNTER_SPANS


@dataclass(frozen=True)
class CounterSpan:
    """First and last reading of one import, UTC epoch seconds and as the source counts; `factor` makes the unit of the series times hours
    of it, `said_at` is when it was known as the source says (0 where it says nothing)."""

    series: str
    first_at: int
    first_count: float
    last_at: int
    last_count: float
    factor: float
    said_at: int


def add(connection: sa.Connection, namespace: str, source: str, sequence: int, spans: Sequence[CounterSpan]) -> None:
    """Enter what one import read, inside the caller's transaction."""
    if spans:
        stamp = {"namespace": namespace, "source": source, "ingest_seq": sequence}
        connection.execute(sa.insert(COUNTER_SPANS), [stamp | asdict(one) for one in spans])


def beside(connection: sa.Connection, namespace: str, source: str, series: str, *, first: int, last: int) -> list[CounterSpan]:
    """Spans that reach over `first` or over `last`, one of each at most, the nearest that ends before and the nearest that begins after;
    not of imports that were taken back."""
    s = COUNTER_SPANS.c
    asked = sa.select(s.series, s.first_at, s.first_count, s.last_at, s.last_count, s.factor, s.said_at).where(
        s.namespace == namespace, s.source == source, s.series == series, s.ingest_seq.notin_(withdrawn_imports(connection, namespace)))
    wanted = (
        asked.where(s.last_at >= first, s.first_at < first),
        asked.where(s.last_at > last, s.first_at <= last),
        asked.where(s.last_at < first).order_by(s.last_at.desc(), s.ingest_seq.desc()),
        asked.where(s.last_at > last, s.first_at > last).order_by(s.first_at, s.ingest_seq.desc()),
    )
    found = (connection.execute(one.limit(1)).first() for one in wanted)
    return [CounterSpan(*row) for row in found if row is not None]
