"""Small cases in Python, for tests that need no files."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np

from pipeline.cases.case import Case
from pipeline.cases.settings import Settings
from pipeline.cases.sources import Series
from pipeline.equipment import Bus, Market, Network, Tie
from pipeline.program.linear_program import Floats, LinearProgram


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
