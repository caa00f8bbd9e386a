"""Whatever was dispatched and whatever comes: nobody is cold or dark, and nothing is burnt, beside a device that has room."""

from __future__ import annotations

from functools import lru_cache
from types import SimpleNamespace

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.equipment import Generator, Store
from tests.unit.schedule.test_follow import BOILER, CHP, HEAT, HOT, LOAD, TIGHT, closed, desk_of

GEN = Generator(id="gen", bus="plate", power_max_kw=20, cost_linear_per_kwh=0.3, segment_count=2)
BATTERY = Store(id="bat", bus="plate", charge_max_kw=15, discharge_max_kw=15, charge_efficiency_share=0.9, discharge_efficiency_share=0.9,
                energy_max_kwh=20, energy_initial_kwh=10)
SMALL = 1e-6


@lru_cache
def desk():
    return desk_of(CHP, BOILER, HOT, HEAT, LOAD.model_copy(update={"dump_max_kw": 500.0}), GEN, BATTERY, ties=TIGHT)


POINTS = {"chp.power_kw": 100, "boiler.power_kwth": 50, "hot.charge_kwth": 20, "gen.segment_kw[1]": 10, "bat.discharge_kw": 15,
          "grid.exchange_kw": 30, "h.shed_kwth": 50, "d.shed_kw": 50, "d.dump_kw": 50, "chp.vent_kwth": 80}


@settings(max_examples=300)
@given(st.fixed_dictionaries({name: st.floats(0, most) for name, most in POINTS.items()}), st.floats(0, 200), st.floats(0, 250),
       st.sampled_from([0.02, 0.11, 0.2, -0.05]), st.booleans())
def test_no_penalty_beside_room(points, heat, load, price, last):
    found = closed(desk(), points, last, h__load_kwth=heat, d__load_kw=load, grid__price_per_kwh=price)
    v = SimpleNamespace(**{name.replace(".", "_").replace("[", "").replace("]", ""): value for name, value in found.items()})
    vented = v.chp_vent_kwth + v.boiler_vent_kwth
    gen, bat, hot = v.gen_segment_kw1 + v.gen_segment_kw2, v.bat_discharge_kw - v.bat_charge_kw, v.hot_discharge_kwth - v.hot_charge_kwth
    made = v.grid_exchange_kw + v.chp_power_kw + gen + bat + v.d_shed_kw - v.d_dump_kw
    warm = 0.8 * v.chp_power_kw - vented + v.boiler_power_kwth + hot + v.h_shed_kwth
    assert abs(made - load) < SMALL and abs(warm - heat) < SMALL
    assert -30 - SMALL <= v.grid_exchange_kw <= 30 + SMALL and v.chp_power_kw <= 100 + SMALL
    if v.h_shed_kwth > SMALL:  # the boiler, the store and the unit give all they can, or nobody takes the unit's power
        sold = v.grid_exchange_kw < -30 + SMALL and gen < SMALL and (bat < -15 + SMALL or v.bat_energy_kwh > 20 - SMALL or last)
        assert v.boiler_power_kwth > 50 - SMALL and vented < SMALL
        assert hot > 20 - SMALL or v.hot_energy_kwhth < SMALL or last
        assert v.chp_power_kw > 100 - SMALL or sold
    if v.d_shed_kw > SMALL:
        assert v.grid_exchange_kw > 30 - SMALL and gen > 20 - SMALL and v.chp_power_kw > 100 - SMALL
        assert bat > 15 - SMALL or v.bat_energy_kwh < SMALL or last
    if v.d_dump_kw > SMALL:
        assert v.grid_exchange_kw < -30 + SMALL and gen < SMALL and v.d_shed_kw < SMALL
        assert bat < -15 + SMALL or v.bat_energy_kwh > 20 - SMALL or last
    if last:  # the day's end is left only for what is paid as dearly
        short = max(25 - v.hot_energy_kwhth, 0.0) + abs(10 - v.bat_energy_kwh)
        assert short < SMALL or v.h_shed_kwth + v.d_shed_kw + v.d_dump_kw > SMALL or v.boiler_power_kwth > 50 - SMALL \
            or v.grid_exchange_kw > 30 - SMALL or v.grid_exchange_kw < -30 + SMALL
