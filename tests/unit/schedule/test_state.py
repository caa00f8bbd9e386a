"""What one day hands to the next."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pipeline.schedule.state import State

NAMES = ("dg.on_before_share", "dg.in_state_before_h", "bess.energy_before_kwh", "ev.energy_before_kwh[1]", "park.energy_before_kwh")


def state(values: list[float]) -> State:
    return State(step=1, names=NAMES, values=np.array(values), start=np.array(values), lost_names=("ev[1]",), lost_kwh=np.zeros(1))


def test_units_stores_and_aggregators_go_on_and_fleets_count_anew() -> None:
    morning, evening = state([1.0, 24.0, 50.0, 0.0, 190.0]), state([0.0, 1.75, 42.0, 80.0, 160.0])
    begun = morning.begun_after(evening)
    assert begun.values.tolist() == [0.0, 1.75, 42.0, 0.0, 160.0]
    assert begun.start.tolist() == morning.start.tolist(), "the cycle returns to the case's own energies"
    assert begun.step == 1


def test_what_the_day_before_does_not_know_keeps_its_own_value() -> None:
    evening = state([0.0, 1.75, 42.0, 80.0, 160.0])
    before = replace(evening, names=("dg.on_before_share", "gone.energy_before_kwh"), values=np.array([0.0, 7.0]))
    assert state([1.0, 24.0, 50.0, 0.0, 190.0]).begun_after(before).values.tolist() == [0.0, 24.0, 50.0, 0.0, 190.0]
