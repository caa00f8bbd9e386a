"""The ledger: newer runs replace older ones, and what is published follows from SQL and the lake, whatever was interrupted."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.core.errors import GateFailed, InputError
from pipeline.publish import ledger
from pipeline.publish.day_file import BrokenChain
from pipeline.publish.ledger import current, current_path, damaged, publish, published_tables, read_current, reconcile
from pipeline.store.lake import Lake
from pipeline.store.publications import Day
from pipeline.store.warehouse import Warehouse
from pipeline.tables import TABLES
from tests.publication import DATE, costs, day_ahead_run, enter, finding, real_time_run, states

DAY = Day("tiny", "default", DATE)
POINTS = ("publish-start", "published-sql", "published-file", "published-files", "published-current")


class Killed(BaseException):
    """Stands for the end of the process."""


def test_a_published_run_is_current_and_readable(warehouse: Warehouse, lake: Lake, home: Path) -> None:
    run = enter(warehouse, lake, day_ahead_run("da-1", 1000))
    result = publish(warehouse, lake, "da-1")
    assert (result.published, result.current, result.status) == (True, {"day_ahead": "da-1"}, "done")
    assert current(warehouse, "tiny", "day_ahead", "default", DATE) == warehouse.run(run.run_id)
    assert [file.path for file in result.files] == [
        f"published/{name}/case=tiny/variant=default/delivery_date={DATE}/part-0.parquet" for name in ("costs", "states")]
    stored = json.loads((home / current_path(DAY)).read_text())
    assert stored["runs"]["day_ahead"]["run_id"] == "da-1"
    assert {file["sha256"] for file in stored["files"]} == {file.sha256 for file in result.files}
    assert damaged(lake, stored) == []
    assert published_tables(lake, DAY)["costs"].column_names == TABLES["costs"].schema.names


def test_an_older_run_replaces_nothing_unless_asked(warehouse: Warehouse, lake: Lake) -> None:
    for run_id, issued_at in (("new", 2000), ("old", 1000), ("equal", 2000)):
        enter(warehouse, lake, day_ahead_run(run_id, issued_at))
    publish(warehouse, lake, "new")
    for run_id in ("old", "equal"):
        result = publish(warehouse, lake, run_id)
        assert (result.published, result.current) == (False, {"day_ahead": "new"})
    assert published_tables(lake, DAY)["costs"]["run_id"].to_pylist() == ["new"]
    assert publish(warehouse, lake, "old", replace=True).published
    assert published_tables(lake, DAY)["costs"]["run_id"].to_pylist() == ["old"]


def test_publishing_again_changes_nothing(warehouse: Warehouse, lake: Lake, home: Path) -> None:
    enter(warehouse, lake, day_ahead_run("da-1", 1000))
    first = publish(warehouse, lake, "da-1")
    before = {path: path.read_bytes() for path in (home / "published").rglob("*") if path.is_file()}
    assert publish(warehouse, lake, "da-1") == first
    assert {path: path.read_bytes() for path in (home / "published").rglob("*") if path.is_file()} == before
    assert reconcile(warehouse, lake, deep=True) == []


def test_another_method_is_published_beside(warehouse: Warehouse, lake: Lake) -> None:
    enter(warehouse, lake, day_ahead_run("da-1", 1000, parameters={"native_method": "stochastic"}))
    enter(warehouse, lake, day_ahead_run("da-2", 2000, method="deterministic", parameters={"native_method": "stochastic"}))
    publish(warehouse, lake, "da-1")
    publish(warehouse, lake, "da-2")
    assert current(warehouse, "tiny", "day_ahead", "default", DATE).run_id == "da-1"  # type: ignore[union-attr]
    assert current(warehouse, "tiny", "day_ahead", "default~deterministic", DATE).run_id == "da-2"  # type: ignore[union-attr]


def test_a_warning_makes_the_day_degraded_and_an_info_does_not(warehouse: Warehouse, lake: Lake) -> None:
    for number, severity in ((1, "info"), (2, "warning")):
        run_id = f"da-{number}"
        enter(warehouse, lake, day_ahead_run(run_id, number), {"findings": finding(run_id, "day_ahead", severity)})
    assert publish(warehouse, lake, "da-1").status == "done"
    assert publish(warehouse, lake, "da-2").status == "degraded"


def test_a_table_that_the_new_run_lacks_goes(warehouse: Warehouse, lake: Lake, home: Path) -> None:
    enter(warehouse, lake, day_ahead_run("da-1", 1), {"costs": costs("da-1", "day_ahead", 1.0), "findings": finding("da-1", "day_ahead")})
    enter(warehouse, lake, day_ahead_run("da-2", 2), {"costs": costs("da-2", "day_ahead", 1.0)})
    publish(warehouse, lake, "da-1")
    publish(warehouse, lake, "da-2")
    assert list(published_tables(lake, DAY)) == ["costs"]
    assert not list((home / "published" / "findings").rglob("*.parquet"))


def test_what_must_not_be_published_changes_nothing(warehouse: Warehouse, lake: Lake, home: Path) -> None:
    enter(warehouse, lake, day_ahead_run("good", 1))
    publish(warehouse, lake, "good")
    before = {path: path.read_bytes() for path in (home / "published").rglob("*") if path.is_file()}
    enter(warehouse, lake, day_ahead_run("failed", 2), status="failed")
    enter(warehouse, lake, day_ahead_run("column", 3), {"costs": costs("column", "day_ahead", 1.0).drop(["currency"])})
    warehouse.register_run(day_ahead_run("empty", 5))
    for run_id, error, said in (("none", InputError, "not in the warehouse"), ("failed", GateFailed, "failed"),
                                ("column", GateFailed, "table costs of run column"), ("empty", BrokenChain, "no table")):
        with pytest.raises(error, match=said):
            publish(warehouse, lake, run_id)
    assert {path: path.read_bytes() for path in (home / "published").rglob("*") if path.is_file()} == before
    assert current(warehouse, "tiny", "day_ahead", "default", DATE).run_id == "good"  # type: ignore[union-attr]


@pytest.mark.parametrize("harm", ["changed", "removed"])
def test_a_deep_reconciliation_mends_a_damaged_file(warehouse: Warehouse, lake: Lake, home: Path, harm: str) -> None:
    enter(warehouse, lake, day_ahead_run("da-1", 1))
    file = home / publish(warehouse, lake, "da-1").files[0].path
    sound = file.read_bytes()
    file.unlink() if harm == "removed" else file.write_bytes(sound[:-1])
    assert reconcile(warehouse, lake) == []
    assert reconcile(warehouse, lake, deep=True) == [DAY]
    assert file.read_bytes() == sound


class Act(NamedTuple):
    """Publish a run; `point` is where the process ends, if it does. Real-time runs follow the current one or begin anew."""

    product: str
    issued_at: int
    first_step: int
    follows: bool
    replace: bool
    point: str | None


acts = st.builds(
    Act, st.sampled_from(["day_ahead", "real_time"]), st.integers(1, 5), st.integers(1, 4), st.booleans(), st.booleans(),
    st.none() | st.sampled_from(POINTS),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=8)
@given(plan=st.lists(acts, min_size=1, max_size=6))
def test_any_course_of_publications_and_crashes_ends_whole(
    warehouse: Warehouse, lake: Lake, monkeypatch: pytest.MonkeyPatch, plan: list[Act],
) -> None:
    case = uuid.uuid4().hex
    day = Day(case, "default", DATE)
    wanted: dict[str, tuple[str, int]] = {}  # product -> run and its issue time
    decided: dict[str, dict[int, str]] = {}  # real-time run -> step -> run that decided it
    for number, act in enumerate(plan):
        run_id = f"{case}-{number}"
        if act.product == "day_ahead":
            enter(warehouse, lake, day_ahead_run(run_id, act.issued_at, case=case))
        else:
            before = [wanted["real_time"][0]] if act.follows and "real_time" in wanted else []
            steps = (act.first_step, act.first_step + 1)
            enter(warehouse, lake, real_time_run(run_id, steps, before, case=case, issued_at=act.issued_at))
            decided[run_id] = {**(decided[before[0]] if before else {}), steps[0]: run_id, steps[1]: run_id}

        def ends(point: str, wanted_point: str | None = act.point) -> None:
            if point == wanted_point:
                raise Killed

        with monkeypatch.context() as patch:
            patch.setattr(ledger, "fault_point", ends)
            if act.point is None:
                publish(warehouse, lake, run_id, replace=act.replace)
            else:
                with pytest.raises(Killed):
                    publish(warehouse, lake, run_id, replace=act.replace)
        newer = act.product not in wanted or act.issued_at > wanted[act.product][1] or act.replace
        if newer and act.point != "publish-start":
            wanted[act.product] = (run_id, act.issued_at)
        published_tables(lake, day)  # readable even before it is mended
        reconcile(warehouse, lake, case=case)
        stored = read_current(lake, day)
        assert {product: entry["run_id"] for product, entry in stored.get("runs", {}).items()} == {p: run for p, (run, _) in wanted.items()}
        assert damaged(lake, stored) == []
        assert reconcile(warehouse, lake, case=case, deep=True) == []
        _holds_what_was_decided(lake, day, wanted, decided)


def _holds_what_was_decided(lake: Lake, day: Day, wanted: dict[str, tuple[str, int]], decided: dict[str, dict[int, str]]) -> None:
    tables = published_tables(lake, day)
    rows = tables["states"].to_pylist() if tables else []
    found = {(row["stage"], row["step"]): row["run_id"] for row in rows}
    expected = {("day_ahead", step): wanted["day_ahead"][0] for step in range(1, 5)} if "day_ahead" in wanted else {}
    if "real_time" in wanted:
        expected |= {("real_time", step): run for step, run in decided[wanted["real_time"][0]].items()}
    assert found == expected
    assert len(rows) == len(found)


def test_states_of_a_chain_cover_each_step_once(warehouse: Warehouse, lake: Lake) -> None:
    enter(warehouse, lake, real_time_run("rt-1", (1, 3)), {"states": states("rt-1", (1, 3))})
    enter(warehouse, lake, real_time_run("rt-2", (4, 4), ["rt-1"]), {"states": states("rt-2", (4, 4))})
    enter(warehouse, lake, real_time_run("rt-3", (3, 5), ["rt-2", "da-unknown"], issued_at=10**10), {"states": states("rt-3", (3, 5))})
    for run_id in ("rt-1", "rt-2", "rt-3"):
        publish(warehouse, lake, run_id)
    assert published_tables(lake, DAY)["states"]["run_id"].to_pylist() == ["rt-1", "rt-1", "rt-3", "rt-3", "rt-3"]
    assert read_current(lake, DAY)["runs"]["real_time"]["chain"] == ["rt-1", "rt-2", "rt-3"]
