"""Series of every shape: closed at night, feeding back, in another currency, on days of half hours. What is made of them is in bounds."""

from __future__ import annotations

from datetime import time
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from numpy.typing import NDArray

from pipeline.cases.load import load_case
from pipeline.forecast.day_ahead import forecast
from pipeline.store.warehouse import Warehouse
from tests.wild.runner import FOREVER, Outcome, tried, typed

QUANTILES = ("q05", "q10", "q25", "q50", "q75", "q90", "q95")


def column(found: Outcome, table: str, name: str, **where: str) -> NDArray[np.float64]:
    """One column of a published table, the rows that match, in the table's order."""
    [path] = (found.home / "published" / table).rglob("*.parquet")
    rows = pq.read_table(path)
    for key, value in where.items():
        rows = rows.filter(pc.equal(rows[key], value))
    return np.asarray(rows[name].to_numpy(), dtype=np.float64)


def test_a_shop_that_is_closed_at_night_is_forecast_closed(tmp_path: Path) -> None:
    found = tried("e11_zero_at_night", "day-ahead", tmp_path)
    assert found.code == 0, found.err
    load = {"stage": "day_ahead", "series": "load"}
    mean = column(found, "forecasts", "mean", **load)
    assert min(column(found, "forecasts", name, **load).min() for name in ("mean", *QUANTILES)) >= 0
    open_ = slice(7 * 4, 19 * 4)  # 07:00 to 19:00 of a Wednesday, as in the history
    assert mean[open_].min() > 0.85 * mean.max()
    assert np.delete(mean, open_).max() < 0.01 * mean.max()
    sunday = typed(found.case, "day-ahead", "--date", "2024-06-09", home=tmp_path / "sunday")
    assert sunday.code == 0, sunday.err
    assert column(sunday, "forecasts", "mean", **load).max() < 0.01 * mean.max()


def test_a_meter_behind_a_roof_is_planned_and_settled(tmp_path: Path) -> None:
    """Its load is negative at noon. What is shed is never more than its positive part."""
    found = tried("e14_net_load_negative", "run", tmp_path)
    assert found.code == 0, found.err
    mean = column(found, "forecasts", "mean", stage="day_ahead", series="load")
    assert mean.min() < -20 and mean.max() > 30
    for table in ("schedule", "dispatch"):
        net = -column(found, table, "value", device="village", quantity="injection", carrier="active")
        shed = column(found, table, "value", device="village", quantity="shed_kw")
        assert net.min() < -10 and np.all(shed <= np.maximum(net + shed, 0.0) + 1e-9)


def test_a_net_load_has_a_kind_of_its_own(tmp_path: Path) -> None:
    """Refused with a remedy, once for all who follow it; the remedy is the case that works."""
    found = tried("e15_net_load_as_other", "day-ahead", tmp_path)
    assert found.code == 2 and len(found.messages) == 1, found.err
    assert "series 'load' is of kind other and a demand follows it" in found.err and "kind: load" in found.err and "minimum" in found.err
    mended = tried("e15_net_load_as_other", "case check", tmp_path / "mended", {"series.load.kind": "load"})
    assert mended.code == 0, mended.err


def test_prices_in_rupiah_are_forecast_as_those_in_euros(tmp_path: Path) -> None:
    rupiah = tried("e13_idr_prices", "day-ahead", tmp_path)
    assert rupiah.code == 0, rupiah.err
    euros = tried("e08_frozen_meter", "ingest", tmp_path / "euros")
    case = load_case(euros.case)
    day = case.day(case.default_date)
    warehouse = Warehouse.open(euros.home)
    try:
        history = warehouse.observations(case.name, [one.id for one in case.series], 0, FOREVER, FOREVER)
    finally:
        warehouse.close()
    made = forecast(case, history, issued_at=day.at(time(11), days_before=1), day=day)
    row = made.series.index("price")
    prices = {"stage": "day_ahead", "series": "price"}
    assert column(rupiah, "forecasts", "mean", **prices) == pytest.approx(17_000 * made.mean[row], rel=1e-6)
    for name, quantile in zip(QUANTILES, made.quantiles[:, row], strict=True):
        assert column(rupiah, "forecasts", name, **prices) == pytest.approx(17_000 * quantile, rel=1e-6)


def test_a_day_of_23_hours_and_a_half(tmp_path: Path) -> None:
    found = tried("c01b_lord_howe_step_30", "run", tmp_path)
    assert found.code == 0, found.err
    assert len(column(found, "forecasts", "mean", stage="day_ahead", series="price")) == 94
    assert column(found, "schedule", "step").max() == 47 and column(found, "dispatch", "step").max() == 94
    hourly = tried("c01b_lord_howe_step_30", "case check", tmp_path / "hourly", {"settings.day_ahead_step_min": 60})
    assert hourly.code == 2 and "give settings.day_ahead_step_min: 30" in hourly.err
