"""What devices do by themselves within an interval, by hand: nothing is unmet, let go or paid a penalty for beside one that has room.

One place with a tie to the market, a battery of no use, and what each test adds. Prices per kWh: power .2 unless told otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from pipeline.cases.sources import Series
from pipeline.equipment import Bus, Chp, Converter, Demand, Generator, Market, Network, Store, Tie
from pipeline.physics.assemble import assemble
from pipeline.physics.horizon import Horizon
from pipeline.program.compile import compile_model
from pipeline.schedule.close import close_interval
from pipeline.schedule.desk import Desk, open_desk
from tests.helpers import case_of, market_tie

HEAT = Demand(id="h", bus="plate", carrier="heat", series="heat")
LOAD = Demand(id="d", bus="plate", series="load")
CHP = Chp(id="chp", bus="plate", power_max_kw=100, heat_to_power_factor=0.8, fuel_cost_per_kwh=0.1)
BOILER = Converter(id="boiler", bus="plate", input_carrier="fuel", output_carrier="heat", power_max_kw=50, cost_per_kwh=0.05)
HEATER = Chp(id="heater", bus="plate", mode="electric_heater", power_max_kw=40, heat_to_power_factor=1.0, fuel_cost_per_kwh=0.0)
NET = Series(id="load", kind="load", minimum=-100.0)
HOT = Store(id="hot", bus="plate", carrier="heat", charge_max_kw=20, discharge_max_kw=20, charge_efficiency_share=1,
            discharge_efficiency_share=1, energy_max_kwh=50, energy_initial_kwh=25, cycle="at_least")
H2 = Network(id="plate", kind="copper_plate", carriers=("active", "heat", "hydrogen"))


def desk_of(*devices: Any, **more: Any) -> Desk:
    case = case_of(*devices, **more)
    program = compile_model(assemble(case, Horizon(4, 0.25, rolling=True)))
    return open_desk(case, case.day(case.default_date), program)


def closed(desk: Desk, points: Mapping[str, float], last: bool = False, **inputs: float) -> dict[str, float]:
    """Quantities of an interval by name. inputs: by component with `__` for the dot; `price` of the market."""
    names = {label.name: j for j, label in enumerate(desk.layout.inputs.labels)}
    row, columns = desk.binder.plan.default.copy(), np.zeros(len(desk.layout.columns.labels))
    for name, value in {"grid__price_per_kwh": 0.2, **inputs}.items():
        row[names[name.replace("__", ".")]] = value
        if (most := names.get(name.replace("__load_", ".sheddable_"))) is not None:
            row[most] = max(value, 0.0)
    for name, value in points.items():
        columns[[label.name for label in desk.layout.columns.labels].index(name)] = value
    state = desk.binder.initial_state()
    met = desk.binder.interval(row, state)
    wanted = desk.binder.whole_day(row[None], state, row[None, desk.binder.plan.frozen_entry])[-1] if last else None
    found, _, left = close_interval(desk.roster, columns, met, state.values, step_h=0.25, wanted=wanted)
    assert np.abs(left).max() < 1e-8
    return {label.name: float(found[j]) for j, label in enumerate(desk.layout.columns.labels)}


def test_a_unit_that_runs_follows_its_heat_and_the_tie_takes_its_power():
    """60 kWth are needed, 40 are made: 20 / .8 = 25 kW more, which are not bought."""
    found = closed(desk_of(CHP, HEAT, LOAD), {"chp.power_kw": 50.0}, h__load_kwth=60.0, d__load_kw=90.0)
    assert (found["chp.power_kw"], found["h.shed_kwth"], found["grid.exchange_kw"]) == pytest.approx((75.0, 0.0, 15.0))


@pytest.mark.parametrize(("price", "expected"), [(0.2, (100.0, 20.0, 0.0)), (0.11, (100.0, 20.0, 0.0)), (0.02, (50.0, 20.0, 40.0))])
def test_heat_that_lacks_is_made_by_who_makes_it_cheapest(price, expected):
    """100 kWth are needed, the unit makes 40 kWth. A kWth costs (.1 - price) / .8 of it, .05 of the boiler, the price of the heater.

    With power at .2 and .11 the unit comes first, then the boiler; at .02 the heater (.02), the boiler (.05), then the unit (.1).
    """
    found = closed(desk_of(CHP, BOILER, HEATER, HEAT), {"chp.power_kw": 50.0}, h__load_kwth=100.0, grid__price_per_kwh=price)
    named = found["chp.power_kw"], found["boiler.power_kwth"], found["heater.power_kw"]
    assert named == pytest.approx(expected)
    assert found["h.shed_kwth"] == 0


def test_the_store_comes_before_those_who_make_heat():
    found = closed(desk_of(CHP, HOT, HEAT), {"chp.power_kw": 50.0}, h__load_kwth=65.0)
    assert (found["hot.discharge_kwth"], found["chp.power_kw"]) == pytest.approx((20.0, 56.25))


def test_a_store_ends_its_day_as_it_must_while_a_unit_can_make_the_heat():
    """In the day's last interval the store may not give: at 10 per kWh short it would be dearer than the unit."""
    found = closed(desk_of(CHP, HOT, HEAT), {"chp.power_kw": 50.0}, last=True, h__load_kwth=65.0)
    assert (found["hot.discharge_kwth"], found["chp.power_kw"]) == pytest.approx((0.0, 81.25))
    full = closed(desk_of(CHP, HOT, HEAT), {"chp.power_kw": 50.0}, last=True, h__load_kwth=95.0)
    assert (full["chp.power_kw"], full["hot.discharge_kwth"] + full["h.shed_kwth"]) == pytest.approx((100.0, 15.0))


