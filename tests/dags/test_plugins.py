"""The Airflow plugins: when the timetables fire, who may read the page, and that neither slows Airflow's processes down."""

from __future__ import annotations

# ruff: noqa: E501  # scripts in strings
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.airflow

# Airflow reads its settings on first import, so it runs in a process of its own with a home of its own.
PREAMBLE = """
import json, os, sys
sys.path[:0] = ["tools", "plugins"]
from airflow_env import airflow_environment
os.environ.update(airflow_environment())
from datetime import datetime, timedelta, UTC
def done(value):
    print("RESULT" + json.dumps(value, default=str))
"""

TIMETABLES = """
before = set(sys.modules)
import market_clock
from market_clock import DayAheadIssue, GateClosure
ours = set(sys.modules) - before
import pendulum
from airflow.exceptions import AirflowTimetableInvalid
from airflow.timetables.base import TimeRestriction
from airflow.serialization.encoders import encode_timetable
from airflow.serialization.decoders import decode_timetable

def walk(timetable, start, count, end=None):
    interval, found = None, []
    restriction = TimeRestriction(earliest=pendulum.parse(start), latest=pendulum.parse(end) if end else None, catchup=True)
    for _ in range(count):
        info = timetable.next_dagrun_info(last_automated_data_interval=interval, restriction=restriction)
        if info is None:
            found.append(None)
            break
        interval = info.data_interval
        found.append([info.run_after.isoformat(), info.data_interval.start.isoformat(), info.data_interval.end.isoformat()])
    return found

def refused(timetable):
    try:
        timetable.validate()
    except AirflowTimetableInvalid as error:
        return type(error).__name__
    return None

ZONES = ("Pacific/Auckland", "Asia/Tokyo", "Asia/Kolkata", "Europe/Berlin", "Europe/London", "UTC", "America/Sao_Paulo", "America/New_York",
         "America/Los_Angeles", "Australia/Lord_Howe")

def odd_steps(zone, hour):
    # Of two years of issues at one time: whether local dates follow day by day, and what other times the clock showed.
    from zoneinfo import ZoneInfo
    timetable, interval, dates, clocks = DayAheadIssue(zone, f"{hour:02}:30"), None, [], set()
    restriction = TimeRestriction(earliest=pendulum.datetime(2015, 12, 30), latest=pendulum.datetime(2017, 12, 31), catchup=True)
    while (info := timetable.next_dagrun_info(last_automated_data_interval=interval, restriction=restriction)) is not None and len(dates) < 800:
        interval = info.data_interval
        local = datetime.fromtimestamp(interval.start.timestamp(), ZoneInfo(zone))
        dates.append(local.date())
        clocks.add(local.strftime("%H:%M"))
    gaps = {(b - a).days for a, b in zip(dates, dates[1:])}
    return [gaps == {1} and len(dates) in (731, 732, 733), sorted(clocks - {f"{hour:02}:30"})]

gate, issue = GateClosure(lead_min=5), DayAheadIssue("Europe/Berlin", "11:00")
now = datetime.now(UTC)
live = gate.next_dagrun_info(last_automated_data_interval=None, restriction=TimeRestriction(earliest=pendulum.datetime(2016, 1, 1), latest=None, catchup=False))
daily = issue.next_dagrun_info(last_automated_data_interval=None, restriction=TimeRestriction(earliest=pendulum.datetime(2016, 1, 1), latest=None, catchup=False))
done({
    "gate": walk(gate, "2016-03-27T00:50:00Z", 3), "ends": walk(gate, "2016-03-27T00:50:00Z", 9, "2016-03-27T01:10:00Z"),
    "spring": walk(issue, "2016-03-25T12:00:00Z", 3), "autumn": walk(DayAheadIssue("Europe/Berlin", "02:30"), "2016-10-29T12:00:00Z", 2),
    "live_wait_s": (live.data_interval.start - now).total_seconds(), "daily_age_s": (now - daily.run_after).total_seconds(),
    "stale": gate.next_dagrun_info(last_automated_data_interval=gate.info(gate.issue_from(now - timedelta(days=2))).data_interval, restriction=TimeRestriction(earliest=None, latest=None, catchup=False)).data_interval.start > now - timedelta(minutes=5),
    "long": walk(GateClosure(lead_min=40), "2016-03-27T00:50:00Z", 2),
    "round_trip": [decode_timetable(encode_timetable(t)).serialize() == t.serialize() for t in (GateClosure(3, 30), DayAheadIssue("Europe/London", "10:15"))],
    "refused": [refused(GateClosure(-1)), refused(GateClosure(5, 7)), refused(DayAheadIssue("Europe/Nowhere")), refused(DayAheadIssue("UTC", "25:00")), refused(gate), refused(issue)],
    "manual": gate.infer_manual_data_interval(run_after=pendulum.datetime(2016, 3, 27, 1, 1)).start.isoformat(),
    "zones": {f"{zone} {hour:02}": odd_steps(zone, hour) for zone in ZONES for hour in range(24)},
    "heavy": sorted(ours & {"pandas", "numpy", "pipeline", "plotly", "pyarrow", "fastapi", "highspy", "pyomo"}),
})
"""

