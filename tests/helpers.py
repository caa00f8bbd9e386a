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
from pipeline.equipment import Bus, Market, Network, Tie
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
        "series": tuple(Series(id=name, kind="other") for name in ("load", "heat", "price", "wind")),
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
    unknown = set(values) - set(program.input_index)
    assert not unknown, f"the program has no input {sorted(unknown)}; it has {sorted(program.input_index)}"
    for name, index in program.input_index.items():
        spec = program.inputs[name]
        default = spec.data.get("default")
        if name in values:
            inputs[index] = np.asarray(values[name], dtype=float).ravel()
        elif default is not None:
            inputs[index] = default
        if spec.data.get("day_end") in ("equal", "at_least") and name not in values and not program.rolling:
            if spec.data["side"] == "low" or spec.data["day_end"] == "equal":
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
