"""EV sessions: a changed departure is a further version; a read holds what was known."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from pipeline.core.errors import InputError
from pipeline.store import sessions as store_sessions
from pipeline.store.sessions import SessionBatch
from pipeline.store.warehouse import Warehouse

FAR = 10**10


def batch_of(*rows: tuple[str, int, int, float, float], **more: Any) -> SessionBatch:
    fleet, arrival, departure, need, charger = zip(*rows, strict=True)
    return SessionBatch(list(fleet), np.array(arrival), np.array(departure), np.array(need), np.array(charger), **more)


def test_a_session_is_known_from_its_arrival(warehouse: Warehouse) -> None:
    warehouse.add_sessions("case", batch_of(("ev", 1000, 5000, 10.0, 7.0)), source="test", ingested_at=0)
    assert len(warehouse.sessions("case", ["ev"], 0, FAR, 999)) == 0
    found = warehouse.sessions("case", ["ev"], 0, FAR, 1000)
    assert (found.fleet, found.departure.tolist(), found.need_kwh.tolist(), found.charger_kw.tolist()) == (["ev"], [5000], [10.0], [7.0])


def test_a_changed_departure_is_a_version(warehouse: Warehouse) -> None:
    warehouse.add_sessions("case", batch_of(("ev", 1000, 5000, 10.0, 7.0)), source="test", ingested_at=1000)
    receipt = warehouse.add_sessions("case", batch_of(("ev", 1000, 4000, 10.0, 7.0)), source="test", ingested_at=2000)
    assert (receipt.rows_added, receipt.versions_added, receipt.unchanged) == (0, 1, 0)
    assert warehouse.sessions("case", ["ev"], 0, FAR, 1999).departure.tolist() == [5000]
    assert warehouse.sessions("case", ["ev"], 0, FAR, 2000).departure.tolist() == [4000]


def test_equal_arrivals_are_different_vehicles_and_the_same_batch_twice_adds_nothing(warehouse: Warehouse) -> None:
    batch = batch_of(("ev", 1000, 5000, 10.0, 7.0), ("ev", 1000, 6000, 12.0, 7.0), ("bus", 1000, 6000, 90.0, 50.0))
    assert warehouse.add_sessions("case", batch, source="test", ingested_at=0).rows_added == 3
    again = warehouse.add_sessions("case", batch, source="test", ingested_at=9)
    assert (again.rows_added, again.versions_added, again.unchanged) == (0, 0, 3)
    found = warehouse.sessions("case", ["bus", "ev"], 0, FAR, FAR)
    assert found.fleet == ["bus", "ev", "ev"]
    assert found.digest() == warehouse.sessions("case", ["bus", "ev"], 0, FAR, FAR).digest()


def test_only_sessions_that_overlap_are_read(warehouse: Warehouse) -> None:
    batch = batch_of(("ev", 10, 20, 1.0, 7.0), ("ev", 20, 30, 1.0, 7.0), ("ev", 30, 40, 1.0, 7.0))
    warehouse.add_sessions("case", batch, source="test", ingested_at=0)
    assert warehouse.sessions("case", ["ev"], 20, 30, FAR).arrival.tolist() == [20]


@pytest.mark.parametrize(("batch", "said"), [
    (batch_of(("ev", 10, 9, 1.0, 7.0)), "departs before"), (batch_of(("ev", 10, 20, -1.0, 7.0)), "negative or missing"),
    (batch_of(("ev", 10, 20, 1.0, float("nan"))), "negative or missing"),
    (batch_of(("ev", 10, 20, 1.0, 7.0), ("ev", 30, 40, 1.0, 7.0), session=["a", "a"]), "named twice"),
])
def test_a_refused_batch_changes_nothing(warehouse: Warehouse, batch: SessionBatch, said: str) -> None:
    with pytest.raises(InputError, match=said):
        warehouse.add_sessions("case", batch, source="test", ingested_at=0)
    assert len(warehouse.sessions("case", ["ev"], 0, FAR, FAR)) == 0


def test_one_that_leaves_as_it_comes_belongs_to_the_window_it_comes_in(warehouse: Warehouse) -> None:
    warehouse.add_sessions("case", batch_of(("ev", 20, 20, 5.0, 7.0)), source="test", ingested_at=0)
    assert [len(warehouse.sessions("case", ["ev"], start, end, FAR)) for start, end in ((10, 20), (20, 30), (15, 25))] == [0, 1, 1]
    with pytest.raises(InputError, match="departs before it arrives"):
        warehouse.add_sessions("case", batch_of(("ev", 20, 19, 5.0, 7.0)), source="test", ingested_at=0)


def test_a_version_that_left_the_window_supersedes_the_one_inside(warehouse: Warehouse) -> None:
    """What is read by window still knows that a session was moved out of it."""
    for known, arrival in ((100, 50), (200, 500)):
        warehouse.add_sessions("case", batch_of(("ev", arrival, arrival + 20, 5.0, 7.0), session=("a",), known_at=np.array([known])),
                               source="test", ingested_at=known)
    assert warehouse.sessions("case", ["ev"], 0, 100, 150).arrival.tolist() == [50]
    assert len(warehouse.sessions("case", ["ev"], 0, 100, FAR)) == 0
    assert warehouse.sessions("case", ["ev"], 0, 100, FAR, versions=True).superseded_at.tolist() == [200]


def test_a_fleet_that_has_none_before_the_day_brings_its_last_ones(warehouse: Warehouse) -> None:
    rows = [("ev", moment, moment + 5, 1.0, 7.0) for moment in (10, 100, 120, 950)] + [("bus", 900, 905, 1.0, 7.0)]
    warehouse.add_sessions("case", batch_of(*rows), source="test", ingested_at=0)
    found = warehouse.sessions("case", ["bus", "ev"], 880, 1000, FAR, past_before=940)
    assert list(zip(found.fleet, found.arrival.tolist(), strict=True)) == [("bus", 900), ("ev", 100), ("ev", 120), ("ev", 950)]
    assert warehouse.sessions("case", ["ev"], 880, 1000, 110, past_before=940).arrival.tolist() == [100]


def test_a_window_is_read_by_its_index_and_not_by_the_whole_history(warehouse: Warehouse) -> None:
    """Of a year of sessions only those of the window reach Python."""
    day, n = 86400, 365
    rows = [("ev", day * i + 60 * k, day * i + 60 * k + 30000, 5.0, 7.0) for i in range(n) for k in range(20)]
    warehouse.add_sessions("case", batch_of(*rows), source="test", ingested_at=0)
    counted = _rows_fetched(lambda: warehouse.sessions("case", ["ev"], day * 300, day * 317, FAR, versions=True))
    assert counted == 17 * 20


def _rows_fetched(call: Callable[[], object]) -> int:
    """Rows that the statements of a call handed to Python."""
    fetched: list[int] = []
    plain = store_sessions._versions

    def counting(*given: Any) -> list[Any]:
        rows = plain(*given)
        fetched.append(len(rows))
        return rows

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store_sessions, "_versions", counting)
        call()
    return sum(fetched)