PAGE = """
from pathlib import Path
home = Path(os.environ["FEEDERFLOW_HOME"])
for case, status in (("good_case", "done"), ("odd_case", "degraded")):
    folder = home / f"published/_current/case={case}/variant=default/delivery_date=2016-03-22"
    folder.mkdir(parents=True)
    (folder / "_current.json").write_text(json.dumps({"status": status, "runs": {"day_ahead": {"run_id": "da-<b>1</b>"}}}))
broken = home / "published/_current/case=broken/variant=default/delivery_date=2016-03-21"
broken.mkdir(parents=True)
(broken / "_current.json").write_text("{")
reports = home / "reports/good_case/default"
reports.mkdir(parents=True)
(reports / "2016-03-22.html").write_text("<p>the report</p>")
(home / "secret.html").write_text("secret")

before = set(sys.modules)
import schedule_page.plugin as plugin
light = not {"fastapi", "schedule_page.pages"} & (set(sys.modules) - before)
from airflow import plugins_manager
from airflow.api_fastapi.app import create_app
from fastapi.testclient import TestClient
from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
from airflow.api_fastapi.auth.managers.base_auth_manager import COOKIE_NAME_JWT_TOKEN
from airflow.utils.db import initdb
initdb()
app = create_app(apps="core")
client = TestClient(app, follow_redirects=False)
paths = ("/feederflow/", "/feederflow/report/good_case/default/2016-03-22", "/feederflow/docs", "/feederflow/openapi.json")
strangers = [client.get(path).status_code for path in paths]
from airflow.api_fastapi.app import get_auth_manager
token = get_auth_manager().generate_jwt(SimpleAuthManagerUser(username="admin", role="ADMIN"))
client.cookies.set(COOKIE_NAME_JWT_TOKEN, token)
listed = client.get(paths[0])
report = client.get(paths[1])
done({
    "light": light, "strangers": strangers, "listed": listed.status_code, "text": listed.text, "report": report.text, "headers": dict(report.headers),
    "absent": client.get("/feederflow/report/odd_case/default/2016-03-22").status_code,
    "escapes": [client.get(f"/feederflow/report/{path}").status_code for path in ("%2e%2e/%2e%2e/secret", "good_case/..%2f..%2f..%2fsecret/2016-03-22", "good_case/default/2016-03-22.html")],
    "views": [view["href"] for view in plugins_manager._get_ui_plugins()[0]], "import_errors": plugins_manager.get_import_errors(), "names": sorted(p.name for p in plugins_manager._get_plugins()[0]),
})
"""


