"""Mistakes in an EV aggregator and its connection matrix are named with file, line and column, all at once."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pipeline.cases.load import DATA, load_case
from pipeline.core.errors import InputError
from pipeline.forecast.ev_connection import cycle_of

AGGREGATOR = """id,bus,vehicle_count,charger_kw,battery_kwh,charge_efficiency_share,discharge_efficiency_share,arrival_energy_share,\
departure_energy_share,energy_initial_kwh
park,f01_b03,4,4,40,0.95,0.95,0.45,0.9,20
"""
ROWS = """aggregator,connect_slot,dwell_h,vehicle_count
park,3,8,1
park,14,10,2
park,20,8,1
"""
SLIPS = {
    "unknown aggregator": ("rows", "park,3,", "prk,3,", "ev_connections.csv, line 2, column aggregator: vehicles connect at 'prk', which is"
                           " no ev_aggregator of the case; did you mean 'park'?"),
    "half a vehicle": ("rows", "14,10,2", "14,10,2.5", "ev_connections.csv, line 3, column vehicle_count: ev_connection: vehicle_count is"
                       " '2.5', not a whole number"),
    "no vehicle": ("rows", "14,10,2", "14,10,0", "ev_connections.csv, line 3, column vehicle_count: ev_connection: vehicle_count is '0'"),
    "slot 25": ("rows", "park,3,", "park,25,", "ev_connections.csv, line 2, column connect_slot: connect_slot 25 is no slot of a day"),
    "stay too long": ("rows", "14,10,", "14,15,", "ev_connections.csv, line 3, column dwell_h: a stay of 15 h at 'park' lies outside its"
                      " dwell_min_h 6 to dwell_max_h 14"),
    "twice": ("rows", "park,14,10,2", "park,3,8,2", "slot 3 and stay 8 h of 'park' stand there twice: ev_connections.csv, line 2"),
    "unknown column": ("rows", "dwell_h", "dwell", "ev_connections.csv"),
    "more vehicles than places": ("rows", "14,10,2", "14,10,7", "ev_aggregator.csv, line 2, column vehicle_count: ev_aggregator 'park'"
                                  " has up to 8 vehicles connected at once, vehicle_count is 4; give at least 8"),
    "too early": ("device", "\npark,f01_b03,4,", "\npark,f01_b03,4,", "lets vehicles leave 3 h early after a stay of 6 h: a stay cut to"
                  " half or less is an uncontrollable load; give less than half of dwell_min_h"),
    "empty battery": ("device", "0.9,20", "0.9,2000", "column energy_initial_kwh: ev_aggregator 'park' begins with 2000 kWh; the 1 vehicles"
                      " connected then hold 8 to 38 kWh"),
    "leaves fuller than it may be": ("device", "0.45,0.9,", "0.45,0.99,", "has departure_energy_share 0.99 above energy_max_share 0.95"),
}


def folder_of(tmp_path: Path, device: str, rows: str) -> Path:
    folder = Path(shutil.copytree(DATA / "cases" / "tiny", tmp_path / "tiny"))
    (folder / "ev_aggregator.csv").write_text(device)
    (folder / "ev_connections.csv").write_text(rows)
    return folder


def test_a_matrix_is_read_and_belongs_to_its_aggregator(tmp_path: Path) -> None:
    case = load_case(folder_of(tmp_path, AGGREGATOR, ROWS))
    device = next(device for device in case.devices if device.kind == "ev_aggregator")
    matrix = cycle_of(device, case.ev_connections)
    assert matrix.connected().tolist()[:5] == [1, 1, 1, 2, 1]  # slot 20 stays until slot 4, slot 3 is usable from it
    assert matrix.arrivals().sum() == matrix.departures().sum() == 4


@pytest.mark.parametrize("slip", SLIPS)
def test_a_slip_is_named_with_its_place(slip: str, tmp_path: Path) -> None:
    which, old, new, words = SLIPS[slip]
    texts = {"device": AGGREGATOR, "rows": ROWS}
    assert old in texts[which]
    texts[which] = texts[which].replace(old, new, 1)
    if slip == "too early":
        texts["device"] = AGGREGATOR.replace("energy_initial_kwh\n", "energy_initial_kwh,early_departure_h\n").replace("0.9,20", "0.9,20,3")
    with pytest.raises(InputError) as error:
        load_case(folder_of(tmp_path, texts["device"], texts["rows"]))
    assert words in str(error.value)


def test_an_aggregator_without_vehicles_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"ev_aggregator 'park' has no row in ev_connections.csv"):
        load_case(folder_of(tmp_path, AGGREGATOR, "aggregator,connect_slot,dwell_h,vehicle_count\n"))
