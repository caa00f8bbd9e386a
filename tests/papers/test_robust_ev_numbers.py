"""Hand-worked numbers of EV aggregators, on the compiled device (robust book, section 13)."""

from __future__ import annotations

import pytest

from pipeline.equipment import EvAggregator
from tests.helpers import Answer, case_of, solved


def park(**more: object) -> EvAggregator:
    fields: dict[str, object] = {
        "id": "a", "bus": "plate", "vehicle_count": 10, "charger_kw": 6, "battery_kwh": 24, "charge_efficiency_share": 0.95,
        "discharge_efficiency_share": 0.95, "arrival_energy_share": 0.5, "departure_energy_share": 0.9, "cross_cycle": False,
        "start": "handed_on", "unserved_price_per_kwh": 90,
    }
    return EvAggregator.model_validate({**fields, **more})


def answer(device: EvAggregator, *, before: float, connected: list[int], departures: list[int], price: list[float],
           arrivals: list[int] | None = None, **more: object) -> Answer:
    count = len(connected)
    values = {"grid.price_per_kwh": price, "a.connected_count": connected, "a.departures_count": departures,
              "a.arrivals_count": arrivals or [0] * count, "a.energy_before_kwh": before, **more}
    if device.start == "cyclic":
        values.pop("a.energy_before_kwh")
    return solved(case_of(device), values, positions=count)


def test_DRMG_EV_4_two_vehicles_charge_in_the_cheap_slot_first() -> None:
    found = answer(park(), before=24, connected=[2, 2], departures=[0, 2], price=[0.45, 1.21])
    assert found["a.charge_kw"] == pytest.approx([12, 8.2105263], abs=1e-6)
    assert found.objective == pytest.approx(15.3347368, abs=1e-6)
    assert not found["a.ev_slack_kwh"].any() and not found["a.ev_surplus_kwh"].any()


def test_DRMG_EV_5_what_cannot_be_delivered_is_slack() -> None:
    found = answer(park(), before=10 * 0.2 * 24, connected=[10], departures=[10], price=[0.3])
    assert found["a.charge_kw"] == pytest.approx([60])
    assert found["a.ev_slack_kwh"] == pytest.approx([111.0])
    assert found.objective == pytest.approx(90 * 111 + 60 * 0.3)


def test_in_the_strict_form_the_last_slot_does_not_count() -> None:
    """Nothing charged in the slot of leaving helps: 168 kWh are lacking before it."""
    found = answer(park(departure_form="start_of_slot"), before=10 * 0.2 * 24, connected=[10], departures=[10], price=[0.3])
    assert found["a.ev_slack_kwh"] == pytest.approx([168.0])


def test_arrivals_bring_their_energy_and_departures_take_it() -> None:
    found = answer(park(discharge_cost_per_kwh=10), before=4 * 0.9 * 24, connected=[4, 3, 5], departures=[4, 0, 0], arrivals=[3, 2, 0],
                   price=[0.3] * 3)
    assert found["a.energy_kwh"] == pytest.approx([3 * 0.5 * 24, 5 * 0.5 * 24, 5 * 0.5 * 24])


def test_a_cyclic_day_decides_its_start_and_restores_it() -> None:
    """Cheap energy comes at the end, so the start is as high as the end can restore."""
    found = answer(park(start="cyclic"), before=0, connected=[2, 2], departures=[0, 0], price=[1.0, 0.1])
    start = found["a.energy_start_kwh"][0]
    assert found["a.energy_kwh"][-1] >= start - 1e-9
    assert found["a.discharge_kw"][0] > 0


def test_the_reserve_binds_at_the_position_that_ends_the_day() -> None:
    without = answer(park(), before=2 * 0.5 * 24, connected=[2, 2], departures=[0, 0], price=[1.0, 1.0])
    held = answer(park(cross_cycle=True), before=2 * 0.5 * 24, connected=[2, 2], departures=[0, 0], price=[1.0, 1.0],
                  **{"a.reserve_kwh": [0, 20.0]})
    assert without["a.energy_kwh"][-1] == pytest.approx(2 * 0.2 * 24)
    assert held["a.energy_kwh"][-1] == pytest.approx(20.0)


@pytest.mark.parametrize(("withdrawn", "excess_kw"), [(9, 0.0), (0, 24.0)])
def test_what_leaving_vehicles_drew_falls_away_at_once(withdrawn: int, excess_kw: float) -> None:
    """Nine of ten leave. From 50 kW the ramp leads to 40 kW; the one that stays draws 6 kW at most."""
    found = answer(park(ramp_kw_per_h=1), before=10 * 0.7 * 24, connected=[10, 1], departures=[9, 0], price=[0.1, 0.1],
                   **{"a.withdrawn_count": [0, withdrawn], "a.charge_before_kw": 50.0})
    assert found["a.ramp_excess_kw"].sum() == pytest.approx(excess_kw)


def test_feeding_in_rises_with_the_ramp_of_those_connected() -> None:
    found = answer(park(ramp_kw_per_h=1), before=10 * 0.9 * 24, connected=[10] * 3, departures=[0] * 3, price=[1.0, 1.0, 1.0],
                   **{"a.withdrawn_count": [0, 0, 0]})
    assert found["a.discharge_kw"] == pytest.approx([10, 20, 30])
