"""A day through all stages whose cost is worked out by hand: nothing is a step late, lost, or of another unit on its way."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.compute as pc
import pytest

from pipeline.validate import contract_gate
from pipeline.validate.contract_arrays import broken_by_arrays
from tests.small_site import DEMAND, STORE, least_cost, write_site
from tests.whole_day import run_day, table

# .1 from 8 to 12, .3 from 12 to 16, .2 else: the battery fills in exactly the cheap hours and empties in exactly the dear ones, and the
# vehicle, 8 kWh in 16 quarter-hours at 2 kW and then four dear hours more, charges from its first quarter-hour on.
PRICES = [0.2] * 8 + [0.1] * 4 + [0.3] * 4 + [0.2] * 8
LOADS = [10.0 + hour for hour in range(24)]
BOUGHT = sum(price * load for price, load in zip(PRICES, LOADS, strict=True))
STORED = 0.1 * 4 * 10 - 0.3 * 4 * 8  # what the battery changes
VEHICLE = 0.1 * 8
VEHICLES = {"id": "car", "bus": "site", "vehicle_count": 1, "charger_kw": 2, "battery_kwh": 20, "charge_efficiency_share": 1,
            "departure_hours": "16", "sessions.kind": "window", "sessions.first_hour": 8, "sessions.last_hour": 15, "sessions.need_kwh": 8}


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, dict[str, Any]]]:
    """A home, and what the day's runs say."""
    where = tmp_path_factory.mktemp("by_hand")
    settings = {"method": {"kind": "deterministic"}, "forecast": {"model": "table"}, "real_time_window_steps": 96}
    site = write_site(where / "site", {"store": [STORE], "demand": [DEMAND], "ev_fleet": [VEHICLES]}, settings=settings,
                      tables={"load": LOADS, "price": PRICES})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(contract_gate, "broken_by", {**contract_gate.broken_by, "suite": broken_by_arrays})
        yield where / "home", run_day(where / "home", case=str(site))


def test_schedule_dispatch_and_foresight_cost_what_they_must(ran: tuple[Path, dict[str, Any]]) -> None:
    """All is known and the window is the day, so that four figures are one: a step's delay anywhere costs at least .05."""
    expected = BOUGHT + STORED + VEHICLE
    assert expected == pytest.approx(100.0)
    battery = np.array(PRICES), np.array(LOADS)
    assert least_cost(*battery, step_h=1.0) + VEHICLE == pytest.approx(expected)
    assert least_cost(*(np.repeat(one, 4) for one in battery), step_h=0.25) + VEHICLE == pytest.approx(expected)
    _, found = ran
    assert found["status"] == "done", found["findings"]  # nothing stood in for anything
    figures = {"day-ahead": found["first"]["objective"], "settled": found["second"]["objective"], **{
        name: found["kpis"][name] for name in ("perfect_foresight_cost", "rolling_cost", "no_redispatch_cost")}}
    assert figures == pytest.approx(dict.fromkeys(figures, expected), abs=1e-3)


def test_every_quarter_hour_meets_its_own_load_and_price(ran: tuple[Path, dict[str, Any]]) -> None:
    home, _ = ran
    settled = table(home, "settlement").sort_by("step")
    assert settled["price_per_kwh"].to_numpy() == pytest.approx(np.repeat(PRICES, 4))
    rows = table(home, "dispatch").filter((pc.field("device") == "house") & (pc.field("quantity") == "injection"))
    assert rows.sort_by("step")["value"].to_numpy() == pytest.approx(-np.repeat(LOADS, 4))
    expected = np.array(LOADS)
    expected[8:12] += 12
    expected[12:16] -= 8
    assert settled["scheduled_kw"].to_numpy() == pytest.approx(np.repeat(expected, 4), abs=1e-6)
    assert settled["realised_kw"].to_numpy() == pytest.approx(np.repeat(expected, 4), abs=1e-6)


def test_the_battery_and_the_vehicle_end_each_quarter_hour_where_their_powers_take_them(ran: tuple[Path, dict[str, Any]]) -> None:
    home, _ = ran
    rows = table(home, "states").filter(pc.field("stage") == "real_time")

    def energy(device: str) -> np.ndarray[Any, Any]:
        mine = rows.filter((pc.field("device") == device) & pc.match_substring(pc.field("quantity"), "energy"))
        return mine.sort_by("step")["value"].to_numpy()

    hours = np.arange(1, 97) / 4
    assert energy("battery") == pytest.approx(np.interp(hours, [0, 8, 12, 16, 24], [0, 0, 32, 0, 0]), abs=1e-5)
    assert energy("car") == pytest.approx(np.interp(hours, [0, 8, 12, 24], [0, 0, 8, 8]), abs=1e-5)