@pytest.mark.parametrize(("price", "power", "vent"), [(0.2, 50.0, 10.0), (0.05, 37.5, 0.0)])
def test_heat_to_spare_is_let_go_where_the_power_is_worth_its_fuel(price, power, vent):
    found = closed(desk_of(CHP, HEAT), {"chp.power_kw": 50.0}, h__load_kwth=30.0, grid__price_per_kwh=price)
    assert (found["chp.power_kw"], found["chp.vent_kwth"]) == pytest.approx((power, vent))


def test_heat_is_left_unmet_first_where_that_is_cheaper_than_making_it():
    cheap = HEAT.model_copy(update={"shed_price_per_kwh": 0.03})
    found = closed(desk_of(BOILER, cheap), {}, h__load_kwth=40.0)
    assert (found["h.shed_kwth"], found["boiler.power_kwth"]) == pytest.approx((40.0, 0.0))


def test_a_person_s_word_is_kept():
    """The unit is out: its limits are zero, and heat is unmet beside it."""
    found = closed(desk_of(CHP, HEAT), {"chp.power_kw": 50.0}, h__load_kwth=60.0, chp__power_high_kw=0.0)
    assert (found["chp.power_kw"], found["h.shed_kwth"]) == pytest.approx((0.0, 60.0))


def test_what_the_dispatch_shed_is_fed_where_the_tie_has_room():
    found = closed(desk_of(LOAD), {"d.shed_kw": 30.0}, d__load_kw=80.0)
    assert (found["d.shed_kw"], found["grid.exchange_kw"]) == pytest.approx((0.0, 80.0))


def test_who_sells_his_load_below_the_price_of_power_stays_off():
    found = closed(desk_of(LOAD.model_copy(update={"shed_price_per_kwh": 0.15})), {"d.shed_kw": 30.0}, d__load_kw=80.0)
    assert (found["d.shed_kw"], found["grid.exchange_kw"]) == pytest.approx((30.0, 50.0))


def test_what_the_dispatch_dumped_is_sold_where_the_tie_has_room():
    found = closed(desk_of(LOAD.model_copy(update={"dump_max_kw": 50.0})), {"d.dump_kw": 20.0, "grid.exchange_kw": 30.0}, d__load_kw=10.0)
    assert (found["d.dump_kw"], found["grid.exchange_kw"]) == pytest.approx((0.0, 10.0))


TIGHT = (market_tie(exchange_min_kw=-30.0, exchange_max_kw=30.0),)


def test_beyond_the_tie_a_unit_gives_power_and_its_heat_goes():
    found = closed(desk_of(CHP, HEAT, LOAD, ties=TIGHT), {}, d__load_kw=70.0)
    assert (found["chp.power_kw"], found["chp.vent_kwth"], found["d.shed_kw"]) == pytest.approx((40.0, 32.0, 0.0))


def test_beyond_the_tie_a_heater_stops_while_the_store_has_heat():
    found = closed(desk_of(HEATER, HOT, HEAT, LOAD, ties=TIGHT), {"heater.power_kw": 30.0}, h__load_kwth=30.0, d__load_kw=20.0)
    named = found["heater.power_kw"], found["hot.discharge_kwth"], found["d.shed_kw"], found["h.shed_kwth"]
    assert named == pytest.approx((10.0, 20.0, 0.0, 0.0))


def test_what_the_tie_cannot_take_a_unit_does_not_make_while_a_boiler_has_room():
    found = closed(desk_of(CHP, BOILER, HEAT, ties=TIGHT), {"chp.power_kw": 80.0, "grid.exchange_kw": -30.0}, h__load_kwth=64.0)
    assert (found["chp.power_kw"], found["boiler.power_kwth"], found["h.shed_kwth"]) == pytest.approx((30.0, 40.0, 0.0))


def test_what_nobody_can_take_is_not_made_and_its_heat_is_unmet():
    found = closed(desk_of(CHP, HEAT, ties=TIGHT), {"chp.power_kw": 80.0, "grid.exchange_kw": -30.0}, h__load_kwth=64.0)
    assert (found["chp.power_kw"], found["h.shed_kwth"]) == pytest.approx((30.0, 40.0))


def test_loads_are_shed_the_cheapest_first():
    one, two = (LOAD.model_copy(update={"id": name, "shed_price_per_kwh": price}) for name, price in (("one", 9.0), ("two", 5.0)))
    found = closed(desk_of(one, two, ties=TIGHT), {}, one__load_kw=40.0, two__load_kw=15.0)
    assert (found["one.shed_kw"], found["two.shed_kw"]) == pytest.approx((10.0, 15.0))


