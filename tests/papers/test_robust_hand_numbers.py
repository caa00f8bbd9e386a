"""The hand-worked numbers of the robust microgrids book, section 13, for units, stores and lines, by their ids."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pytest

from pipeline.equipment import Bus, Commitment, Converter, Demand, Generator, Network, Store, Tie
from pipeline.physics.network.ptdf import transfer_factors
from tests.helpers import Answer, case_of, compiled_sample, solved

LINES = list(combinations(range(4), 2))  # the complete graph, MG1 first
BACKUP = Generator(id="backup", bus="plate", power_max_kw=1000, cost_linear_per_kwh=0.5, segment_count=1)
LOAD = Demand(id="d", bus="plate", series="load")


def diesel(**more: Any) -> Generator:
    """[40, 100] kW at .3 yuan/kWh, 30 yuan a start, off before the first hour."""
    commitment = Commitment(start_cost=30, on_initially=False, **more)
    return Generator(id="dg", bus="plate", power_max_kw=100, power_min_kw=40, cost_linear_per_kwh=0.3, segment_count=1,
                     commitment=commitment)


def day(load_kw: list[float]) -> Answer:
    """A day of four hours with a backup at .5 yuan/kWh."""
    return solved(case_of(LOAD, diesel(), BACKUP, ties=()), {"d.load_kw": load_kw}, positions=4)


def storage() -> Store:
    """ES1: 1520 kW, 3040 kWh, efficiencies .95, half full."""
    return Store(id="es", bus="plate", charge_max_kw=1520, discharge_max_kw=1520, charge_efficiency_share=0.95,
                 discharge_efficiency_share=0.95, energy_max_kwh=0.9 * 3040, energy_min_kwh=0.1 * 3040, energy_initial_kwh=0.5 * 3040,
                 cycle="none", exclusive="always")


def test_DRMG_DG_1() -> None:
    answer = day([0, 60, 60, 60])
    assert answer.objective == pytest.approx(84)
    assert answer["dg.on_share"] == pytest.approx([0, 1, 1, 1])
    assert answer["dg.start_share"] == pytest.approx([0, 1, 0, 0])
    alone = solved(case_of(LOAD, BACKUP, ties=()), {"d.load_kw": [0, 60, 60, 60]}, positions=4)
    assert alone.objective == pytest.approx(90), "the backup alone"


def test_DRMG_DG_2() -> None:
    answer = day([0, 60, 60, 0])
    assert answer.objective == pytest.approx(60)
    assert answer["dg.on_share"] == pytest.approx([0, 0, 0, 0])


def test_DRMG_DG_3() -> None:
    program, _ = compiled_sample(case_of(LOAD, diesel(min_up_h=3), ties=()), positions=4)
    x = np.zeros(len(program.column_names))
    x[program.column_index["dg.on_share"]] = 0, 1, 1, 0
    row = program.row_index["dg.minimum_up"][1]
    over = program.matrix[[row]] @ x - program.row_lower[row]
    assert over == pytest.approx(2 - 3), "left less right at t = 2: violated"


def test_DRMG_FC_1() -> None:
    unit = Converter(id="fc", bus="plate", input_carrier="fuel", output_carrier="active", power_max_kw=1000, cost_per_kwh=0.56,
                     ramp_kw_per_h=100)
    inputs = {"d.load_kw": 900, "fc.power_before_kw": 50, "fc.ramp_excess_high_kw": 0}
    answer = solved(case_of(LOAD, unit, ties=()), inputs, positions=1, step_h=0.25)
    assert answer["fc.power_kw"] == pytest.approx([75])


def test_DRMG_ES_1() -> None:
    roomy = storage().model_copy(update={"energy_max_kwh": 3040.0})
    answer = solved(case_of(roomy), {"grid.price_per_kwh": -1.0, "grid.exchange_high_kw": 1e4}, positions=1)
    assert answer["es.energy_kwh"] / 3040 == pytest.approx([0.975]), "an hour of full charging would leave the limit of .9"
    answer = solved(case_of(storage()), {"grid.price_per_kwh": -1.0, "grid.exchange_high_kw": 1e4}, positions=1)
    assert answer["es.charge_kw"] == pytest.approx([1280])
    assert answer["es.energy_kwh"] == pytest.approx([0.9 * 3040])


def test_DRMG_ES_2() -> None:
    answer = solved(case_of(storage()), {"grid.price_per_kwh": 1.0, "grid.exchange_low_kw": -1e4}, positions=1)
    assert answer["es.discharge_kw"] == pytest.approx([1155.2])


def test_DRMG_NET_1() -> None:
    networks = tuple(Network(id=f"mg{m}", kind="copper_plate") for m in range(1, 5))
    ties = tuple(Tie(id=f"l{i + 1}{j + 1}", upper_bus=f"mg{i + 1}", lower_bus=f"mg{j + 1}", exchange_min_kw=-500, exchange_max_kw=500)
                 for i, j in LINES)
    unit = Generator(id="g", bus="mg1", power_max_kw=500, cost_linear_per_kwh=0.3, segment_count=1)
    case = case_of(unit, Demand(id="d", bus="mg2", series="load"), networks=networks, ties=ties, tie_flows="ptdf",
                   buses=tuple(Bus(id=network.id, network=network.id) for network in networks))
    answer = solved(case, {"d.load_kw": 100}, positions=2)
    flows = {tie.id: answer[f"{tie.id}.exchange_kw"] for tie in ties}
    assert flows["l12"] == pytest.approx([50, 50]), "direct"
    assert flows["l13"] == pytest.approx([25, 25]) == -flows["l23"], "over MG3"
    assert flows["l14"] == pytest.approx([25, 25]) == -flows["l24"], "over MG4"
    assert flows["l34"] == pytest.approx([0, 0])


def test_DRMG_NET_2() -> None:
    factors = transfer_factors(LINES, [1.0] * 6, 4, slack=0)
    assert factors[LINES.index((0, 1))] == pytest.approx([0, -0.5, -0.25, -0.25])
