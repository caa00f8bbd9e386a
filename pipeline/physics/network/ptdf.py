"""Power transfer distribution factors: how flows between networks follow from what the networks inject, by the reactances alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.equipment import Tie
from pipeline.physics.block import Setting, add_law

Floats = NDArray[np.float64]


def incidence(ties: Sequence[tuple[int, int]], count: int) -> Floats:
    """(networks, ties): 1 where a tie leaves a network (its upper end), -1 where it arrives."""
    found = np.zeros((count, len(ties)))
    for line, (upper, lower) in enumerate(ties):
        found[upper, line] += 1.0
        found[lower, line] -= 1.0
    return found


def transfer_factors(ties: Sequence[tuple[int, int]], reactance_pu: Sequence[float], count: int, *, slack: int = 0) -> Floats:
    """(ties, networks): flow from the upper to the lower end per kW injected in a network and taken out at the slack network.

    ties: (upper, lower) network of each. Networks that no tie joins to the slack's have no factor.
    """
    ends = incidence(ties, count)
    by_reactance = ends / np.asarray(reactance_pu, dtype=float)
    angles = np.linalg.pinv(by_reactance @ ends.T, hermitian=True)
    angles = angles - angles[:, [slack]]
    return np.asarray(by_reactance.T @ angles)


def loops(ties: Sequence[tuple[int, int]], count: int) -> list[int]:
    """Ties that close a loop over those before them: as many laws as flows are bound by, and no law twice."""
    group = list(range(count))
    closing = []
    for line, (upper, lower) in enumerate(ties):
        one, other = group[upper], group[lower]
        if one == other:
            closing.append(line)
        group = [one if member == other else member for member in group]
    return closing


def build(
    blocks: Mapping[str, Any], ties: Sequence[Tie], networks: Sequence[str], network_of_bus: Mapping[str, str], setting: Setting,
) -> None:
    """Flows over the ties are what the factors make of the networks' injections. `blocks`: by tie. Limits stay the ties' own."""
    number = {network: i for i, network in enumerate(networks)}
    lines = [tie for tie in ties if tie.upper_bus is not None]
    ends = [(number[network_of_bus[tie.upper_bus]], number[network_of_bus[tie.lower_bus]]) for tie in lines if tie.upper_bus is not None]
    factors = transfer_factors(ends, [tie.reactance_pu for tie in lines], len(networks))
    follows = np.eye(len(lines)) - factors @ incidence(ends, len(networks))
    flow = [blocks[tie.id].exchange_kw for tie in lines]
    for line in loops(ends, len(networks)):
        parts = [(float(follows[line, other]), flow[other]) for other in range(len(lines)) if abs(follows[line, other]) > 1e-12]
        add_law(blocks[lines[line].id], "network_flow", setting.steps, rule=lambda t, parts=parts: sum([c * f[t] for c, f in parts]) == 0)
