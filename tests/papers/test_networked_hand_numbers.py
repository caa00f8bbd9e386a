"""The hand-worked numbers of the networked microgrids book, section 9, by their ids."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pipeline.cases.settings import Settings
from pipeline.equipment import Branch, Bus, Chp, Demand, EvFleet, Generator, Network, Store
from tests.helpers import Answer, case_of, market_tie, solved

PRICE = "grid.price_per_kwh"


def battery(**more: Any) -> Store:
    """Of the DSO (table 7), empty and without an end condition."""
    fields: dict[str, Any] = {
        "id": "bs", "bus": "plate", "charge_max_kw": 100, "discharge_max_kw": 100, "charge_efficiency_share": 0.95,
        "discharge_efficiency_share": 0.95, "energy_max_kwh": 300, "energy_initial_kwh": 0, "wear_cost_per_kwh": 0.0001, "cycle": "none",
    }
    return Store(**{**fields, **more})


def cogeneration(*, vent: bool) -> Chp:
    return Chp(id="rc", bus="plate", power_max_kw=150, heat_to_power_factor=0.8, fuel_cost_per_kwh=0.1, vent_allowed=vent)


def microgrid(price: float, *, vent: bool) -> Answer:
    """One hour of a microgrid with 18 kW load, 16 kWth heat and the grid at `price`."""
    case = case_of(Demand(id="d", bus="plate", series="load"), Demand(id="h", bus="plate", carrier="heat", series="heat"),
                   cogeneration(vent=vent), ties=(market_tie(exchange_min_kw=-200, exchange_max_kw=200),))
    return solved(case, {"d.load_kw": 18, "h.load_kwth": 16, PRICE: price}, positions=1)


def generator(price: float) -> Answer:
    unit = Generator(id="dg", bus="plate", power_max_kw=100, cost_linear_per_kwh=0.08, cost_quadratic_per_kw2h=0.001)
    return solved(case_of(unit), {PRICE: price}, positions=1)


def feeder(load: dict[str, tuple[float, float]], branches: tuple[Branch, ...]) -> Answer:
    """One hour of a 12.66 kV feeder with kW and kvar at some buses."""
    ids = sorted({bus for branch in branches for bus in (branch.from_bus, branch.to_bus)})
    case = case_of(
        *(Demand(id=f"{bus}_load", bus=bus, series="load", kvar_per_kw=0.5) for bus in load),
        networks=(Network(id="feeder", kind="lindistflow", carriers=("active", "reactive"), base_kv=12.66, slack_bus="b1"),),
        buses=tuple(Bus(id=bus, network="feeder") for bus in ids), branches=branches,
        ties=(market_tie(lower_bus="b1", reactive_max_kvar=1000),),
    )
    values = {f"{bus}_load.load_kw": p for bus, (p, _) in load.items()} | {f"{bus}_load.load_kvar": q for bus, (_, q) in load.items()}
    return solved(case, {**values, PRICE: 0.1}, positions=1)


def test_NMG_BS_1() -> None:
    answer = solved(case_of(battery()), {PRICE: [0.05, 0.15]}, positions=2)
    assert answer["bs.charge_kw"] == pytest.approx([100, 0])
    assert answer["bs.energy_kwh"] == pytest.approx([95, 0])
    assert answer["bs.discharge_kw"] == pytest.approx([0, 90.25])
    assert answer.objective == pytest.approx(-8.518475, abs=1e-9)


def test_NMG_BS_2() -> None:
    just_pays = (0.05 + 0.0001 * 1.9025) / 0.9025
    assert just_pays == pytest.approx(0.0556125, abs=5e-8)
    for price, charge_kw in ((0.055, 0), (just_pays - 1e-6, 0), (just_pays + 1e-6, 100)):
        assert solved(case_of(battery()), {PRICE: [0.05, price]}, positions=2)["bs.charge_kw"][0] == pytest.approx(charge_kw)


def test_NMG_BS_3() -> None:
    store = battery(charge_max_kw=30, discharge_max_kw=30, energy_max_kwh=90)
    answer = solved(case_of(store), {PRICE: [0.01, 0.01, 1.0], "bs.power_high_kw": [-30, 0, 30]}, positions=3, step_h=0.25)
    assert answer["bs.energy_kwh"][0] == pytest.approx(7.125)


def test_NMG_TS_1() -> None:
    store = battery(id="ts", carrier="heat", charge_max_kw=30, discharge_max_kw=30, energy_max_kwh=100, energy_initial_kwh=20,
                    hourly_retention_share=0.99)
    case = case_of(store, Demand(id="h", bus="plate", carrier="heat", series="heat"), cogeneration(vent=True))
    held_kwth = [-30, 30]
    held = {"ts.power_low_kwth": held_kwth, "ts.power_high_kwth": held_kwth}
    answer = solved(case, {PRICE: 0.15, "h.load_kwth": [0, 60], **held}, positions=2)
    assert answer["ts.energy_kwhth"][0] == pytest.approx(48.3)
    assert pytest.approx(45.426, abs=5e-4) == 0.99 * 48.3 * 0.95
    assert answer["ts.discharge_kwth"][1] == pytest.approx(30)


def test_NMG_RC_1() -> None:
    answer = microgrid(0.15, vent=False)
    assert answer["rc.power_kw"] == pytest.approx(20)
    assert answer.objective == pytest.approx(1.70)


def test_NMG_RC_2() -> None:
    answer = microgrid(0.15, vent=True)
    assert answer["rc.power_kw"] == pytest.approx(150)
    assert answer.objective == pytest.approx(-4.80)


def test_NMG_RC_3() -> None:
    answer = microgrid(0.08, vent=True)
    assert answer["rc.power_kw"] == pytest.approx(20)
    assert answer.objective == pytest.approx(1.84)


def test_NMG_DG_1() -> None:
    answer = generator(0.1721)
    assert answer["dg.segment_kw"].sum() == pytest.approx(50)
    assert -answer.objective == pytest.approx(2.105)


def test_NMG_DG_2() -> None:
    answer = generator(0.1231)
    assert answer["dg.segment_kw"].sum() == pytest.approx(20)
    assert -answer.objective == pytest.approx(0.462)


def fleet(count: int) -> EvFleet:
    return EvFleet(id="dra", bus="plate", vehicle_count=count, charger_kw=3.3, battery_kwh=24, charge_efficiency_share=0.9,
                   departure_hours=(7,))


def test_NMG_DRA_1() -> None:
    envelopes = {"dra.power_high_kw": 6.6, "dra.energy_low_kwh": [0, 0, 10], "dra.energy_high_kwh": 10}
    answer = solved(case_of(fleet(2)), {PRICE: [0.1697, 0.1238, 0.0731], **envelopes}, positions=3)
    assert answer["dra.charge_kw"] == pytest.approx([0, 10 / 0.9 - 6.6, 6.6])
    assert pytest.approx(4.5111, abs=5e-5) == 10 / 0.9 - 6.6
    assert answer.objective == pytest.approx(1.0409356, abs=5e-8)


def test_NMG_DRA_2() -> None:
    envelopes = {"dra.power_high_kw": 3.3, "dra.energy_low_kwh": [0, 10], "dra.energy_high_kwh": 10}
    answer = solved(case_of(fleet(1)), {PRICE: 0.1, **envelopes}, positions=2)
    assert answer["dra.energy_kwh"][-1] == pytest.approx(5.94)
    assert answer["dra.unserved_kwh"][-1] == pytest.approx(4.06)
    penalty = Settings().slack_price_per_kwh * 4.06
    assert answer.objective == pytest.approx(penalty + 0.1 * 6.6), "lost energy is paid once"


def test_NMG_NET_1() -> None:
    answer = feeder({"b2": (100, 50)}, (Branch(id="b1_b2", from_bus="b1", to_bus="b2", r_ohm=0.0922, x_ohm=0.047),))
    voltage_kv = answer["feeder.voltage_kv"]
    assert voltage_kv[0] - voltage_kv[1] == pytest.approx(0.000913902, abs=5e-10)


def test_NMG_NET_2() -> None:
    branches = (Branch(id="b1_b2", from_bus="b1", to_bus="b2", r_ohm=0.0922, x_ohm=0.047),
                Branch(id="b2_b3", from_bus="b2", to_bus="b3", r_ohm=0.493, x_ohm=0.2511))
    answer = feeder({"b2": (100, 60), "b3": (90, 40)}, branches)
    voltage_kv = answer["feeder.voltage_kv"]
    assert -np.diff(voltage_kv) == pytest.approx([0.001754976, 0.004298104], abs=2e-9)
    assert voltage_kv[2] == pytest.approx(12.653947, abs=5e-7)
