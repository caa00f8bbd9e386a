"""The shipped history of 2016: whole, its own for every feeder and microgrid, and the book's in size."""

from __future__ import annotations

import csv
import runpy
from datetime import UTC, date, datetime
from itertools import combinations

import numpy as np
import pyarrow.parquet as pq
import pytest

from pipeline.cases.case import Case
from pipeline.cases.load import DATA, load_case
from pipeline.cases.sources import FileSource

NAME = "networked_microgrids_66_simbench"


@pytest.fixture(scope="module")
def case() -> Case:
    return load_case(NAME)


@pytest.fixture(scope="module")
def history() -> dict[str, np.ndarray]:
    table = pq.read_table(DATA / "series" / "simbench_2016.parquet")
    return {name: table[name].to_numpy() for name in table.column_names if name != "valid_from"}


@pytest.mark.parametrize(("file", "minutes"), [("simbench_2016", 15), ("price_2016", 60)])
def test_year_is_complete_in_utc(file: str, minutes: int) -> None:
    table = pq.read_table(DATA / "series" / f"{file}.parquet")
    assert str(table.schema.field("valid_from").type.tz) == "UTC"
    stamps = table["valid_from"].to_numpy().astype("datetime64[s]").astype(np.int64)
    assert stamps[0] == int(datetime(2015, 12, 31, 23, tzinfo=UTC).timestamp())
    assert set(np.diff(stamps)) == {60 * minutes}
    assert len(stamps) == 366 * 1440 // minutes
    assert all(table[name].null_count == 0 for name in table.column_names)


def test_days_where_clocks_change(case: Case) -> None:
    steps = {day: case.day(date.fromisoformat(day)).steps() for day in ("2016-03-26", "2016-03-27", "2016-10-29", "2016-10-30")}
    assert steps == {"2016-03-26": 92, "2016-03-27": 96, "2016-10-29": 100, "2016-10-30": 96}


def test_default_date_has_history_and_what_came(case: Case) -> None:
    assert (case.default_date - date(2016, 1, 1)).days >= 84
    assert case.day(case.default_date).end < datetime(2016, 12, 31, tzinfo=UTC).timestamp()


def test_every_series_is_mapped_and_only_the_price_is_synthetic(case: Case) -> None:
    mapped = [column.series for source in case.sources if isinstance(source, FileSource) for column in source.mapping.columns]
    assert sorted(mapped) == sorted(series.id for series in case.series)
    assert [series.id for series in case.series if series.synthetic] == ["price"]


def test_ten_microgrids_are_not_ten_copies(history: dict[str, np.ndarray]) -> None:
    for kind in ("load", "heat", "pv", "wind"):
        names = [name for name in history if name.endswith(kind)]
        for one, other in combinations(names, 2):
            assert np.abs(history[one] - history[other]).mean() > 0.01 * history[one].mean(), (one, other)


def test_draws_are_recorded(history: dict[str, np.ndarray]) -> None:
    with (DATA / "series" / "simbench_2016_draws.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    sums = dict.fromkeys(history, 0.0)
    for row in rows:
        sums[row["series"]] += float(row["weight_share"])
    assert sums == {name: pytest.approx(1.0, abs=1e-4) for name in history}
    assert len({(row["series"], row["simbench_profile"]) for row in rows}) == len(rows)


def test_size_is_the_book_s(case: Case, history: dict[str, np.ndarray]) -> None:
    tables = {series.id: 24 * np.mean(series.by_local_hour) for series in case.series if series.by_local_hour}
    for name, values in history.items():
        day_kwh = values.mean() * 24
        if name.endswith(("pv", "wind")) or (name.startswith("mg") and name.endswith("load")):
            assert day_kwh == pytest.approx(tables[name], rel=1e-3)
        else:
            assert 0.4 * tables[name] < day_kwh <= 1.001 * tables[name]
        assert values.min() >= 0
        capacity = case.series_by_id[name].capacity_kw
        assert capacity is None or values.max() < capacity
    assert max(history[name].max() for name in history if name.endswith("heat")) <= 100.0  # CHP: 150 kW x 0.8
    assert max(history[name].max() for name in ("f01_load", "f02_load")) <= 1.25 * 876.4 + 0.05


def test_price_is_what_the_script_makes_from_the_book_s_table() -> None:
    script = runpy.run_path(str(DATA / "series" / "make_simbench_series.py"))
    shipped = pq.read_table(DATA / "series" / "price_2016.parquet")["price"].to_numpy()
    assert np.array_equal(np.round(script["price"](), 4), shipped)
    moments = script["local_times"]()[::4]
    table = load_case(NAME).profiles["rtp_usd_per_kwh"]
    ratio = shipped / np.array([table[moment.hour] for moment in moments])
    weekday = np.array([moment.weekday() for moment in moments])
    level = {name: float(ratio[days].mean()) for name, days in (("week", weekday < 5), ("sat", weekday == 5), ("sun", weekday == 6))}
    assert level["sat"] / level["week"] == pytest.approx(0.93, abs=0.05)
    assert level["sun"] / level["week"] == pytest.approx(0.88, abs=0.05)
    assert 0.09 < ratio[weekday < 5].std() < 0.14  # a daily factor of .10 and an hourly one of .05
