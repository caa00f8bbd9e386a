"""Bitemporal observations: a read as of a moment holds what was known then, and never anything else."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.core.errors import InputError
from pipeline.store.observations import IngestedFile, ObservationBatch, Observations
from pipeline.store.warehouse import Warehouse

SERIES = ("load", "wind")
T0 = 1_456_786_800
FAR = 10**10

Row = tuple[int, int, int, float]  # series, slot, known at, value


def batch_of(rows: list[Row]) -> ObservationBatch:
    series, slot, known_at, value = (list(column) for column in zip(*rows, strict=True)) if rows else ([], [], [], [])
    return ObservationBatch(
        SERIES, np.array(series, np.int32), T0 + 900 * np.array(slot, np.int64), np.array(known_at, np.int64),
        np.array(value, np.float64), np.zeros(len(rows), np.int16),
    )


def versions(found: Observations) -> list[Row]:
    slots = (found.valid_from - T0) // 900
    return list(zip(found.series_index.tolist(), slots.tolist(), found.known_at.tolist(), found.value.tolist(), strict=True))


@dataclass
class Oracle:
    """The rules of `corrections.add`, told row by row."""

    known: list[tuple[int, int, int, int, float]]  # series, slot, known at, order of entry, value

    def holding(self, series: int, slot: int, moment: int) -> float | None:
        found = [(known, entry, value) for s, v, known, entry, value in self.known if (s, v) == (series, slot) and known <= moment]
        return max(found)[2] if found else None

    def add(self, rows: list[Row], ingested_at: int | None) -> None:
        stored = {(s, v) for s, v, *_ in self.known}
        entered = len(self.known)
        due: dict[tuple[int, int, int], float] = {}
        for s, v, known, value in sorted(rows, key=lambda row: row[2]):
            if (s, v) in stored and ingested_at is not None:
                known = max(known, ingested_at)
            due[s, v, known] = value  # of several at one moment the last stands
        for (s, v, known), value in sorted(due.items()):
            if self.holding(s, v, known) != value:
                self.known.append((s, v, known, entered, value))

    def versions(self, as_of: int) -> list[Row]:
        return [(s, v, known, value) for s, v, known, _, value in sorted(self.known) if known <= as_of]


rows = st.lists(
    st.tuples(st.integers(0, 1), st.integers(0, 3), st.integers(0, 30), st.integers(0, 3).map(float)), max_size=12,
    unique_by=lambda row: row[:3],
)
histories = st.lists(st.tuples(rows, st.integers(1, 10), st.booleans()), min_size=1, max_size=4)
own_database = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)


@own_database
@given(history=histories, moments=st.lists(st.integers(0, 60), min_size=1, max_size=4))
def test_reads_are_those_of_the_rules_told_row_by_row(
    warehouse: Warehouse, history: list[tuple[list[Row], int, bool]], moments: list[int],
) -> None:
    name, oracle, now = uuid.uuid4().hex, Oracle([]), 0
    for batch, waited, trusted in history:
        now += waited
        before = len(oracle.known)
        receipt = warehouse.add_observations(name, batch_of(batch), source="test", ingested_at=now, trust_known_at=trusted)
        oracle.add(batch, None if trusted else now)
        assert receipt.rows_added + receipt.versions_added == len(oracle.known) - before
        assert receipt.rows_added + receipt.versions_added + receipt.unchanged == len(batch)
    everything = warehouse.observations(name, SERIES, T0, T0 + 4 * 900, FAR)
    starts = T0 + 900 * np.arange(4)
    for moment in moments:
        found = warehouse.observations(name, SERIES, T0, T0 + 4 * 900, moment)
        assert versions(found) == oracle.versions(moment)
        assert versions(everything.as_of(moment)) == versions(found)
        assert (found.known_at <= moment).all()
        expected = [[oracle.holding(s, v, moment) for v in range(4)] for s in range(2)]
        np.testing.assert_array_equal(found.grid(starts), np.array(expected, np.float64))


@own_database
@given(first=rows, later=st.lists(rows, max_size=3), moment=st.integers(0, 99))
def test_a_correction_changes_nothing_that_was_known_before_it(
    warehouse: Warehouse, first: list[Row], later: list[list[Row]], moment: int,
) -> None:
    name = uuid.uuid4().hex
    full = first + [(s, v, 0, 9.0) for s in range(2) for v in range(4) if (s, v, 0) not in {row[:3] for row in first}]
    warehouse.add_observations(name, batch_of(full), source="test", ingested_at=0)
    before = warehouse.observations(name, SERIES, T0, T0 + 3600, moment).digest()
    for number, batch in enumerate(later):
        warehouse.add_observations(name, batch_of(batch), source="test", ingested_at=100 + number)
    assert warehouse.observations(name, SERIES, T0, T0 + 3600, moment).digest() == before


@own_database
@given(first=rows, second=rows)
def test_the_same_batch_twice_adds_nothing(warehouse: Warehouse, first: list[Row], second: list[Row]) -> None:
    name = uuid.uuid4().hex
    warehouse.add_observations(name, batch_of(first), source="test", ingested_at=50)
    warehouse.add_observations(name, batch_of(second), source="test", ingested_at=51)
    before = warehouse.observations(name, SERIES, T0, T0 + 3600, FAR).digest()
    latest = {row[:2]: row for row in sorted(second, key=lambda row: row[2])}
    receipt = warehouse.add_observations(name, batch_of(list(latest.values())), source="test", ingested_at=52)
    assert (receipt.rows_added, receipt.versions_added) == (0, 0)
    assert warehouse.observations(name, SERIES, T0, T0 + 3600, FAR).digest() == before


def test_a_late_correction_adds_a_version_and_overwrites_none(warehouse: Warehouse) -> None:
    warehouse.add_observations("case", batch_of([(0, 0, 10, 5.0)]), source="file", ingested_at=1000)
    receipt = warehouse.add_observations("case", batch_of([(0, 0, 10, 6.0)]), source="file", ingested_at=2000)
    assert (receipt.rows_added, receipt.versions_added, receipt.unchanged) == (0, 1, 0)
    assert versions(warehouse.observations("case", SERIES, T0, T0 + 900, FAR)) == [(0, 0, 10, 5.0), (0, 0, 2000, 6.0)]
    assert warehouse.observations("case", SERIES, T0, T0 + 900, 1999).grid(np.array([T0]))[0] == [5.0]


def test_knowledge_has_one_digest_however_it_came(warehouse: Warehouse) -> None:
    both = [(0, 0, 10, 5.0), (0, 1, 11, 6.0)]
    warehouse.add_observations("one", batch_of(both), source="file", ingested_at=0)
    for row in reversed(both):
        warehouse.add_observations("two", batch_of([row]), source="file", ingested_at=0)
    one, two = (warehouse.observations(name, SERIES, T0, T0 + 3600, FAR).digest() for name in ("one", "two"))
    assert one == two
    assert one != warehouse.observations("one", SERIES, T0, T0 + 3600, 10).digest()


def test_an_hourly_value_holds_for_four_quarters_even_when_the_read_starts_within(warehouse: Warehouse) -> None:
    hourly = ObservationBatch(("price",), np.zeros(2, np.int32), np.array([0, 3600]), np.array([0, 0]), np.array([1.0, 2.0]),
                              np.zeros(2, np.int16), (3600,))
    warehouse.add_observations("case", hourly, source="test", ingested_at=0)
    found = warehouse.observations("case", ("price",), 1800, 9000, FAR)
    assert found.grid(np.arange(1800, 9000, 900))[0].tolist() == pytest.approx([1, 1, 2, 2, 2, 2, np.nan, np.nan], nan_ok=True)
    assert found.newest().tolist() == [7200]


def test_a_series_never_seen_is_all_gap(warehouse: Warehouse) -> None:
    warehouse.add_observations("case", batch_of([(0, 0, 0, 5.0)]), source="test", ingested_at=0)
    found = warehouse.observations("case", ("none", "load"), T0, T0 + 900, FAR)
    assert np.isnan(found.grid(np.array([T0]))[0]).all()
    assert found.grid(np.array([T0]))[1] == [5.0]
    assert len(warehouse.observations("other", ("load",), T0, T0 + 900, FAR)) == 0


def test_a_batch_of_nothing_is_nothing(warehouse: Warehouse) -> None:
    receipt = warehouse.add_observations("case", batch_of([]), source="test", ingested_at=0)
    assert (receipt.rows_added, receipt.versions_added, receipt.unchanged) == (0, 0, 0)


@pytest.mark.parametrize(("bad", "said"), [
    ([(0, 0, 0, float("nan"))], "not finite"), ([(0, 0, 0, float("inf"))], "not finite"), ([(0, 0, 0, 1.0), (0, 0, 0, 2.0)], "two values"),
])
def test_a_refused_batch_changes_nothing(warehouse: Warehouse, bad: list[Row], said: str) -> None:
    with pytest.raises(InputError, match=said):
        warehouse.add_observations("case", batch_of([(1, 0, 0, 1.0), *bad]), source="test", ingested_at=0)
    assert not warehouse.has_series("case", "wind")
    assert len(warehouse.observations("case", SERIES, T0, T0 + 900, FAR)) == 0


def test_a_series_keeps_its_resolution(warehouse: Warehouse) -> None:
    warehouse.add_observations("case", batch_of([(0, 0, 0, 1.0)]), source="test", ingested_at=0)
    hourly = ObservationBatch(
        ("load",), np.zeros(1, np.int32), np.array([T0]), np.array([0]), np.array([1.0]), np.zeros(1, np.int16), (3600,))
    with pytest.raises(InputError, match="900 s"):
        warehouse.add_observations("case", hourly, source="test", ingested_at=0)


def test_a_file_is_known_by_its_content(warehouse: Warehouse) -> None:
    file = IngestedFile("drop/march.csv", "ab" * 32)
    assert not warehouse.has_file("case", "drop", file.sha256)
    warehouse.add_observations("case", batch_of([(0, 0, 0, 1.0)]), source="drop", ingested_at=0, file=file)
    assert warehouse.has_file("case", "drop", file.sha256)
    assert not warehouse.has_file("other", "drop", file.sha256)
    with pytest.raises(InputError):
        bad = batch_of([(0, 0, 0, float("nan"))])
        warehouse.add_observations("case", bad, source="drop", ingested_at=0, file=IngestedFile("x", "cd" * 32))
    assert not warehouse.has_file("case", "drop", "cd" * 32)
