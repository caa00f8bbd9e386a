"""Small cases in Python, for tests that need no files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from pipeline.cases.case import Case
from pipeline.cases.settings import Settings
from pipeline.cases.sources import Series
from pipeline.equipment import Branch, Bus, Chp, Demand, EvFleet, Generator, Market, Network, Source, Store, Tie
from pipeline.physics.assemble import assemble
from pipeline.physics.horizon import Horizon
from pipeline.program.compile import compile_model
from pipeline.program.linear_program import BoundProgram, Floats, LinearProgram
from pipeline.program.solve import Solution, Status, solve
from pipeline.program.text import lp_text


def case_of(*devices: Any, ties: Sequence[Tie] | None = None, networks: Sequence[Network] | None = None, **more: Any) -> Case:
    """A case on one copper plate `plate` (active and heat) with a tie `grid` to the market, unless told otherwise."""
    networks = (Network(id="plate", kind="copper_plate", carriers=("active", "heat")),) if networks is None else networks
    ties = (market_tie(),) if ties is None else ties
    fields: dict[str, Any] = {
        "name": "sample", "time_zone": "UTC", "default_date": date(2016, 6, 15), "networks": tuple(networks),
        "buses": (Bus(id="plate", network="plate"),), "devices": devices, "ties": tuple(ties),
        "balancing_tie": ties[0].id if ties else "grid",
        "series": tuple(Series(id=name, kind="other", minimum=low)
                        for name, low in (("load", 0.0), ("heat", 0.0), ("price", None), ("wind", 0.0))),
        "settings": Settings(),
    }
    return Case(**{**fields, **more})


def market_tie(**more: Any) -> Tie:
    fields: dict[str, Any] = {
        "id": "grid", "lower_bus": "plate", "exchange_min_kw": -1000.0, "exchange_max_kw": 1000.0, "market": Market(price_series="price"),
    }
    return Tie(**{**fields, **more})


def inputs_of(program: LinearProgram, values: dict[str, Any] | None = None) -> Floats:
    """Inputs of a program: declared defaults, then `values` by component name (scalars spread, arrays in index order)."""
    inputs = np.zeros(len(program.input_names))
    values = values or {}
    for name in program.input_index:  # what can be shed of a load is its positive part, as a binder has it
        load = name.replace(".sheddable_kw", ".load_kw")
        if load != name and load in values and name not in values:
            values = {**values, name: np.maximum(values[load], 0.0)}
    unknown = set(values) - set(program.input_index)
    assert not unknown, f"the program has no input {sorted(unknown)}; it has {sorted(program.input_index)}"
    for name, index in program.input_index.items():
        spec = program.inputs[name]
        default = spec.data.get("default")
        if name in values:
            inputs[index] = np.asarray(values[name], dtype=float).ravel()
        elif default is not None:
            inputs[index] = default
        cycle, side = spec.data.get("day_end", "none"), spec.data.get("side")
        if name not in values and not program.rolling and (cycle == "equal" or (cycle == "at_least" and side == "low")):
            inputs[index[-1]] = spec.data["initial"]
    return inputs


def compiled_sample(case: Case, *, positions: int, step_h: float = 1.0, rolling: bool = False) -> tuple[LinearProgram, str]:
    """The program of a case, and its text."""
    program = compile_model(assemble(case, Horizon(positions, step_h, rolling)))
    return program, lp_text(program)


def solved(case: Case, values: dict[str, Any], *, positions: int, step_h: float = 1.0, rolling: bool = False) -> Answer:
    """Compile, bind and solve; asserts that the result is optimal."""
    program = compile_model(assemble(case, Horizon(positions, step_h, rolling)))
    bound = program.bind(inputs_of(program, values))
    solution = solve(bound)
    assert solution.status is Status.optimal, solution.status
    return Answer(program, bound, solution)


@dataclass(frozen=True)
class Answer:
    program: LinearProgram
    bound: BoundProgram
    solution: Solution

    @property
    def objective(self) -> float:
        return self.solution.objective

    def __getitem__(self, component: str) -> Floats:
        """Values of a column component in the order of its index."""
        assert self.solution.x is not None
        return np.round(self.solution.x[self.program.column_index[component]], 9)

    def readout(self, component: str) -> Floats:
        assert self.solution.x is not None
        return self.bound.readouts(self.solution.x)[self.program.readout_index[component]]


def everything() -> Case:
    """A feeder of three buses and a microgrid with one device of every kind."""
    return case_of(
        Demand(id="d", bus="b3", series="load", kvar_per_kw=0.5, dump_max_kw=5),
        Source(id="s", bus="b2", series="wind", curtailment_cost_per_kwh=0.01),
        Generator(id="g", bus="b2", power_max_kw=100, cost_linear_per_kwh=0.08, cost_quadratic_per_kw2h=0.001, segment_count=3,
                  ramp_kw_per_h=40, reactive_max_kvar=50, cost_constant_per_h=1),
        Chp(id="c", bus="mg", power_max_kw=150, heat_to_power_factor=0.8, fuel_cost_per_kwh=0.1),
        Demand(id="h", bus="mg", carrier="heat", series="heat"),
        Store(id="b", bus="mg", charge_max_kw=30, discharge_max_kw=30, charge_efficiency_share=0.95, discharge_efficiency_share=0.95,
              energy_max_kwh=90, energy_initial_kwh=45, wear_cost_per_kwh=1e-4, hourly_retention_share=0.99),
        EvFleet(id="e", bus="mg", vehicle_count=2, charger_kw=3.3, battery_kwh=24, charge_efficiency_share=0.9, departure_hours=(6, 7)),
        networks=(Network(id="feeder", kind="lindistflow", carriers=("active", "reactive"), base_kv=12.66, slack_bus="b1"),
                  Network(id="mg", kind="copper_plate", carriers=("active", "heat"))),
        buses=(*(Bus(id=f"b{i}", network="feeder") for i in (2, 1, 3)), Bus(id="mg", network="mg")),
        branches=(Branch(id="b1_b2", from_bus="b1", to_bus="b2", r_ohm=0.0922, x_ohm=0.047, rating_kva=400),
                  Branch(id="b2_b3", from_bus="b2", to_bus="b3", r_ohm=0, x_ohm=0)),
        ties=(market_tie(lower_bus="b1", reactive_max_kvar=100, deviation_price_per_kwh=0.01,
                         market=Market(price_series="price", sell_price_factor=0.9, imbalance_buy_factor=1.3, imbalance_sell_factor=0.7)),
              Tie(id="mg_tie", upper_bus="b3", lower_bus="mg", exchange_min_kw=-200, exchange_max_kw=200)),
    )
