"""The generated page of the model: nothing is missing, nothing is left over, and every name in it exists."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace

import case_page
import models_page
import pytest
from models_page import Catalogue

from pipeline.physics import laws

# Sections 3, 4 and 5 of the model book, every identifier of a variable, a cost term and a row.
BOOK = {
    "grid_buy_kw", "grid_sell_kw", "grid_schedule_kw", "mg_exchange_kw", "mg_exchange_schedule_kw", "charge_kw", "discharge_kw",
    "energy_kwh", "heat_charge_kw", "heat_discharge_kw", "heat_energy_kwh", "cogeneration_kw", "heat_dump_kw", "generator_kw",
    "generator_kvar", "generator_segment_kw", "ev_charge_kw", "ev_energy_kwh", "res_curtailed_kw", "branch_kw", "branch_kvar",
    "voltage_kv", "storage_direction", "load_shed_kw", "heat_shed_kw", "ev_unserved_kwh", "dump_kw", "energy_cost",
    "storage_wear_cost", "generator_cost", "cogeneration_cost", "penalty_cost", "deviation_cost", "active_flow", "reactive_flow",
    "grid_balance", "voltage_drop", "voltage_limits", "slack_voltage", "battery_energy", "battery_energy_limits", "battery_cycle",
    "battery_power_limits", "battery_exclusive_charge", "battery_exclusive_discharge", "thermal_energy", "thermal_cycle",
    "heat_balance", "mg_balance", "mg_exchange_limits", "generator_segments", "ev_power", "ev_energy", "ev_lower_envelope",
    "ev_upper_envelope", "ev_departure",
    # Robust book, sections 3 and 4.
    "aggregator_charge_kw", "aggregator_discharge_kw", "aggregator_energy_kwh", "ev_slack_kwh", "slack_cost", "aggregator_energy",
    "aggregator_power", "aggregator_energy_limits", "aggregator_ramp", "departure_energy", "cross_cycle_reserve",
}


@pytest.fixture(scope="module")
def found() -> Catalogue:
    return models_page.catalogue()


def test_the_page_of_the_model_is_up_to_date(found: Catalogue) -> None:
    assert models_page.TARGET.read_text() == models_page.page(found), "run `make docs`"


def test_the_page_of_the_case_is_up_to_date_and_every_field_has_a_meaning() -> None:
    assert case_page.complaints() == []
    assert case_page.TARGET.read_text() == case_page.page(), "run `make docs`"


def test_every_component_has_its_entry_and_every_entry_its_component(found: Catalogue) -> None:
    assert models_page.complaints(found) == []


def test_every_name_in_a_formula_exists(found: Catalogue) -> None:
    assert models_page.strangers(found) == []


def test_a_component_without_an_entry_is_told(found: Catalogue) -> None:
    more = replace(found, rows=(*found.rows, replace(found.rows[0], component="new_law")))
    assert models_page.complaints(more) == ["row demand.new_law: no entry in pipeline/physics/laws.py"]


def test_an_entry_without_a_component_is_told(found: Catalogue) -> None:
    assert models_page.complaints(replace(found, rows=found.rows[1:])) == ["row demand.shed_limit: no program has it"]


def test_every_identifier_of_the_book_is_an_alias() -> None:
    assert BOOK - set(models_page.aliases()) == set()


def test_sources_are_declared() -> None:
    entries = [entry for part in (laws.ROWS, laws.COLUMNS, laws.INPUTS, laws.READOUTS) for entry in part.values()]
    keys = {part.split(" ")[0].strip(",:;") for entry in entries for part in re.split(r"; (?=000|003|004|BW|ours)", entry.source)}
    assert keys <= set(laws.SOURCES)


def test_the_tests_that_hold_the_acceptance_checks_exist() -> None:
    places = models_page.tests_by_name()
    named = [name for _, _, names in models_page.ACCEPTANCE for name in names]
    assert [name for name in named if name not in places] == []


def test_every_hand_worked_number_of_the_books_has_its_test_and_its_line() -> None:
    """13, 18 and 12 of the networked, the robust and the hydrogen book: as many as the books hold."""
    assert set(models_page.hand_tests()) == set(models_page.HAND_WORKED)
    counts = Counter(key.partition("-")[0] for key in models_page.HAND_WORKED)
    assert counts == {"NMG": 13, "DRMG": 18, "H2": 12}


def test_electric_names() -> None:
    assert [laws.electric_name(name) for name in ("charge_kwth", "energy_kwhth", "energy_m3", "power_m3h", "shed_kw")] == [
        "charge_kw", "energy_kwh", "energy_kwh", "power_kw", "shed_kw"]
    assert laws.entry_key(laws.COLUMNS, "chp", "vent_kwth") == "chp.vent_kwth"
