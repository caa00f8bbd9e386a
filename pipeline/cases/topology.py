"""A LinDistFlow network is a tree that hangs on its slack bus: what breaks it is named."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from pipeline.cases.mistakes import Mistakes
from pipeline.cases.raw import nearest
from pipeline.equipment import Branch, Network

if TYPE_CHECKING:
    from pipeline.cases.checks import Places


def check_network(network: Network, content: dict[str, Any], places: Places, mistakes: Mistakes) -> None:
    """Voltage limits, carriers, slack bus, cycles, buses that nothing reaches."""
    place = places.of("networks", network.id)
    buses = [bus.id for bus in content["buses"] if bus.network == network.id]
    if not buses:
        mistakes.note(place, f"network '{network.id}' has no bus", "give it one, or remove it")
    for carrier in {carrier for carrier in network.carriers if network.carriers.count(carrier) > 1}:
        mistakes.note(place, f"network '{network.id}' names carrier '{carrier}' twice", "name it once")
    if network.kind == "copper_plate":
        if "reactive" in network.carriers:
            mistakes.note(
                place, f"network '{network.id}' is a copper plate with reactive power", "make it lindistflow, or drop the carrier"
            )
        return
    if set(network.carriers) != {"active", "reactive"}:
        said = f"network '{network.id}' is lindistflow and carries {', '.join(network.carriers)}"
        mistakes.note(place, said, "give carriers: [active, reactive]" + _beside_feeder(network))
    if not network.voltage_min_pu <= network.slack_voltage_pu <= network.voltage_max_pu:
        mistakes.note(
            place,
            f"network '{network.id}': slack_voltage_pu {network.slack_voltage_pu:g} lies outside its voltage limits",
            "give min <= slack <= max",
        )
    if network.slack_bus is None:
        mistakes.note(place, f"network '{network.id}' is lindistflow and has no slack_bus", "name the bus that the grid feeds")
    elif network.slack_bus not in buses:
        place = places.of("networks", network.id, "slack_bus")
        mistakes.note(place, f"slack_bus '{network.slack_bus}' is no bus of network '{network.id}'", nearest(network.slack_bus, buses))
    else:
        inside = set(buses)
        branches = [branch for branch in content["branches"] if branch.from_bus in inside and branch.to_bus in inside]
        _check_tree(network, network.slack_bus, buses, branches, places, mistakes)


def _check_tree(network: Network, slack: str, buses: list[str], branches: list[Branch], places: Places, mistakes: Mistakes) -> None:
    neighbours: dict[str, list[tuple[str, str]]] = {bus: [] for bus in buses}
    for branch in branches:
        neighbours[branch.from_bus].append((branch.to_bus, branch.id))
        neighbours[branch.to_bus].append((branch.from_bus, branch.id))
    parent: dict[str, tuple[str, str]] = {slack: ("", "")}
    queue = deque([slack])
    closing: set[str] = set()
    while queue:
        here = queue.popleft()
        for there, branch_id in neighbours[here]:
            if there not in parent:
                parent[there] = (here, branch_id)
                queue.append(there)
            elif branch_id != parent[here][1] and here != there and branch_id not in closing and parent[there][1] != branch_id:
                closing.add(branch_id)
                path = _cycle(parent, here, there)
                message = f"branch '{branch_id}' closes the loop {' - '.join(path)} in network '{network.id}'"
                mistakes.note(
                    places.of("branches", branch_id), message, "a lindistflow network is radial: leave one branch of the loop out"
                )
    lost = [bus for bus in buses if bus not in parent]
    if lost:
        names = ", ".join(f"'{bus}'" for bus in lost[:5]) + (f" and {len(lost) - 5} more" if len(lost) > 5 else "")
        message = f"no branch leads from slack bus '{slack}' to {names}"
        mistakes.note(places.of("buses", lost[0]), message, "add the missing branch to branches.csv")


def _cycle(parent: dict[str, tuple[str, str]], one: str, other: str) -> list[str]:
    """Buses of the loop that a branch from `one` to `other` closes."""
    up = [one]
    while parent[up[-1]][0]:
        up.append(parent[up[-1]][0])
    down = [other]
    while down[-1] not in up:
        down.append(parent[down[-1]][0])
    return [*up[: up.index(down[-1]) + 1], *reversed(down[:-1]), one]


def _beside_feeder(network: Network) -> str:
    """What becomes of carriers that a feeder cannot carry; empty where there are none."""
    others = [carrier for carrier in network.carriers if carrier not in ("active", "reactive")]
    if not others:
        return ""
    return (f"; {' and '.join(others)} goes into a network of its own: kind copper_plate, carriers [active, {', '.join(others)}], with"
            " a bus for its devices and a tie without market that joins it to the feeder (docs/case.md, Heat beside a feeder)")
