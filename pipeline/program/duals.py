"""Duals -> prices, in one function."""

from __future__ import annotations

import numpy as np

from pipeline.program.linear_program import Floats, LinearProgram
from pipeline.program.solve import Solution

_LAWS = {
    "active_flow": "active", "reactive_flow": "reactive",
    "active_balance": "active", "reactive_balance": "reactive", "heat_balance": "heat", "hydrogen_balance": "hydrogen",
}


def nodal_prices(program: LinearProgram, solution: Solution, *, probability: float = 1.0) -> dict[tuple[str, str, str], Floats]:
    """Price per kWh of one more unit of demand, by (network, bus, carrier), shape (positions,).

    A copper plate has one price for all its buses: its bus is the network's id. Balances are written supply - demand = 0, so
    a dual is the cost of one more unit of demand over one step in one scenario: it is divided by step and probability.
    """
    if solution.row_dual is None:
        return {}
    prices: dict[tuple[str, str, str], Floats] = {}
    for component, rows in program.row_index.items():
        network, _, law = component.partition(".")
        carrier = _LAWS.get(law)
        if carrier is None:
            continue
        values = solution.row_dual[rows] / (program.step_h * probability)
        buses = [_bus(program.row_names[row], network) for row in rows[:: program.positions]]
        for bus, series in zip(buses, values.reshape(-1, program.positions), strict=True):
            prices[network, bus, carrier] = np.array(series)
    return prices


def _bus(row: str, network: str) -> str:
    """`distribution.active_flow[f01_b02,3]` -> `f01_b02`; `plate.active_balance[3]` -> the network itself."""
    index = row[row.find("[") + 1 : -1].split(",")
    return index[0] if len(index) > 1 else network