def _run(script: str, folder: Path) -> dict[str, Any]:
    environment = {
        **os.environ,
        "AIRFLOW_HOME": str(folder / "airflow"),
        "HOME": str(folder),
        "FEEDERFLOW_HOME": str(folder / "feederflow"),
    }
    ran = subprocess.run([sys.executable, "-c", PREAMBLE + script], cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    line = next((text for text in ran.stdout.splitlines() if text.startswith("RESULT")), None)
    assert line is not None, ran.stderr[-4000:]
    found: dict[str, Any] = json.loads(line.removeprefix("RESULT"))
    return found


@pytest.fixture(scope="module")
def clock(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return _run(TIMETABLES, tmp_path_factory.mktemp("clock"))


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return _run(PAGE, tmp_path_factory.mktemp("page"))


def test_the_gate_closes_five_minutes_before_each_quarter_hour(clock: dict[str, Any]) -> None:
    """Quarter-hours pass evenly through the spring change. The interval begins where the run may: a scheduler holds it until then."""
    hour = "2016-03-27T0"
    assert clock["gate"] == [
        [f"{hour}0:55:00+00:00", f"{hour}0:55:00+00:00", f"{hour}1:15:00+00:00"],
        [f"{hour}1:10:00+00:00", f"{hour}1:10:00+00:00", f"{hour}1:30:00+00:00"],
        [f"{hour}1:25:00+00:00", f"{hour}1:25:00+00:00", f"{hour}1:45:00+00:00"],
    ]
    assert clock["ends"][-1] is None and len(clock["ends"]) == 3
    assert clock["long"] == [[f"{hour}0:50:00+00:00", f"{hour}0:50:00+00:00", f"{hour}1:45:00+00:00"],
                             [f"{hour}1:05:00+00:00", f"{hour}1:05:00+00:00", f"{hour}2:00:00+00:00"]]


def test_the_day_ahead_is_issued_at_the_same_local_time_all_year(clock: dict[str, Any]) -> None:
    assert [run[0] for run in clock["spring"]] == ["2016-03-26T10:00:00+00:00", "2016-03-27T09:00:00+00:00", "2016-03-28T09:00:00+00:00"]
    assert [run[0] for run in clock["autumn"]] == ["2016-10-30T00:30:00+00:00", "2016-10-31T01:30:00+00:00"]


def test_two_years_in_ten_zones_at_every_hour_leave_no_day_out_and_none_twice(clock: dict[str, Any]) -> None:
    assert len(clock["zones"]) == 240
    assert [at for at, (daily, _) in clock["zones"].items() if not daily] == []
    # A time that the spring change skips fires when the clock has jumped.
    jumped = {at: other for at, (_, other) in clock["zones"].items() if other}
    assert jumped == {"Europe/Berlin 02": ["03:30"], "Europe/London 01": ["02:30"], "America/Sao_Paulo 00": ["01:30"],
                      "America/New_York 02": ["03:30"], "America/Los_Angeles 02": ["03:30"], "Pacific/Auckland 02": ["03:30"]}


def test_missed_gates_are_not_run_again_and_a_late_day_ahead_is(clock: dict[str, Any]) -> None:
    assert -300 <= clock["live_wait_s"] <= 600 and clock["stale"]
    assert 0 <= clock["daily_age_s"] <= 25 * 3600


def test_timetables_survive_serialisation_and_refuse_nonsense(clock: dict[str, Any]) -> None:
    assert clock["round_trip"] == [True, True]
    assert clock["refused"] == ["AirflowTimetableInvalid"] * 4 + [None, None]
    assert clock["manual"] == "2016-03-27T01:10:00+00:00"


def test_plugins_import_nothing_heavy(clock: dict[str, Any], page: dict[str, Any]) -> None:
    assert clock["heavy"] == [] and page["light"]


def test_a_stranger_reads_nothing(page: dict[str, Any]) -> None:
    assert page["strangers"][:2] == [401, 401]
    assert set(page["strangers"][2:]) <= {401, 404}


def test_a_signed_in_user_sees_days_and_reports(page: dict[str, Any]) -> None:
    assert page["listed"] == 200 and page["report"] == "<p>the report</p>"
    assert 'href="report/good_case/default/2016-03-22"' in page["text"]
    assert "degraded" in page["text"] and "no report yet" in page["text"] and "unreadable" in page["text"]
    assert "<b>1</b>" not in page["text"] and page["absent"] == 404
    assert page["headers"]["content-security-policy"].startswith("sandbox")


def test_no_path_leads_out_of_the_reports(page: dict[str, Any]) -> None:
    assert not set(page["escapes"]) & {200, 500}


def test_airflow_lists_the_page_without_import_errors(page: dict[str, Any]) -> None:
    assert page["import_errors"] == {} and "/feederflow/" in page["views"]
    assert {"market_clock", "schedule_page"} <= set(page["names"])
