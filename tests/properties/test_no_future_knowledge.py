"""Nothing is decided from what became known later: later knowledge is replaced by absurd values, and no earlier decision changes."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from pipeline.cases.load import load_case
from pipeline.core.clock import QUARTER_S, from_epoch
from pipeline.stages.asked import request
from pipeline.stages.deciding import schedule
from pipeline.stages.forecasting import forecast
from pipeline.stages.opening import open_day_ahead
from pipeline.store.observations import ObservationBatch
from pipeline.store.overrides import Override
from pipeline.store.sessions import SessionBatch
from pipeline.store.warehouse import Warehouse
from tests.whole_day import at_home, copied, run_day_ahead, run_real_time, table

DEFAULT, MARCH_DAY = "networked_microgrids_66_simbench", "2016-03-16"
TINY = {"case": "tiny", "variant": "deterministic"}
BATTERY, STEP = "f01_battery", 61  # the first quarter of an hour, in the evening: vehicles come and go around it
LATE = 4  # of `tiny`: values are hourly and known a quarter-hour after the hour, so the last four quarters are not known yet


@contextmanager
def _sql(home: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(home / "warehouse.sqlite")) as connection, connection:
        yield connection


def poison(home: Path, known_after: int, *, valid_from: int = 0) -> None:
    """Absurd values for all that became known after a moment (of intervals from `valid_from` on), and words spoken later."""
    with _sql(home) as sql:
        later = (known_after, valid_from)
        # Absurd, and still within what the grid can carry: a day that breaks a gate would not be published at all.
        changed = sql.execute("UPDATE observations SET value = value * (CASE WHEN series_id IN (SELECT series_id FROM series WHERE "
                              "series = 'price') THEN -9 ELSE 0.25 END) WHERE known_at > ? AND valid_from >= ?", later).rowcount
        sql.execute("UPDATE sessions SET need_kwh = 1, charger_kw = 99, departure = arrival + 900 WHERE known_at > ? AND arrival >= ?",
                    later)
        assert changed > 0
        for number, (name,) in enumerate(sql.execute("SELECT DISTINCT namespace FROM series").fetchall()):
            sql.execute("INSERT INTO overrides VALUES (?, ?, ?, 'out', 1, 0, 4000000000, 'a', 'poison', ?, 0, ?)",
                        (f"poison-{number}", name, BATTERY, known_after + 1, 1000 + number))


def test_a_day_ahead_run_of_march_reads_nothing_known_later(default_histories: Path, tmp_path: Path) -> None:
    case = load_case(DEFAULT, variant="deterministic")
    issue = case.day(date.fromisoformat(MARCH_DAY)).at(case.settings.day_ahead_issue_local, days_before=1)
    clean, poisoned = (copied(default_histories, tmp_path / name) for name in ("clean", "poisoned"))
    poison(poisoned, issue)
    made = []
    for home in (clean, poisoned):
        with at_home(home) as opened:
            run_id = schedule(forecast(open_day_ahead(request({"case": DEFAULT, "variant": "deterministic", "date": MARCH_DAY}))))
            tables = {name: opened.lake.files.read(opened.lake.path(run_id, name)) for name in opened.lake.tables(run_id)}
            made.append({**tables, "run": run_id})
    assert {"forecasts", "schedule", "costs", "states"} <= set(made[0])
    assert made[0] == made[1]


# ------------------------------------------------------------------ real time


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home of `tiny` with the day-ahead schedule published."""
    home = tmp_path_factory.mktemp("planned")
    run_day_ahead(home, **TINY)
    return home


