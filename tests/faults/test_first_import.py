"""A first import has no history to compare with: the case itself tells a load in the wrong unit, and zeros are named."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline.cases.load import DATA, load_case
from pipeline.cases.skeleton import new_case
from pipeline.core.clock import to_epoch
from pipeline.core.errors import InputError
from pipeline.equipment import Chp, Demand
from pipeline.ingest.carrying import carried_kw
from pipeline.ingest.receipt import Receipt
from pipeline.ingest.run import ingest_case
from pipeline.store.warehouse import Warehouse
from tests.helpers import case_of
from tests.unit.ingest.support import quarter_hours, stored, utc_csv

NOW = to_epoch(datetime(2024, 7, 1, tzinfo=UTC))


def _first_import(folder: Path, unit: str) -> list[Receipt]:
    """The skeleton with its load declared in another unit than it is in (kW), imported into an empty store."""
    new_case(folder / "mine")
    path = folder / "mine" / "case.yaml"
    path.write_text(path.read_text().replace("series: load, unit: kW", f"series: load, unit: {unit}"))
    warehouse = Warehouse.open(folder / "home")
    try:
        return ingest_case(load_case(folder / "mine"), warehouse, now=NOW, data_dir=DATA, sources=["meters"])
    finally:
        warehouse.close()


def test_a_first_load_a_thousand_times_too_big_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        _first_import(tmp_path, "MW")
    (mistake,) = caught.value.mistakes
    assert mistake.place.startswith("history.csv, row ") and mistake.place.endswith(", column load_kw")
    assert "times what ties, branches and own supply can bring to load (290 kW)" in mistake.message
    assert mistake.remedy.startswith("declare the unit that the source is in: kW or W; if it is MW")


@pytest.mark.parametrize("unit", ["kW", "W"])
def test_a_first_load_that_the_case_can_carry_is_imported(tmp_path: Path, unit: str) -> None:
    (receipt,) = _first_import(tmp_path, unit)
    assert receipt.rows_added > 0


def test_what_a_case_can_carry() -> None:
    def heat(**more: object) -> Demand:
        return Demand(id="h", bus="plate", carrier="heat", series="heat", **more)  # type: ignore[arg-type]

    chp = Chp(id="c", bus="plate", power_max_kw=150, heat_to_power_factor=0.8, fuel_cost_per_kwh=0.1)
    case = case_of(chp, heat(series_share=0.5), Demand(id="d", bus="plate", series="load"))
    assert carried_kw(case, case.series_by_id["heat"]) == pytest.approx(240.0)
    assert carried_kw(case, case.series_by_id["load"]) == pytest.approx(1150.0)
    assert carried_kw(case, case.series_by_id["wind"]) is None


def test_a_load_of_zeros_is_kept_and_named(tmp_path: Path) -> None:
    _, quality, receipt = stored(tmp_path, utc_csv(quarter_hours(96), [0] * 96))
    assert set(quality.values()) == {0} and len(quality) == 96
    assert "drop.csv: all 96 values of load are zero: a wrong column or a dead meter, or it rests" in receipt.messages[0]


def test_a_short_file_of_zeros_and_zeros_among_values_are_no_matter(tmp_path: Path) -> None:
    assert stored(tmp_path / "short", utc_csv(quarter_hours(8), [0] * 8))[2].messages == ()
    assert stored(tmp_path / "mixed", utc_csv(quarter_hours(96), [0] * 95 + [100]))[2].messages == ()
