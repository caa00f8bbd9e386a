"""The warehouse: observations, sessions, overrides, runs and what is published, on SQLite or PostgreSQL."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.pool import NullPool

from pipeline.core.errors import InputError, Mistake
from pipeline.store import corrections as _corrections
from pipeline.store import counter_spans as _counter_spans
from pipeline.store import ingests as _ingests
from pipeline.store import measured as _measured
from pipeline.store import observations as _observations
from pipeline.store import overrides as _overrides
from pipeline.store import runs as _runs
from pipeline.store import seen_files as _seen_files
from pipeline.store import sessions as _sessions
from pipeline.store import withdrawals as _withdrawals
from pipeline.store.counter_spans import CounterSpan
from pipeline.store.measured import MeasuredState
from pipeline.store.observations import IngestedFile, ObservationBatch, Observations, Receipt
from pipeline.store.overrides import Override
from pipeline.store.runs import RunRecord
from pipeline.store.schema import LOCK_WRITE, apply_schema, is_complete
from pipeline.store.seen_files import SeenFile
from pipeline.store.sessions import SessionBatch, Sessions
from pipeline.store.sqlite_file import answering, looking_engine
from pipeline.store.withdrawals import Withdrawal

URL_VARIABLE = "FEEDERFLOW_WAREHOUSE_URL"
SQLITE_NAME = "warehouse.sqlite"  # in the home folder
BUSY_TIMEOUT_MS = 60_000


def _engine(url: str) -> sa.Engine:
    """Engine of an address. No pool: a forked worker must never share a connection with its parent."""
    parsed = sa.make_url(url)
    if parsed.drivername in ("postgresql", "postgres"):
        parsed = parsed.set(drivername="postgresql+psycopg")
    if parsed.get_backend_name() not in ("sqlite", "postgresql"):
        raise InputError(Mistake(URL_VARIABLE, f"'{parsed.get_backend_name()}' is not supported", "use postgresql:// or sqlite:///"))
    engine = sa.create_engine(parsed, poolclass=NullPool)
    if engine.dialect.name == "sqlite":
        sa.event.listen(engine, "connect", _prepare_sqlite)
        sa.event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves: the driver's own guess locks too late
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")  # first: switching to WAL may have to wait, too
    _switch_to_wal(cursor)
    for setting in ("synchronous = FULL", "foreign_keys = ON", "cache_size = -65536"):
        cursor.execute(f"PRAGMA {setting}")
    cursor.close()


def _switch_to_wal(cursor: Any) -> None:
    """Of two that switch a new file at once SQLite refuses the later one without any wait: it asks again."""
    ends = time.monotonic() + BUSY_TIMEOUT_MS / 1000
    while True:
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if getattr(error, "sqlite_errorcode", None) != sqlite3.SQLITE_BUSY or time.monotonic() > ends:
                raise
            time.sleep(0.02)
        else:
            return


def _begin_sqlite(connection: sa.Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


class Warehouse:
    """Arrays in, arrays out. Every public method is one transaction."""

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine
        self._trial: sa.Connection | None = None

    @classmethod
    def open(cls, home: str | Path, *, looking: bool = False) -> Warehouse:
        """The warehouse that FEEDERFLOW_WAREHOUSE_URL names, or SQLite at `home/warehouse.sqlite`. Creates what is missing.

        looking: of SQLite in a folder that takes no writes (full, read-only), to read only. Raises InputError where it cannot be
        opened, Damaged where SQLite finds it damaged.
        """
        url = os.environ.get(URL_VARIABLE)
        if not url and looking:
            return cls(looking_engine(Path(home).resolve() / SQLITE_NAME))
        if not url:
            if "://" in str(home):
                raise InputError(Mistake("--home", f"{home} is no local folder, and SQLite needs one", f"set {URL_VARIABLE} to PostgreSQL"))
            Path(home).mkdir(parents=True, exist_ok=True)
            url = f"sqlite:///{Path(home).resolve() / SQLITE_NAME}"
        warehouse = cls(_engine(url))
        try:
            with warehouse.reading() as connection:
                complete = is_complete(connection)
            if not complete:
                with warehouse.writing() as connection:
                    apply_schema(connection)
        except sa.exc.OperationalError as error:
            said = f"the warehouse cannot be opened: {error.orig}"
            raise InputError(Mistake(warehouse.place, said, "check the address and that the server runs")) from error
        return warehouse

    @property
    def place(self) -> str:
        """Where it is, without any password."""
        return self.engine.url.render_as_string(hide_password=True)

    def unsound(self) -> str:
        """What SQLite finds wrong in its file when it reads all of it; empty where nothing is, and for PostgreSQL, which looks itself."""
        if self.engine.dialect.name != "sqlite":
            return ""
        with self.reading() as connection:
            found = [str(row[0]) for row in connection.exec_driver_sql("PRAGMA quick_check(3)")]
        return "" if found == ["ok"] else "; ".join(found)

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """One writing transaction; writers wait for each other, so that sequence numbers and reads before writes are safe."""
        if self._trial is not None:
            with self._trial.begin_nested():
                yield self._trial
            return
        with answering(self.place), self.engine.connect().execution_options(writes=True) as connection, connection.begin():
            if connection.dialect.name == "postgresql":
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK_WRITE)))
            yield connection

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """One reading transaction."""
        if self._trial is not None:
            yield self._trial
            return
        with answering(self.place), self.engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def trial(self) -> Iterator[None]:
        """All that is written inside is read inside and undone at the end. Other writers wait for that."""
        with answering(self.place), self.engine.connect().execution_options(writes=True) as connection:
            transaction = connection.begin()
            if connection.dialect.name == "postgresql":
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK_WRITE)))
            self._trial = connection
            try:
                yield
            finally:
                self._trial = None
                transaction.rollback()

    def close(self) -> None:
        self.engine.dispose()

    # ------------------------------------------------------------------ observations

    def add_observations(
        self, namespace: str, batch: ObservationBatch, *, source: str, ingested_at: int,
        file: IngestedFile | None = None, trust_known_at: bool = False, counters: Sequence[CounterSpan] = (),
    ) -> Receipt:
        """Append what is new, see `pipeline.store.corrections.add`, and the spans of the `counters` that it came from."""
        with self.writing() as connection:
            receipt = _corrections.add(
                connection, namespace, batch, source=source, ingested_at=ingested_at, file=file, trust_known_at=trust_known_at,
            )
            _counter_spans.add(connection, namespace, source, receipt.sequence, counters)
            return receipt

    def counter_spans(self, namespace: str, source: str, series: str, *, first: int, last: int) -> list[CounterSpan]:
        """Spans of a counter's imports next to another; see `pipeline.store.counter_spans.beside`."""
        with self.reading() as connection:
            return _counter_spans.beside(connection, namespace, source, series, first=first, last=last)

    def observations(self, namespace: str, series: Sequence[str], start: int, end: int, as_of: int) -> Observations:
        """All versions known at `as_of` of the intervals that overlap [start, end); see `pipeline.store.observations.read`."""
        with self.reading() as connection:
            return _observations.read(connection, namespace, series, start=start, end=end, as_of=as_of)

    def has_file(self, namespace: str, source: str, sha256: str) -> bool:
        """True when a file of this content was ingested from this source before."""
        with self.reading() as connection:
            return _ingests.has_file(connection, namespace, source, sha256)

    def seen_files(self, namespace: str, source: str) -> tuple[dict[str, SeenFile], set[str]]:
        """Files of a source as they were seen, by path, and every content that was ingested from it."""
        with self.reading() as connection:
            return _seen_files.read(connection, namespace, source), _seen_files.contents(connection, namespace, source)

    def withdrawn_files(self, namespace: str, source: str) -> dict[str, int]:
        """Contents of a source whose import was withdrawn, and its number; see `pipeline.store.ingests.withdrawn_files`."""
        with self.reading() as connection:
            return _ingests.withdrawn_files(connection, namespace, source)

    def read_again(self, namespace: str, sequence: int) -> str:
        """Let the file of a withdrawn import be read by the next import; see `pipeline.store.ingests.read_again`."""
        with self.writing() as connection:
            return _ingests.read_again(connection, namespace, sequence)

    def mark_seen(self, namespace: str, source: str, files: Sequence[SeenFile]) -> None:
        """Enter files of a source as they are now."""
        if files:
            with self.writing() as connection:
                _seen_files.mark(connection, namespace, source, files)

    def withdraw(self, namespace: str, sequence: int, *, now: int) -> Withdrawal:
        """Take an import back from `now` on; see `pipeline.store.withdrawals.withdraw`."""
        with self.writing() as connection:
            return _withdrawals.withdraw(connection, namespace, sequence, now=now)

    def newest_ingest(self) -> int:
        """Sequence number of the last import of anything: it grows with every one."""
        with self.reading() as connection:
            return _ingests.next_sequence(connection) - 1

    def has_series(self, namespace: str, series: str) -> bool:
        """True when at least one value of a series is stored: then new data are live, not a first import."""
        with self.reading() as connection:
            return _observations.has_series(connection, namespace, series)

    # ------------------------------------------------------------------ sessions and overrides

    def add_sessions(
        self, namespace: str, batch: SessionBatch, *, source: str, ingested_at: int,
        file: IngestedFile | None = None, trust_known_at: bool = False,
    ) -> Receipt:
        """Append EV sessions that are new or changed; see `pipeline.store.sessions.add`."""
        with self.writing() as connection:
            return _sessions.add(
                connection, namespace, batch, source=source, ingested_at=ingested_at, file=file, trust_known_at=trust_known_at,
            )

    def sessions(
        self, namespace: str, fleets: Sequence[str], start: int, end: int, as_of: int, *, versions: bool = False,
        past_before: int | None = None,
    ) -> Sessions:
        """Latest version, known at `as_of`, of the sessions that overlap [start, end); see `pipeline.store.sessions.read`."""
        with self.reading() as connection:
            return _sessions.read(connection, namespace, fleets, start=start, end=end, as_of=as_of, versions=versions,
                                  past_before=past_before)

    def fleets_with_sessions(self, namespace: str, fleets: Sequence[str]) -> set[str]:
        """Those of the fleets of which any session is stored: then new ones are live, not a first import."""
        with self.reading() as connection:
            return _sessions.known_fleets(connection, namespace, fleets)

    def add_override(self, override: Override) -> str:
        """Append an override or, with `withdrawn=True`, its withdrawal; returns the override's id."""
        with self.writing() as connection:
            return _overrides.add(connection, override)

    def overrides(self, namespace: str, start: int, end: int, as_of: int) -> list[Override]:
        """Overrides in force as known at `as_of` that overlap [start, end), in the order in which they were said."""
        with self.reading() as connection:
            return _overrides.read(connection, namespace, start=start, end=end, as_of=as_of)

    def words(self, namespace: str, start: int, end: int, as_of: int) -> list[Override]:
        """The same with every word that was said, withdrawals too: what was in force at an earlier moment follows from them."""
        with self.reading() as connection:
            return _overrides.said(connection, namespace, start=start, end=end, as_of=as_of)

    # ------------------------------------------------------------------ measured states

    def add_measured_states(
        self, namespace: str, states: Sequence[MeasuredState], *, source: str, ingested_at: int, file: IngestedFile | None = None,
    ) -> Receipt:
        """Append measured states that are new or changed; see `pipeline.store.measured.add`."""
        with self.writing() as connection:
            return _measured.add(connection, namespace, states, source=source, ingested_at=ingested_at, file=file)

    def measured_states(self, namespace: str, start: int, end: int, as_of: int) -> list[MeasuredState]:
        """Every version known at `as_of` of what was measured in [start, end), in the order in which they became known."""
        with self.reading() as connection:
            return _measured.read(connection, namespace, start=start, end=end, as_of=as_of)

    def has_measured(self, namespace: str, device: str) -> bool:
        """True when anything was ever measured of a device."""
        with self.reading() as connection:
            return _measured.has_device(connection, namespace, device)

    # ------------------------------------------------------------------ runs

    def register_run(self, record: RunRecord) -> RunRecord:
        """Open a run, or return the stored record of the same id; see `pipeline.store.runs.register`."""
        with self.writing() as connection:
            return _runs.register(connection, record)

    def finish_run(self, run_id: str, **figures: Any) -> RunRecord:
        """Close a run: `status`, and optionally `seconds, objective, gap, timings, parameters`."""
        with self.writing() as connection:
            return _runs.finish(connection, run_id, **figures)

    def run(self, run_id: str) -> RunRecord | None:
        """The record of a run, or None."""
        with self.reading() as connection:
            return _runs.read(connection, run_id)

    def runs(self, **conditions: str) -> list[RunRecord]:
        """Runs in the order of their issue times; conditions by `product, case, variant, method, delivery_date, status`."""
        with self.reading() as connection:
            return _runs.select(connection, **conditions)
