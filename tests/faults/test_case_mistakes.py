"""Every mistake in a case is named with file, line, column, value and remedy, and all at once."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.cases.load import DATA, find_case, load_case, mistakes_of
from pipeline.cases.skeleton import new_case
from pipeline.cases.sources import FileSource
from pipeline.core.errors import InputError
from pipeline.ingest.mapping import factor_of
from pipeline.stages.study import load_study


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    return Path(shutil.copytree(DATA / "cases" / "tiny", tmp_path / "tiny"))


def _replace(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text, f"{path.name} lacks {old!r}"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def _refusal(folder: Path, variant: str | None = None) -> str:
    with pytest.raises(InputError) as caught:
        load_case(folder, variant=variant)
    assert caught.value.exit_code == 2
    assert all(mistake.place and mistake.message for mistake in caught.value.mistakes)
    return str(caught.value)


# file, what is there, what a person wrote instead, the words that must come
SLIPS = {
    "unknown bus": (
        "source.csv",
        "f01_wind,f01_b03",
        "f01_wind,f01_b3",
        "source.csv, line 2, column bus: source 'f01_wind' sits on bus 'f01_b3', which the case lacks; did you mean 'f01_b03'?",
    ),
    "unknown network": (
        "buses.csv",
        "f01_b02,distribution",
        "f01_b02,distributoin",
        "buses.csv, line 3, column network: bus 'f01_b02' lies in network 'distributoin'",
    ),
    "unknown series": (
        "source.csv",
        "f01_b03,f01_wind,",
        "f01_b03,f01_wnd,",
        "source.csv, line 2, column series: source 'f01_wind' follows series 'f01_wnd', which the case lacks; did you mean 'f01_wind'?",
    ),
    "series of another kind": ("source.csv", "f01_b03,f01_wind,", "f01_b03,f01_load,", "of kind load, not pv or wind"),
    "unknown profile": ("series.csv", "dso_wind_kw", "dso_wnd_kw", "series.csv, line 3, column profile"),
    "unknown kvar profile": ("demand.csv", "dso_kvar_per_kw", "dso_kvar", "demand.csv, line 2, column kvar_profile"),
    "missing column": ("source.csv", "id,bus,series,", "id,bus,serie,", "source.csv, line 1: the column 'series' is missing"),
    "unknown column": (
        "store.csv",
        "charge_max_kw,",
        "charge_max_kW,",
        "store.csv, line 1, column charge_max_kW: no such field; did you mean 'charge_max_kw'?",
    ),
    "column twice": ("buses.csv", "id,network", "id,network,id", "buses.csv, line 1, column id: the column is there twice"),
    "text in a number": (
        "store.csv",
        "100.0,100.0",
        "hundred,100.0",
        "store.csv, line 2, column charge_max_kw: store 'f01_battery': charge_max_kw is 'hundred', not a number",
    ),
    "unit in a number": ("store.csv", "100.0,100.0", "100 kW,100.0", "the unit is part of the column's name"),
    "decimal comma": ("store.csv", "100.0,100.0", '"100,5",100.0', "write 100.5 with a decimal point"),
    "not a number": ("store.csv", "100.0,100.0", "nan,100.0", "charge_max_kw is 'nan', not a finite number"),
    "infinite": ("branches.csv", "0.0922", "inf", "branches.csv, line 2, column r_ohm: branch 'f01_b01_b02': r_ohm is 'inf'"),
    "negative": ("branches.csv", "0.0922", "-0.0922", "r_ohm is '-0.0922'; it must be at least 0"),
    "zero power": ("chp.csv", "150.0", "0", "chp 'mg_f01_b04_chp': power_max_kw is '0'; it must be above 0"),
    "efficiency above one": ("store.csv", "0.95", "95", "charge_efficiency_share is '95'; it must be at most 1"),
    "fraction of a vehicle": ("ev_fleet.csv", "f01_ev,f01_b03,4", "f01_ev,f01_b03,4.5", "vehicle_count is '4.5', not a whole number"),
    "empty cell": ("branches.csv", "0.0922", "", "branches.csv, line 2: branch 'f01_b01_b02' has no r_ohm; give r_ohm"),
    "too many cells": ("branches.csv", "0.0922", "0,0922", "branches.csv, line 2: has 6 cells under 5 columns; a decimal comma?"),
    "too few cells": ("buses.csv", "f01_b02,distribution", "f01_b02", "buses.csv, line 3: has 1 cells under 2 columns"),
    "duplicate device": (
        "demand.csv",
        "f01_b03_load",
        "f01_b02_load",
        "demand.csv, line 3, column id: the id 'f01_b02_load' is taken: demand.csv, line 2",
    ),
    "duplicate bus": ("buses.csv", "f01_b03,", "f01_b02,", "the id 'f01_b02' is taken: buses.csv, line 3"),
    "device named like a tie": ("source.csv", "f01_wind,f01_b03", "grid,f01_b03", "the id 'grid' is taken"),
    "identifier": ("source.csv", "f01_wind,f01_b03", "F01 wind,f01_b03", "id 'F01 wind' is no identifier"),
    "loop": ("branches.csv", "f01_b03_f01_b04", "f01_b03_f01_b04", ""),
    "disconnected": (
        "branches.csv",
        "f01_b01_b02,f01_b01,f01_b02",
        "f01_b01_b02,f01_b03,f01_b02",
        "no branch leads from slack bus 'f01_b01' to 'f01_b02', 'f01_b03', 'f01_b04'",
    ),
    "unknown branch end": ("branches.csv", "f01_b01_b02,f01_b01,", "f01_b01_b02,f01_b99,", "ends at bus 'f01_b99', which the case lacks"),
    "branch to itself": ("branches.csv", "f01_b01_b02,f01_b01,", "f01_b01_b02,f01_b02,", "begins and ends at 'f01_b02'"),
    "branch between networks": (
        "branches.csv",
        "f01_b01_b02,f01_b01,",
        "f01_b01_b02,mg_f01_b04,",
        "joins networks 'mg_f01_b04' and 'distribution'",
    ),
    "slack bus": (
        "networks.csv",
        ",f01_b01",
        ",f01_b11",
        "networks.csv, line 2, column slack_bus: slack_bus 'f01_b11' is no bus of network",
    ),
    "no slack bus": ("networks.csv", ",f01_b01", ",", "is lindistflow and has no slack_bus"),
    "carrier": ("networks.csv", "active heat", "active", "needs carrier heat, which network 'mg_f01_b04' lacks"),
    "unknown carrier": ("networks.csv", "active heat", "active warmth", "'warmth' is not one of active, reactive, heat, hydrogen"),
    "voltage limits": ("networks.csv", "0.95,1.05", "1.05,0.95", "slack_voltage_pu 1 lies outside its voltage limits"),
    "store too full": (
        "store.csv",
        "300.0,0.0,150.0",
        "300.0,0.0,350.0",
        "store.csv, line 2, column energy_initial_kwh: store 'f01_battery' has energy_initial_kwh 350 above energy_max_kwh 300",
    ),
    "store too empty": ("store.csv", "300.0,0.0,150.0", "300.0,200.0,150.0", "energy_min_kwh 200 above energy_initial_kwh 150"),
    "store upside down": ("store.csv", "300.0,0.0,150.0", "300.0,400.0,150.0", "energy_min_kwh 400 above energy_max_kwh 300"),
    "generator limits": ("generator.csv", "100.0,0.0,", "100.0,200.0,", "power_min_kw 200 above power_max_kw 100"),
    "tie inside a network": (
        "ties.csv",
        "mg_f01_b04_tie,f01_b04,mg_f01_b04",
        "mg_f01_b04_tie,f01_b04,f01_b03",
        "both ends of tie 'mg_f01_b04_tie' lie in network 'distribution'; a tie joins two networks",
    ),
    "tie to nowhere": ("ties.csv", "mg_f01_b04_tie,f01_b04,", "mg_f01_b04_tie,,", "has neither an upper bus nor a market"),
    "heat on a feeder": (
        "networks.csv", "lindistflow,active reactive,", "lindistflow,active reactive heat,",
        "give carriers: [active, reactive]; heat goes into a network of its own: kind copper_plate, carriers [active, heat], with a bus",
    ),
    "tie limits": ("ties.csv", "-200.0,200.0", "200.0,-200.0", "exchange_min_kw 200 is above exchange_max_kw -200"),
    "unknown price": ("ties.csv", ",price", ",prise", "takes its price from series 'prise', which the case lacks; did you mean 'price'?"),
    "load as price": ("ties.csv", ",price", ",f01_load", "a series of kind load"),
    "no capacity": ("series.csv", ",200.0", ",", "series.csv, line 3: series 'f01_wind' is wind and has no capacity_kw"),
    "capacity below the table": ("series.csv", ",200.0", ",100", "reaches 165 in its table, above capacity_kw 100"),
    "no currency": ("case.yaml", "currency: USD", "currency: Fr", "currency 'Fr' is no code of ISO 4217; write three capitals: CHF"),
    "a series in no money": ("series.csv", "USD/kWh", "Fr/kWh", "is a price in 'Fr/kWh', and the case's money is USD; give USD/kWh"),
    "unknown unit": ("series.csv", "load,kW", "load,kWatt", "has the unit 'kWatt', which is not known; give one of W, kW, MW"),
    "unit that is not canonical": ("series.csv", "load,kW", "load,MW", "is kept in 'MW'; keep it in kW"),
    "money": ("case.yaml", "currency: USD", "currency: EUR", "is a price in 'USD/kWh', and the case's money is EUR"),
    "slot missing": ("profiles.csv", "\n5,", "\n25,", "profiles.csv, line 6, column slot: '25' is no slot"),
    "slot twice": ("profiles.csv", "\n5,", "\n4,", "slot 4 is there twice"),
    "text in a profile": ("profiles.csv", "720.2", "72O.2", "profiles.csv, line 2, column dso_load_kw: '72O.2' is not a number"),
    "no slot start": ("case.yaml", "slot_start_hour: 7", "", "needs the local hour at which slot 1 starts"),
    "time zone": ("case.yaml", "Etc/GMT-1", "Europe/Berln", "there is no time zone 'Europe/Berln'; did you mean 'Europe/Berlin'?"),
    "day start": ("case.yaml", "day_start_local: 07:00", "day_start_local: 07:07", "write a whole quarter-hour"),
    "day start in words": ("case.yaml", "day_start_local: 07:00", "day_start_local: seven", "day_start_local is 'seven'"),
    "date": ("case.yaml", "default_date: 2016-06-15", "default_date: 2016-06-31", "default_date is '2016-06-31'"),
    "balancing tie": (
        "case.yaml",
        "balancing_tie: grid",
        "balancing_tie: gird",
        "balancing_tie 'gird' is no tie of the case; did you mean 'grid'?",
    ),
    "balancing tie without market": ("case.yaml", "balancing_tie: grid", "balancing_tie: mg_f01_b04_tie", "has no market to settle at"),
    "nothing balances": ("case.yaml", "balancing_tie: grid", "", "nothing takes the mismatch between the schedule and what comes"),
    "a chain of nobody": (
        "case.yaml", "balancing_tie: grid", "balancing_chain: [f01_batery]", "'f01_batery', which is no device of the case; did you mean"),
    "a chain of loads": (
        "case.yaml", "balancing_tie: grid", "balancing_chain: [f01_b04_load]", "the demand 'f01_b04_load', which cannot balance"),
    "a chain of absent kinds": ("case.yaml", "balancing_tie: grid", "balancing_chain: [converter]", "no converter of the case can balance"),
    "shared flows, one closing tie": ("case.yaml", "balancing_tie: grid", "balancing_tie: grid\ntie_flows: ptdf", "give a balancing_chain"),
    "a unit with reactive power": (
        "case.yaml", "  ev_fleet:\n    charger_kw", "  generator:\n    commitment: {start_cost: 5}\n  ev_fleet:\n    charger_kw",
        "goes on and off and has reactive power"),
    "a unit that runs while it is off": (
        "case.yaml", "  ev_fleet:\n    charger_kw",
        "  generator:\n    commitment: {on_initially: false}\n    power_initial_kw: 10\n  ev_fleet:\n    charger_kw",
        "is off at first and gives 10 kW"),
    "a commitment left open": (
        "case.yaml", "settings:\n", "  generator: {commitment: {start_cost: 5}}\n\nsettings:\n  held_in_real_time: ['*.schedule_kw']\n",
        "leaves the commitment of 'f01_generator' open"),
    "unknown field": ("case.yaml", "currency: USD", "curency: USD", "case.yaml, line 5: no such field 'curency'; did you mean 'currency'?"),
    "unknown setting": ("case.yaml", "draw_count: 100", "draws: 100", "no such field method.draws"),
    "unknown method": (
        "case.yaml",
        "kind: stochastic",
        "kind: stochastik",
        "'stochastik' is not one of deterministic, stochastic, cvar, wasserstein, box_robust, affine; did you mean 'stochastic'?",
    ),
    "unknown reducer": ("case.yaml", "reducer: som", "reducer: sum", "did you mean 'som'?"),
    "unknown forecast": ("case.yaml", "model: arima", "model: arma", "did you mean 'arima'?"),
    "unknown source": ("case.yaml", "kind: error_samples", "kind: error_sample", "did you mean 'error_samples'?"),
    "errors said twice": ("case.yaml", "sigma: 0.01,", "sigma: 0.01, correlated: {},", "has sigma beside correlated"),
    "errors cut too early": (
        "case.yaml", "sigma: 0.01,", "correlated: {wind: {sd_share: .2, most_share: .1}},", "below one standard deviation"),
    "errors that never settle": ("case.yaml", "sigma: 0.01,", "correlated: {persistence_share: 1},", "persistence_share"),
    "errors of no kind": (
        "case.yaml", "sigma: 0.01,", "correlated: {winds: {sd_share: .1, most_share: .3}},", "no such field correlated.winds"),
    "fewer draws than representatives": ("case.yaml", "draw_count: 100", "draw_count: 2", "draw_count is 2, and 3 representatives"),
    "fewer kept than representatives": (
        "case.yaml", "draw_count: 100", "draw_count: 100, pre_reduction_count: 2", "pre_reduction_count is 2, and 3 representatives"),
    "no source": ("case.yaml", "  - {kind: error_samples", "  # - {kind: error_samples", "no source delivers series 'f01_load'"),
    "source twice": ("case.yaml", "id: ev_sessions", "id: error_samples", "the source 'error_samples' is there twice"),
    "bad first date": ("case.yaml", "first_date: 2016-05-04", "first_date: 2016-05-34", "first_date '2016-05-34' is no date"),
    "unknown kind of device": (
        "case.yaml",
        "  ev_fleet:\n    charger_kw",
        "  ev_flet:\n    charger_kw",
        "no such kind of device 'ev_flet'; did you mean 'ev_fleet'?",
    ),
    "ev law": ("case.yaml", "mean: 18.5", "mean: 8.5", "has arrival_h with low 15, mean 8.5, high 22"),
    "ev law's field": ("case.yaml", "departure_energy_share: 0.9", "departure_energy: 0.9", "no such field sessions.departure_energy"),
    "departure hours": ("case.yaml", "departure_hours: [6, 7]", "departure_hours: [7, 6]", "do not rise from the day's start"),
    "key twice": ("case.yaml", "currency: USD", "currency: USD\ncurrency: EUR", "case.yaml, line 6: 'currency' is given twice"),
    "tabs": ("case.yaml", "  ev_fleet:\n", "\tev_fleet:\n", "is no valid YAML"),
    "open bracket": ("case.yaml", "[6, 7]", "[6, 7", "is no valid YAML"),
    "a list for a mapping": (
        "case.yaml",
        "forecast: {model: arima, window_days: 28, price_window_days: 28}",
        "forecast: [arima]",
        "case.yaml, line 30",
    ),
    "truth": ("case.yaml", "normalise_load_ratio: false", "normalise_load_ratio: no", "normalise_load_ratio is 'no'; write true or false"),
}


@pytest.mark.parametrize("slip", SLIPS)
def test_a_slip_is_named(tiny: Path, slip: str) -> None:
    file, old, new, words = SLIPS[slip]
    if slip == "loop":
        path = tiny / "branches.csv"
        path.write_text(path.read_text() + "loop,f01_b04,f01_b02,0.1,0.1\n")
        words = "closes the loop f01_b03 - f01_b02 - f01_b04 - f01_b03 in network 'distribution'"
    else:
        _replace(tiny / file, old, new)
    refusal = _refusal(tiny)
    assert words in refusal, refusal


# The same in the skeleton, whose sources have mappings.
SKELETON_SLIPS = {
    "heat in kW": ("series.csv", "load,load,kW", "load,load,kWth", "follows series 'load' in kWth; keep it in kW"),
    "no column": ("case.yaml", "- {column: price_usd_per_mwh, series: price, unit: USD/MWh}", "", "mapping.columns is empty; write a list"),
    "half a long table": ("case.yaml", "time_is: start", "series_column: name #", "has one of series_column and value_column"),
    "unknown target": ("case.yaml", "series: load,", "series: laod,", "fills series 'laod', which the case lacks; did you mean 'load'?"),
    "a source in other money": (
        "case.yaml",
        "unit: USD/MWh",
        "unit: CHF/MWh",
        "a price in CHF/MWh, and the case's money is USD; convert the prices to USD before, "
        "or set currency: CHF for the case and unit: CHF/kWh for its prices",
    ),
    "unknown unit": ("case.yaml", "unit: USD/MWh", "unit: USD/MW", "column 'price_usd_per_mwh': unknown unit 'USD/MW'"),
    "unit that does not convert": (
        "case.yaml",
        "series: load, unit: kW}",
        "series: load, unit: kvar}",
        "column 'load_kw': kvar does not become kW",
    ),
    "target twice": (
        "case.yaml", "series: pv,", "series: load,",
        "source 'meters' fills series 'load' from 2 columns; keep one; of registers that take turns (day and night) give each a source",
    ),
    "no table": ("case.yaml", "model: arima", "model: table", "series 'load' has no table, and the forecast is to be the table"),
    "regressor": ("case.yaml", "model: arima,", "model: arima, regressors: {price: [laod]},", "the regressors name series 'laod'"),
    "resolution": ("series.csv", "load,load,kW,15", "load,load,kW,7", "has the resolution 7 min"),
    "sell factor": ("case.yaml", "{price_series: price}", "{price_series: price, sell_price_factor: 2}", "pays more than the price"),
    "imbalance": (
        "case.yaml",
        "{price_series: price}",
        "{price_series: price, imbalance_sell_factor: 2}",
        "imbalance is sold dearer than bought",
    ),
    "networks no list": ("case.yaml", "networks:\n  - id: feeder", "networks:\n    id: feeder", "'networks' must be a list of records"),
    "devices no mapping": ("case.yaml", "devices:\n  store:", "devices:\n  - store:", "'devices' must be a mapping from kind to fields"),
    "kind no mapping": ("case.yaml", "devices:\n  store:", "devices:\n  chp: 3\n  store:", "'chp' must be a mapping of fields"),
    "network no mapping": ("case.yaml", "networks:\n", "networks:\n  - feeder\n", "network must be a mapping of fields, not 'feeder'"),
    "variants no mapping": ("case.yaml", "variants:\n", "variants: [one]\nnone:\n", "'variants' must be a mapping"),
    "variant no mapping": ("case.yaml", "variants:\n", "variants:\n  one: 3\n", "the variant 'one' must be a mapping of overrides"),
    "no time zone": (
        "case.yaml",
        "time_zone: Europe/Berlin # of",
        "# time_zone: Europe/Berlin # of",
        "the case has no time_zone; give time_zone",
    ),
    "no kind": (
        "case.yaml",
        "method: {kind: stochastic, draw_count: 200, representative_count: 5}",
        "method: {draw_count: 200}",
        "has no kind",
    ),
    "source without kind": ("case.yaml", "- kind: file\n    id: meters", "- id: meters", "source 'meters': kind 'None' is not one of file"),
    "sources no list": ("case.yaml", "sources:\n  - kind: file", "sources:\n    kind: file", ""),
    "carrier twice": ("case.yaml", "[active, reactive]", "[active, reactive, active]", "names carrier 'active' twice"),
    "copper plate with reactive power": ("case.yaml", "kind: lindistflow", "kind: copper_plate", "is a copper plate with reactive power"),
    "branch in a copper plate": ("case.yaml", "kind: lindistflow", "kind: copper_plate", "branch 'b1_b2' lies in 'feeder', a copper plate"),
    "lindistflow without reactive power": ("case.yaml", "[active, reactive]", "[active]", "give carriers: [active, reactive]"),
    "column without name": ("buses.csv", "id,network", "id,,network", "column 2 has no name"),
    "empty network": ("case.yaml", "networks:\n", "networks:\n  - {id: idle, kind: copper_plate}\n", "network 'idle' has no bus"),
    "quoted price": ("case.yaml", "exchange_max_kw: 200", "exchange_max_kw: '2oo'", "exchange_max_kw is '2oo', not a number"),
}
FLEET_SLIPS = {
    "no departure": ("departure_hours: [6, 7]", "departure_hours: []", "has no departure_hours"),
    "departure at no hour": ("departure_hours: [6, 7]", "departure_hours: [6, 31]", "departure_hours that are no hours"),
    "fuller on arrival": ("departure_energy_share: 0.9", "departure_energy_share: 0.5", "may arrive fuller than it is to leave"),
    "window across the day's start": ("first_hour: 19, last_hour: 4", "first_hour: 4, last_hour: 9", "across the day's start"),
    "window too short": (
        "first_hour: 19, last_hour: 4",
        "first_hour: 19, last_hour: 20",
        "needs 12 kWh in 2 h, more than its charger can give",
    ),
    "no sessions": ("  - {kind: ev_sessions", "  # - {kind: ev_sessions", "has a sampling law and no source draws from it"),
    "table outside its limits": ("variants:", "variants:\n  mine: {series: {maximum: 100}}", "outside its own minimum and maximum"),
}


@pytest.mark.parametrize("slip", SKELETON_SLIPS)
def test_a_slip_in_the_skeleton_is_named(tmp_path: Path, slip: str) -> None:
    file, old, new, words = SKELETON_SLIPS[slip]
    new_case(tmp_path / "mine")
    _replace(tmp_path / "mine" / file, old, new)
    refusal = _refusal(tmp_path / "mine")
    assert words in refusal, refusal


def test_a_table_under_another_name_is_told(tmp_path: Path) -> None:
    new_case(tmp_path / "mine")
    (tmp_path / "mine" / "batteries.csv").write_text(
        "# more\nid,bus,charge_max_kw,discharge_max_kw,energy_max_kwh,energy_initial_kwh\nx,b2,1,1,1,1\n"
    )
    assert "batteries.csv: looks like a table of the case, which knows none of this name; name it store.csv" in _refusal(tmp_path / "mine")


def test_a_history_that_looks_like_a_table_is_no_slip_when_a_source_reads_it(tmp_path: Path) -> None:
    new_case(tmp_path / "mine")
    path = tmp_path / "mine" / "history.csv"
    path.write_text("".join(f"{line},{'id,bus' if n == 0 else '1,2'}\n" for n, line in enumerate(path.read_text().splitlines())))
    (tmp_path / "mine" / "notes.csv").write_text("id,remark\n1,any\n")
    load_case(tmp_path / "mine")


def test_a_folder_in_the_place_of_a_file_is_told(tmp_path: Path) -> None:
    new_case(tmp_path / "mine")
    for name in ("source.csv", "prices.csv"):
        (tmp_path / "mine" / name).unlink()
        (tmp_path / "mine" / name).mkdir()
    refusal = _refusal(tmp_path / "mine")
    assert "source.csv: is a folder, and a table of the case is a file" in refusal
    assert "source 'market' reads 'prices.csv', which is a folder; name the file in it, or give kind: folder" in refusal


@pytest.mark.parametrize(("field", "words"), [
    ("default_date: 15.06.2024", "default_date is '15.06.2024'"), ("default_date: 2024-06-31", "write YYYY-MM-DD, a real day"),
])
def test_a_wrong_date_is_told_the_format(tmp_path: Path, field: str, words: str) -> None:
    new_case(tmp_path / "mine")
    _replace(tmp_path / "mine" / "case.yaml", "default_date: 2024-06-12", field)
    refusal = _refusal(tmp_path / "mine")
    assert words in refusal and "2016" not in refusal


STUDY = {
    "date": ("first_date: 31.12.2016", "line 3: study: first_date is '31.12.2016', no date; write YYYY-MM-DD, a real day"),
    "count": ("days: -3", "line 3: study: days is '-3'; it must be above 0"),
    "words": ("days: many", "study: days is 'many', not a whole number; give a number"),
    "field": ("frist_date: 2016-01-01", "study: no such field frist_date; did you mean 'first_date'?"),
    "yaml": ("days: [1", "is no valid YAML"),
}


@pytest.mark.parametrize("slip", STUDY)
def test_a_slip_in_a_study_is_named(tmp_path: Path, slip: str) -> None:
    line, words = STUDY[slip]
    path = tmp_path / "mine.yaml"
    path.write_text(f"title: mine\ncase: tiny\n{line}\n")
    with pytest.raises(InputError) as caught:
        load_study(str(path))
    assert words in str(caught.value) and "pydantic" not in str(caught.value), str(caught.value)


def test_a_study_without_its_case_and_a_folder_as_study_are_named(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("title: mine\n")
    with pytest.raises(InputError, match="study has no case; give case"):
        load_study(str(path))
    path.unlink()
    path.mkdir()
    with pytest.raises(InputError, match="is a folder, and a study is a file"):
        load_study(str(path))


ABSURD = {
    "volts for kilovolts": ("case.yaml", "base_kv: 0.4", "base_kv: 12660", "base_kv is '12660'; it must be at most 500"),
    "kilovolts for volts": ("case.yaml", "base_kv: 0.4", "base_kv: 0.0004", "base_kv is '0.0004'; it must be at least 0.1"),
    "milliohm": ("branches.csv", "b1,b2,0.010", "b1,b2,10000000", "column r_ohm: branch 'b1_b2': r_ohm is '10000000'; it must be"),
    "reactance": ("branches.csv", "0.010,0.004", "0.010,-1e7", "column x_ohm: branch 'b1_b2': x_ohm is '-1e7'; it must be at least -10000"),
    "exchange": ("case.yaml", "exchange_max_kw: 200", "exchange_max_kw: 2.0e12", "is '2000000000000.0'; it must be at most 1e+09"),
    "store": ("store.csv", "battery,b2,30,30", "battery,b2,30,3e10", "store.csv, line 3, column discharge_max_kw"),
    "slack price": ("case.yaml", "slack_price_per_kwh: 10 ", "slack_price_per_kwh: 1.0e9 ", "it must be at most 1e+06"),
    "wear": ("case.yaml", "wear_cost_per_kwh: 0.001", "wear_cost_per_kwh: 10000000", "is '10000000'; it must be at most 1e+06"),
    "capacity": ("series.csv", "pv,pv,kW,15,60", "pv,pv,kW,15,6e13", "series.csv, line 4, column capacity_kw"),
}


@pytest.mark.parametrize("slip", ABSURD)
def test_what_no_plant_can_be_is_refused_with_its_place(tmp_path: Path, slip: str) -> None:
    file, old, new, words = ABSURD[slip]
    new_case(tmp_path / "mine")
    _replace(tmp_path / "mine" / file, old, new)
    refusal = _refusal(tmp_path / "mine")
    assert words in refusal and f"{file}, line " in refusal, refusal


def test_a_case_may_be_in_any_currency(tmp_path: Path) -> None:
    new_case(tmp_path / "mine")
    _replace(tmp_path / "mine" / "case.yaml", "currency: USD", "currency: CHF")
    assert "USD/kWh" in _refusal(tmp_path / "mine") and "did you mean" not in _refusal(tmp_path / "mine")
    _replace(tmp_path / "mine" / "case.yaml", "unit: USD/MWh", "unit: CHF/MWh")
    _replace(tmp_path / "mine" / "series.csv", "USD/kWh", "CHF/kWh")
    case = load_case(tmp_path / "mine")
    source = case.sources[1]
    assert isinstance(source, FileSource)
    assert factor_of(source.mapping.columns[0], case.series_by_id["price"]) == pytest.approx(1e-3)


def test_a_series_in_other_money_is_one_mistake(tmp_path: Path) -> None:
    new_case(tmp_path / "mine")
    _replace(tmp_path / "mine" / "case.yaml", "currency: USD", "currency: INR")
    _replace(tmp_path / "mine" / "case.yaml", "unit: USD/MWh", "unit: INR/MWh")
    assert _refusal(tmp_path / "mine").splitlines() == [
        "series.csv, line 5, column unit: series 'price' is a price in 'USD/kWh', and the case's money is INR; give INR/kWh"]


def test_one_cause_is_one_message_however_many_records_it_meets(tmp_path: Path) -> None:
    """Sources whose files lie elsewhere, columns in a unit of a wrong case: never a line each."""
    folder = tmp_path / "mine"
    new_case(folder)
    text = (folder / "case.yaml").read_text()
    more = "".join(f"  - {{kind: sessions, id: lot{n}, path: lot{n}.csv}}\n" for n in range(30))
    series = "".join(f"load{n},load,kW,15,,true\n" for n in range(40))
    columns = "".join(f"        - {{column: c{n}, series: load{n}, unit: KW}}\n" for n in range(40))
    (folder / "series.csv").write_text((folder / "series.csv").read_text() + series)
    text = text.replace("sources:\n", f"sources:\n{more}")
    (folder / "case.yaml").write_text(text.replace("      available_after_min: 15", f"{columns}      available_after_min: 15"))
    missing, unit = _refusal(folder).splitlines()
    assert "source 'lot0' reads 'lot0.csv', found neither" in missing and "(30 of this kind: also line" in missing
    assert "column 'c0': unknown unit 'KW' (40 of this kind" in unit and unit.endswith("did you mean 'kW'?")


def test_a_day_of_half_hours_cannot_be_planned_by_the_hour(tmp_path: Path) -> None:
    new_case(tmp_path / "mine")
    _replace(tmp_path / "mine" / "case.yaml", "Europe/Berlin # of", "Australia/Lord_Howe # of")
    said = _refusal(tmp_path / "mine")
    assert "some days in Australia/Lord_Howe are no whole number of steps of 60 min long" in said
    _replace(tmp_path / "mine" / "case.yaml", "  slack_price_per_kwh: 10", "  day_ahead_step_min: 30\n  slack_price_per_kwh: 10")
    assert load_case(tmp_path / "mine").settings.day_ahead_step_min == 30  # the remedy


def test_a_source_maps_something(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(DATA / "cases" / "networked_microgrids_66_simbench", tmp_path / "mine"))
    _replace(folder / "case.yaml", "resolution_min: 60, columns: every_series", "resolution_min: 60, columns: []")
    assert "source 'price_2016' maps no column" in _refusal(folder)


@pytest.mark.parametrize("slip", FLEET_SLIPS)
def test_a_slip_in_fleets_and_windows_is_named(tiny: Path, slip: str) -> None:
    old, new, words = FLEET_SLIPS[slip]
    _replace(tiny / "case.yaml", old, new)
    assert any(words in str(mistake) for mistake in mistakes_of(tiny)), mistakes_of(tiny)


def test_all_mistakes_come_at_once_and_in_order(tiny: Path) -> None:
    chosen = [
        "unknown bus",
        "text in a number",
        "store too empty",
        "duplicate device",
        "balancing tie",
        "unknown setting",
        "slot twice",
        "loop",
    ]
    for slip in chosen[:-1]:
        file, old, new, _ = SLIPS[slip]
        if slip == "store too empty":
            old, new = "90.0,0.0,45.0", "90.0,60.0,45.0"
        _replace(tiny / file, old, new)
    path = tiny / "branches.csv"
    path.write_text(path.read_text() + "loop,f01_b04,f01_b02,0.1,0.1\n")
    with pytest.raises(InputError) as caught:
        load_case(tiny)
    text = str(caught.value)
    for words in (
        "did you mean 'f01_b03'",
        "'hundred'",
        "energy_min_kwh 60",
        "is taken",
        "'gird'",
        "method.draws",
        "slot 4",
        "closes the loop",
    ):
        assert words in text, words
    places = [mistake.place for mistake in caught.value.mistakes]
    assert [place.split(",")[0] for place in places] == sorted(place.split(",")[0] for place in places)
    assert len(set(caught.value.mistakes)) == len(caught.value.mistakes)


def test_a_refused_record_is_no_second_mistake(tiny: Path) -> None:
    _replace(tiny / "buses.csv", "f01_b02,distribution", "f01_b02,distribution ,")
    _replace(tiny / "series.csv", "f01_load,load", "f01_load,lood")
    with pytest.raises(InputError) as caught:
        load_case(tiny)
    assert not any("which the case lacks" in mistake.message and "f01_load" in mistake.message for mistake in caught.value.mistakes)


VARIANTS = {
    "unknown id": (
        "devices: {f01_batery: {energy_max_kwh: 1}}",
        "the variant names 'f01_batery', which devices lacks; did you mean 'f01_battery'?",
    ),
    "unknown table": ("device: {store: {wear_cost_per_kwh: 1}}", "a variant cannot change 'device'; did you mean 'devices'?"),
    "unknown field of all ties": ("ties: {deviation_price: 0}", "did you mean 'deviation_price_per_kwh'?"),
    "unknown field of one": ("devices: {f01_battery: {energy_kwh: 1}}", "no such field energy_kwh"),
    "wrong value": ("devices: {store: {wear_cost_per_kwh: cheap}}", "wear_cost_per_kwh is 'cheap', not a number"),
    "no mapping": ("devices: 3", "'devices' of a variant must be a mapping"),
    "override that is no mapping": ("devices: {f01_battery: 3}", "an override must be a mapping of fields"),
    "limits across": ("devices: {f01_battery: {energy_max_kwh: 100}}", "energy_initial_kwh 150 above energy_max_kwh 100"),
    "table without one": ("settings: {forecast: {model: tabel}}", "did you mean 'table'?"),
}


@pytest.mark.parametrize("slip", VARIANTS)
def test_a_slip_in_a_variant_is_named_with_its_line(tiny: Path, slip: str) -> None:
    body, words = VARIANTS[slip]
    _replace(tiny / "case.yaml", "variants:\n", f"variants:\n  mine:\n    {body}\n")
    line = (tiny / "case.yaml").read_text().splitlines().index(f"    {body}") + 1
    refusal = _refusal(tiny, "mine")
    assert words in refusal, refusal
    if slip != "limits across":
        assert f"case.yaml, line {line}" in refusal
    load_case(tiny)  # the default does not care
    assert any(words in str(mistake) for mistake in mistakes_of(tiny))


def test_unknown_variant_has_a_suggestion(tiny: Path) -> None:
    assert "the case has no variant 'twoprice'; did you mean 'two_price'?" in _refusal(tiny, "twoprice")


@pytest.mark.parametrize("name", ["Bad Name", "a.b"])
def test_a_variant_s_name_is_an_identifier(tiny: Path, name: str) -> None:
    _replace(tiny / "case.yaml", "variants:\n", f"variants:\n  {name}: {{}}\n")
    assert f"'{name}' is no name of a variant" in _refusal(tiny)


def test_unknown_case_has_a_suggestion() -> None:
    with pytest.raises(InputError, match="did you mean 'networked_microgrids_66'"):
        find_case("networked_microgrid_66")


def test_folder_without_case(tmp_path: Path) -> None:
    assert "holds no case.yaml" in _refusal(tmp_path)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "holds no mapping"),
        (b"- a\n- b\n", "holds no mapping"),
        (b"name: \xff\xfe", "is not UTF-8"),
        (b"a: &x [*y]", "is no valid YAML"),
        (b"name: x\n\x00", "is no valid YAML"),
    ],
)
def test_unreadable_yaml(tiny: Path, content: bytes, words: str) -> None:
    (tiny / "case.yaml").write_bytes(content)
    assert words in _refusal(tiny)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "buses.csv: is empty"),
        (b"\n\n,,\n", "buses.csv: is empty"),
        (b"id,network\nf\xfcrth,distribution\n", "buses.csv, line 2: is not UTF-8"),
        ("id,network\nf01_b01,distribution\n".encode("utf-16"), "buses.csv: is UTF-16"),
        (b"id,\nf01_b01,distribution\n", "the column 'network' is missing"),
        (b'id,network\n"f01_b01,distribution\n', "buses.csv"),
    ],
)
def test_unreadable_csv(tiny: Path, content: bytes, words: str) -> None:
    (tiny / "buses.csv").write_bytes(content)
    assert words in _refusal(tiny)


@pytest.mark.parametrize("name", ["buses", "networks", "ties"])
def test_a_table_that_is_not_there(tiny: Path, name: str) -> None:
    (tiny / f"{name}.csv").unlink()
    assert f"the case has no {name}" in _refusal(tiny)


def test_a_table_under_a_wrong_name(tiny: Path) -> None:
    (tiny / "demand.csv").rename(tiny / "demands.csv")
    assert "demands.csv: no table of a case has this name; did you mean 'demand.csv'?" in _refusal(tiny)


def test_a_file_that_a_source_names_is_there(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(DATA / "cases" / "networked_microgrids_66_simbench", tmp_path / "mine"))
    _replace(folder / "case.yaml", "series/simbench_2016.parquet", "series/simbench_2106.parquet")
    refusal = _refusal(folder)
    assert "reads 'series/simbench_2106.parquet', found neither" in refusal and "did you mean 'simbench_2016.parquet'?" in refusal


def test_a_table_of_the_case_is_not_proposed_for_a_history(tiny: Path) -> None:
    source = "sources:\n  - {kind: sessions, id: log, path: ocpp.csv}\n"
    text = (tiny / "case.yaml").read_text()
    (tiny / "case.yaml").write_text(text.replace("sources:\n", source, 1) if "sources:\n" in text else text + source)
    refusal = _refusal(tiny)
    assert "reads 'ocpp.csv', found neither" in refusal and "chp.csv" not in refusal and "mend path, or put the file there" in refusal


CELLS = st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\x00", exclude_categories=("Cs",)), max_size=12)


@given(
    cell=CELLS,
    where=st.tuples(
        st.sampled_from(["store.csv", "ties.csv", "branches.csv", "profiles.csv", "ev_fleet.csv"]), st.integers(1, 3), st.integers(0, 30)
    ),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
def test_any_cell_loads_or_is_refused_with_its_file(tiny: Path, cell: str, where: tuple[str, int, int]) -> None:
    file, line, column = where
    kept = (tiny / file).read_bytes()
    lines = kept.decode().splitlines()
    cells = lines[min(line, len(lines) - 1)].split(",")
    cells[column % len(cells)] = cell
    lines[min(line, len(lines) - 1)] = ",".join(cells)
    (tiny / file).write_text("\n".join(lines) + "\n", encoding="utf-8")
    try:
        load_case(tiny)
    except InputError as error:
        assert all(re.match(r"[a-z_0-9]+\.(csv|yaml)|case", mistake.place) for mistake in error.mistakes)
    finally:
        (tiny / file).write_bytes(kept)


@given(text=st.text(max_size=60))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
def test_any_yaml_loads_or_is_refused(tiny: Path, text: str) -> None:
    (tiny / "case.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(InputError):
        load_case(tiny)


def test_a_case_without_its_buses_says_that_alone(tiny: Path) -> None:
    """Everything stands on a bus: every branch, device and tie would be told beside the one file to write."""
    (tiny / "buses.csv").unlink()
    assert _refusal(tiny).splitlines() == ["case.yaml: the case has no buses; write buses.csv: columns id and network, a row per bus"]