@pytest.fixture(scope="module")
def clean(planned: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = copied(planned, tmp_path_factory.mktemp("clean") / "home")
    run_real_time(home, **TINY)
    return home


def _start_and_issue(step: int) -> tuple[int, int]:
    case = load_case("tiny", variant="deterministic")
    start = case.day(case.default_date).start + QUARTER_S * (step - 1)
    return start, start - 60 * case.settings.real_time_lead_min


def _until(table: pa.Table, last: int, column: str = "step") -> pa.Table:
    return table.filter(pc.less_equal(table[column], last)).drop_columns(["run_id"])


def _dispatched(home: Path) -> np.ndarray:
    settlement = table(home, "settlement")
    return settlement.filter(pc.equal(settlement["tie"], "grid")).sort_by("step")["dispatched_kw"].to_numpy()


def _forecasts(home: Path, issued_until: int) -> pa.Table:
    """What real time forecast up to an issue time."""
    rows = table(home, "forecasts")
    moment = pa.scalar(from_epoch(issued_until), pa.timestamp("us", tz="UTC"))
    return rows.filter(pc.and_(pc.equal(rows["stage"], "real_time"), pc.less_equal(rows["issued_at"], moment))).drop_columns(["run_id"])


def test_a_step_is_decided_before_its_own_interval_is_known(planned: Path, clean: Path, tmp_path: Path) -> None:
    """All that concerns interval k and later is absurd, from its issue time on: steps 1..k decide the same, what they settle differs."""
    home = copied(planned, tmp_path / "home")
    start, issue = _start_and_issue(STEP)
    poison(home, issue, valid_from=start)
    run_real_time(home, **TINY)
    assert np.array_equal(_dispatched(home)[:STEP], _dispatched(clean)[:STEP])
    assert not np.array_equal(_dispatched(home)[STEP:], _dispatched(clean)[STEP:])
    assert _forecasts(home, issue).equals(_forecasts(clean, issue))
    assert _until(table(home, "dispatch"), STEP - 1).equals(_until(table(clean, "dispatch"), STEP - 1))
    realised = [table(one, "settlement").sort_by("step")["realised_kw"].to_numpy()[STEP - 1] for one in (home, clean)]
    assert realised[0] != realised[1]


def test_all_that_was_known_after_the_issue_time_is_absurd(planned: Path, clean: Path, tmp_path: Path) -> None:
    """Also what came in the intervals that run or ended just before: forecasts hold up to k, and decisions as long as the state does.

    The state that an interval starts from is what the plant then measures, so it follows from the intervals before it, however late
    their metered values arrive: those of the hour before k are known after the issue time of k.
    """
    home = copied(planned, tmp_path / "home")
    _, issue = _start_and_issue(STEP)
    poison(home, issue)
    run_real_time(home, **TINY)
    assert _forecasts(home, issue).equals(_forecasts(clean, issue))
    assert _forecasts(home, issue).num_rows == STEP * 4 * len(load_case("tiny").series)
    assert np.array_equal(_dispatched(home)[: STEP - LATE], _dispatched(clean)[: STEP - LATE])
    assert not np.array_equal(_dispatched(home)[STEP:], _dispatched(clean)[STEP:])


def test_a_word_binds_from_when_it_is_said_until_it_is_withdrawn(planned: Path, clean: Path, tmp_path: Path) -> None:
    """A withdrawal must not reach back: the steps between word and withdrawal were decided under the word."""
    said, withdrawn = tmp_path / "said", tmp_path / "withdrawn"
    case = load_case("tiny", variant="deterministic")
    day = case.day(case.default_date)
    word = Override("tiny", BATTERY, "out", 1.0, day.start, day.end, "operator", "inspection", _start_and_issue(20)[1])
    for home, words in ((said, [word]), (withdrawn, [word, replace(word, known_at=_start_and_issue(40)[1], withdrawn=True)])):
        copied(planned, home)
        warehouse = Warehouse.open(home)
        for one in words:
            warehouse.add_override(one)
        warehouse.close()
        run_real_time(home, **TINY)
    battery = {home: _injection(home, BATTERY) for home in (clean, said, withdrawn)}
    assert np.array_equal(battery[said][:19], battery[clean][:19])
    assert np.abs(battery[said][19:]).max() < 1e-9 < np.abs(battery[clean][19:]).max()
    assert np.array_equal(battery[withdrawn][:39], battery[said][:39])
    assert np.abs(battery[withdrawn][39:]).max() > 1e-9


def _injection(home: Path, device: str) -> np.ndarray:
    rows = table(home, "dispatch").filter(pc.field("device") == device)
    return rows.filter((pc.field("quantity") == "injection") & (pc.field("carrier") == "active")).sort_by("step")["value"].to_numpy()


def test_a_vehicle_that_changes_its_mind_is_believed_from_then_on(planned: Path, clean: Path, tmp_path: Path) -> None:
    """A later version of a session leaves the decisions alone that were made under the earlier one."""
    home = copied(planned, tmp_path / "home")
    _, issue = _start_and_issue(80)
    with _sql(home) as sql:
        fleet, session, arrival, departure, need, charger = sql.execute(
            "SELECT fleet, session, arrival, departure, need_kwh, charger_kw FROM sessions "
            "WHERE known_at < ? AND departure BETWEEN ? AND ? ORDER BY known_at DESC",
            (_start_and_issue(70)[1], _start_and_issue(95)[0], _start_and_issue(97)[0])).fetchone()
    warehouse = Warehouse.open(home)
    receipt = warehouse.add_sessions("tiny", SessionBatch(
        [fleet], np.array([arrival]), np.array([departure - 1200]), np.array([need]), np.array([charger]), np.array([issue]), [session]),
        source="test", ingested_at=issue, trust_known_at=True)
    warehouse.close()
    assert receipt.versions_added == 1
    run_real_time(home, **TINY)
    assert np.array_equal(_dispatched(home)[:79], _dispatched(clean)[:79])


# ------------------------------------------------------------------ late corrections


def test_a_late_correction_is_seen_from_when_it_was_known(planned: Path, tmp_path: Path) -> None:
    case = load_case("tiny", variant="deterministic")
    day = case.day(case.default_date)
    issue = day.at(case.settings.day_ahead_issue_local, days_before=1)
    before, after = (from_epoch(moment).isoformat() for moment in (issue - 7200, issue - 60))
    clean, corrected = (copied(planned, tmp_path / name) for name in ("clean", "corrected"))
    load = next(series.id for series in case.series if series.kind == "load")
    warehouse = Warehouse.open(corrected)
    starts = issue - 86400 + 3600 * np.arange(10)
    none = np.zeros(10, np.int16)
    batch = ObservationBatch([load], none.astype(np.int32), starts, np.full(10, issue - 3600), np.full(10, 1e3), none, [3600])
    assert warehouse.add_observations("tiny", batch, source="late", ingested_at=issue - 3600, trust_known_at=True).versions_added > 0
    warehouse.close()
    runs = {(home.name, moment): run_day_ahead(home, **TINY, as_of=moment, replace=True)["run_id"]
            for home in (clean, corrected) for moment in (before, after)}
    assert runs["clean", before] == runs["corrected", before]
    assert runs["clean", after] != runs["corrected", after]
    forecasts = {}
    for (name, moment), run_id in runs.items():
        with at_home(tmp_path / name) as home:
            forecasts[name, moment] = home.lake.read(run_id, "forecasts").drop_columns(["run_id"])
    assert forecasts["clean", before].equals(forecasts["corrected", before])
    assert not forecasts["clean", after].equals(forecasts["corrected", after])
