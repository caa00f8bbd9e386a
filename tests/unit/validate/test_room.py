"""Nothing is shed or burnt beside a device that had room: the checker sees it in the settled table."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.equipment import Chp, Converter, Demand, Generator, Store
from pipeline.validate.check import Check
from pipeline.validate.context import Bound, Context, grid_of
from pipeline.validate.frame import Frame
from pipeline.validate.room import room_findings
from tests.helpers import case_of

HEAT = Demand(id="h", bus="plate", carrier="heat", series="heat")
LOAD = Demand(id="d", bus="plate", series="load", dump_max_kw=50)
CHP = Chp(id="chp", bus="plate", power_max_kw=100, heat_to_power_factor=0.8, fuel_cost_per_kwh=0.1)
BOILER = Converter(id="boiler", bus="plate", input_carrier="fuel", output_carrier="heat", power_max_kw=50, cost_per_kwh=0.05)
HOT = Store(id="hot", bus="plate", carrier="heat", charge_max_kw=20, discharge_max_kw=20, charge_efficiency_share=1,
            discharge_efficiency_share=1, energy_max_kwh=50, energy_initial_kwh=25)
GEN = Generator(id="gen", bus="plate", power_max_kw=60, cost_linear_per_kwh=0.3)
BATTERY = HOT.model_copy(update={"id": "battery", "carrier": "active"})
SHED = {("h", "heat", "shed_kwth"): 5.0}
LACK = {("d", "active", "shed_kw"): 8.0, ("grid", "active", "injection"): 1000.0}
BURN = {("d", "active", "dump_kw"): 8.0, ("grid", "active", "injection"): -1000.0}


def found_in(*devices, rows, step=40, overridden=None):
    case = case_of(*devices)
    day = case.day(case.default_date)
    values = {(device, "plate", carrier, quantity): np.array([[value]]) for (device, carrier, quantity), value in rows.items()}
    words = (Bound(overridden, "out", 0.0, 0, 2**40),) if overridden else ()
    check = Check(case, Frame("dispatch", ("settled",), np.array([step]), values, {}), grid_of(case, day, "real_time"),
                  Context(overrides=words), {"settled": {"price": np.full(96, 0.2)}}, "real_time")
    return {finding.place: finding.value for finding in room_findings(check)}


@pytest.mark.parametrize(("device", "rows", "amount"), [
    (CHP, {**SHED, ("chp", "active", "injection"): 50.0}, 5.0),
    (CHP, {**SHED, ("chp", "active", "injection"): 97.5}, 2.0),
    (CHP, {**SHED, ("chp", "active", "injection"): 100.0}, None),
    (CHP, {**SHED, ("chp", "active", "injection"): 50.0, ("grid", "active", "injection"): -1000.0}, None),  # nobody takes its power
    (BOILER, {**SHED, ("boiler", "heat", "injection"): 49.0}, 1.0),
    (HOT, {**SHED, ("hot", "heat", "injection"): 10.0, ("hot", "heat", "energy_kwhth"): 1.0}, 4.0),
    (HOT, {**SHED, ("hot", "heat", "injection"): 20.0, ("hot", "heat", "energy_kwhth"): 20.0}, None),
])
def test_heat_that_is_unmet_beside_room(device, rows, amount):
    assert found_in(HEAT, device, rows=rows) == ({} if amount is None else {"plate: heat is unmet": pytest.approx(amount)})


def test_the_day_s_end_and_a_person_s_word_leave_no_room():
    rows = {**SHED, ("hot", "heat", "energy_kwhth"): 20.0}
    assert found_in(HEAT, HOT, rows=rows) and not found_in(HEAT, HOT, rows=rows, step=96)
    assert not found_in(HEAT, HOT, rows=rows, overridden="hot")


@pytest.mark.parametrize(("device", "rows", "place"), [
    (GEN, {**LACK, ("gen", "active", "injection"): 50.0}, "plate: load is shed"),
    (BATTERY, {**LACK, ("battery", "active", "energy_kwh"): 20.0}, "plate: load is shed"),
    (GEN, {**LACK, ("grid", "active", "injection"): 990.0, ("gen", "active", "injection"): 60.0}, "plate: load is shed"),
    (GEN, {**LACK, ("gen", "active", "injection"): 60.0}, None),
    (GEN, {**BURN, ("gen", "active", "injection"): 5.0}, "plate: power is burnt"),
    (BATTERY, {**BURN, ("battery", "active", "energy_kwh"): 20.0}, "plate: power is burnt"),
    (BATTERY, {**BURN, ("battery", "active", "energy_kwh"): 50.0}, None),
])
def test_load_and_surplus_beside_room(device, rows, place):
    assert set(found_in(LOAD, device, rows=rows)) == ({place} if place else set())
