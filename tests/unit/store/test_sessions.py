"""EV sessions: a changed departure is a further version; a read holds what was known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pipeline.core.errors import InputError
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
    (batch_of(("ev", 10, 10, 1.0, 7.0)), "departs before"), (batch_of(("ev", 10, 20, -1.0, 7.0)), "negative or missing"),
    (batch_of(("ev", 10, 20, 1.0, float("nan"))), "negative or missing"),
    (batch_of(("ev", 10, 20, 1.0, 7.0), ("ev", 30, 40, 1.0, 7.0), session=["a", "a"]), "named twice"),
])
def test_a_refused_batch_changes_nothing(warehouse: Warehouse, batch: SessionBatch, said: str) -> None:
    with pytest.raises(InputError, match=said):
        warehouse.add_sessions("case", batch, source="test", ingested_at=0)
    assert len(warehouse.sessions("case", ["ev"], 0, FAR, FAR)) == 0
