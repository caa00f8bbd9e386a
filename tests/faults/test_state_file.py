"""Measured states from a file: what is stored, when it became known, and what is refused by row."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.cases.case import Case
from pipeline.cases.measured import accepted
from pipeline.cases.sources import StateSource
from pipeline.core.errors import InputError, Mistake
from pipeline.equipment import Commitment, EvFleet, Generator, Store
from pipeline.ingest.run import ingest_case
from pipeline.store.warehouse import Warehouse
from tests.helpers import case_of
from tests.unit.ingest.support import NOW, epoch

HEAD = "measured_at,device,quantity,value,unit,since\n"
BATTERY = Store(id="battery", bus="plate", charge_max_kw=50, discharge_max_kw=50, charge_efficiency_share=0.95,
                discharge_efficiency_share=0.95, energy_max_kwh=200, energy_initial_kwh=100)
DIESEL = Generator(id="diesel", bus="plate", power_max_kw=100, power_min_kw=30, cost_linear_per_kwh=0.3, segment_count=1,
                   commitment=Commitment(start_cost=1, stop_cost=1, min_up_h=1, min_down_h=1))
CARS = EvFleet(id="cars", bus="plate", vehicle_count=3, charger_kw=11, battery_kwh=50, charge_efficiency_share=0.9, departure_hours=(7,))


def _case(folder: Path, text: str) -> Case:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "states.csv").write_text(text)
    source = StateSource(id="scada", path="states.csv", time_zone="Europe/Berlin")
    return case_of(BATTERY, DIESEL, CARS, sources=(source,), folder=folder)


def test_states_are_stored_in_the_units_of_the_table_and_known_when_measured(tmp_path: Path) -> None:
    """Later ones are known when they are imported; a row without a value says nothing; hours follow from `since`."""
    text = HEAD + ("2016-06-14 18:00,battery,energy_kwh,0.12,MWh,\n2016-06-14 18:15,battery,soc_share,55,%,\n"
                   "2016-06-14 18:15,diesel,on_share,1,,2016-06-14 15:45\n2016-06-14 18:30,battery,energy_kwh,,,\n")
    warehouse = Warehouse.open(tmp_path / "home")
    case = _case(tmp_path, text)
    (receipt,) = ingest_case(case, warehouse, now=NOW, data_dir=tmp_path)
    assert (receipt.kind, receipt.rows_read, receipt.gaps, receipt.rows_added) == ("states", 4, 1, 4)
    found = warehouse.measured_states(case.name, 0, 1 << 40, NOW)
    assert [(one.device, one.quantity, one.value) for one in found] == [
        ("battery", "energy_kwh", 120.0), ("battery", "energy_kwh", pytest.approx(110.0)), ("diesel", "on_share", 1.0),
        ("diesel", "in_state_h", 2.5)]
    assert all(one.known_at == one.measured_at and one.author == "scada" for one in found)
    assert found[0].measured_at == epoch("2016-06-14T18:00+02:00")
    later = _case(tmp_path, text + "2016-06-14 18:45,battery,energy_kwh,99,,\n")
    assert ingest_case(later, warehouse, now=NOW, data_dir=tmp_path)[0].rows_added == 1
    assert warehouse.measured_states(case.name, 0, 1 << 40, NOW)[-1].known_at == NOW
    warehouse.close()


@pytest.mark.parametrize(("row", "words"), [
    ("2016-06-14 18:00,batery,energy_kwh,20,,", "case sample has no device or tie 'batery'; did you mean 'battery'?"),
    ("2016-06-14 18:00,battery,energy,20,,", "'energy' of battery is no state that can be measured; give one of energy_kwh, soc_share"),
    ("2016-06-14 18:00,battery,energy_kwh,20,kW,", "the unit 'kW' does not become kWh"),
    ("2016-06-14 18:00,battery,energy_kwh,20000,,", "of battery nothing outside 0 to 400 is believed; give it in kWh"),
    ("2016-06-14 18:00,battery,soc_share,55,,", "soc_share is 55; of battery nothing outside 0 to 2 is believed; give a share: 0.55"),
    ("2016-06-14 18:00,diesel,on_share,0.5,,", "on_share is 0.5; give 1 for on and 0 for off"),
    ("2016-06-14 18:00,cars,energy_kwh,5,,", "vehicles are told by their sessions: import a source of kind sessions"),
    ("2096-06-14 18:00,battery,energy_kwh,20,,", "which has not come"),
    ("2016-06-14 18:00,battery,energy_kwh,20,,2016-06-14 17:00", "says since when a unit is on or off"),
])
def test_a_bad_state_is_refused(tmp_path: Path, row: str, words: str) -> None:
    warehouse = Warehouse.open(tmp_path / "home")
    case = _case(tmp_path, f"{HEAD}{row}\n")
    with pytest.raises(InputError) as caught:
        ingest_case(case, warehouse, now=NOW, data_dir=tmp_path)
    (mistake,) = caught.value.mistakes
    assert mistake.place.startswith("states.csv, row 2") and words in str(mistake) and mistake.remedy
    assert warehouse.measured_states(case.name, 0, 1 << 40, NOW) == []
    warehouse.close()


def test_what_must_take_a_least_power_may_be_measured_at_rest(tmp_path: Path) -> None:
    """Limits bind what is decided, not what is measured."""
    case = _case(tmp_path, HEAD)
    tie = case.ties[0].model_copy(update={"exchange_min_kw": 50.0, "exchange_max_kw": 400.0, "ramp_kw_per_h": 100.0})
    firm = case.model_copy(update={"ties": (tie,)})
    for exchange_kw in (0.0, 60.0, -3.0, 600.0):
        assert accepted(firm, tie.id, "exchange_kw", exchange_kw) == ("exchange_kw", exchange_kw)
    assert isinstance(accepted(firm, tie.id, "exchange_kw", 60.0, "MW"), Mistake)


def test_every_remedy_works(tmp_path: Path) -> None:
    case = _case(tmp_path, HEAD)
    assert isinstance(accepted(case, "battery", "soc_share", 55.0), Mistake)
    assert accepted(case, "battery", "soc_share", 0.55) == ("energy_kwh", pytest.approx(110.0))
    assert accepted(case, "battery", "energy_kwh", 20000.0, "Wh") == ("energy_kwh", 20.0)
    assert accepted(case, "diesel", "on_share", 1.0) == ("on_share", 1.0)