def test_those_behind_a_tie_help_before_load_is_shed_ahead_of_it():
    """The grid gives 30 of 100 kW: the generator behind the first tie gives 40, all that its tie carries, the one behind the second 25."""
    ends = tuple(Network(id=name, kind="copper_plate", carriers=("active",)) for name in ("hub", "one", "two"))
    buses = tuple(Bus(id=name, network=name) for name in ("hub", "one", "two"))
    units = [Generator(id=f"g{bus}", bus=bus, power_max_kw=most, cost_linear_per_kwh=0.3) for bus, most in (("one", 60), ("two", 25))]
    tie = {"upper_bus": "hub", "exchange_min_kw": -40.0, "exchange_max_kw": 40.0}
    grid = Tie(id="grid", lower_bus="hub", exchange_min_kw=-30.0, exchange_max_kw=30.0, market=Market(price_series="price"))
    desk = desk_of(LOAD.model_copy(update={"bus": "hub"}), *units, networks=ends, buses=buses,
                   ties=(grid, *(Tie(id=f"t{name}", lower_bus=name, **tie) for name in ("one", "two"))))
    found = closed(desk, {}, d__load_kw=100.0)
    assert (found["tone.exchange_kw"], found["ttwo.exchange_kw"], found["d.shed_kw"]) == pytest.approx((-40.0, -25.0, 5.0))


TANK = Store(id="tank", bus="plate", carrier="hydrogen", charge_max_kw=30, discharge_max_kw=30, charge_efficiency_share=1,
             discharge_efficiency_share=1, energy_max_kwh=100, energy_initial_kwh=50)
CELL = Converter(id="cell", bus="plate", input_carrier="hydrogen", output_carrier="active", power_max_kw=60, conversion_factor=0.5,
                 waste_heat_share=0.8)
UNIT = Converter(id="unit", bus="plate", input_carrier="active", output_carrier="hydrogen", power_max_kw=60, conversion_factor=0.6)


def test_a_fuel_cell_warms_who_would_be_cold_while_its_tank_gives():
    """.8 of what it loses, 1 kW per kW it gives, is heat: 16 kWth of 20 kW, for which it takes 40 kW or 13.3 m3/h of hydrogen."""
    found = closed(desk_of(CELL, TANK, HEAT, networks=(H2,)), {}, h__load_kwth=16.0)
    named = found["cell.power_kw"], found["tank.discharge_m3h"], found["h.shed_kwth"], found["grid.exchange_kw"]
    assert named == pytest.approx((20.0, 40 / 3, 0.0, -20.0))


def test_hydrogen_that_lacks_is_made_where_no_tank_gives_it():
    """The cell must run at 10 kW (6.67 m3/h) and the tank is out: the electrolyser makes them of 33.3 kW."""
    found = closed(desk_of(CELL, UNIT, TANK, HEAT, networks=(H2,)), {"cell.power_kw": 10.0}, cell__power_low_kw=10.0,
                   tank__power_high_m3h=0.0, tank__power_low_m3h=0.0)
    assert (found["cell.power_kw"], found["unit.power_kw"]) == pytest.approx((10.0, 100 / 3))


def test_a_tank_misses_its_day_s_end_before_a_battery_does():
    """Both lose what they hold: at the day's end 31.8 kW and 12.7 kW would be needed, the tie gives 30. A kWh is .2 m3 of hydrogen."""
    leaky = Store(id="cell", bus="plate", charge_max_kw=40, discharge_max_kw=40, charge_efficiency_share=1, discharge_efficiency_share=1,
                  energy_max_kwh=100, energy_initial_kwh=50, hourly_retention_share=0.5)
    tank = TANK.model_copy(update={"hourly_retention_share": 0.95})
    found = closed(desk_of(leaky, UNIT, tank, networks=(H2,), ties=TIGHT), {}, last=True)
    assert (found["cell.charge_kw"], found["unit.power_kw"], found["grid.exchange_kw"]) == pytest.approx((30.0, 0.0, 30.0))
    roomy = closed(desk_of(leaky, UNIT, tank, networks=(H2,)), {}, last=True)
    assert (roomy["cell.charge_kw"], roomy["unit.power_kw"]) == pytest.approx((31.821, 12.741), abs=1e-3)


def test_what_a_net_load_feeds_back_and_nobody_can_take_is_cut_back():
    """40 kW come from a roof behind the meter, the tie takes 30; with a load beside it nothing is cut back that could be used."""
    roof = {"series": (NET, Series(id="price", kind="price"))}
    found = closed(desk_of(LOAD, ties=TIGHT, **roof), {}, d__load_kw=-40.0)
    assert (found["d.dump_kw"], found["d.shed_kw"], found["grid.exchange_kw"]) == pytest.approx((10.0, 0.0, -30.0))
    other = Demand(id="e", bus="plate", series="load")
    found = closed(desk_of(LOAD, other, ties=TIGHT, **roof), {}, d__load_kw=-40.0, e__load_kw=8.0)
    assert (found["d.dump_kw"], found["e.dump_kw"], found["grid.exchange_kw"]) == pytest.approx((2.0, 0.0, -30.0))
