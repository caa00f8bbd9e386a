"""Flows, voltages, reactive exchange and energy slacks of settled intervals, all at once: nothing here moves a state."""

from __future__ import annotations

import numpy as np

from pipeline.program.linear_program import Floats
from pipeline.schedule.desk import Desk
from pipeline.schedule.feeder import Feeder
from pipeline.schedule.roster import present


def complete(desk: Desk, columns: Floats, inputs: Floats) -> tuple[Floats, Floats]:
    """(K, J) columns after `close_interval` and (K, I) inputs -> columns with all that follows, and reactive power unmet (K,).

    `inputs` carry the cycle rule at the day's last interval, so that a store that ends off its level is priced.
    """
    columns = columns.copy()
    energy_slacks(desk, columns, inputs)
    sources = desk.roster.sources
    paid = sources.fed >= 0
    columns[:, sources.fed[paid]] = inputs[:, sources.available[paid]] - columns[:, sources.curtailed[paid]]
    unmet = np.zeros(len(columns))
    for level in desk.roster.levels:
        for network in level:
            unmet += _close_reactive(desk, int(network), columns, inputs)
    sweep_voltages(desk, columns, inputs)
    return columns, unmet


def sweep_voltages(desk: Desk, columns: Floats, inputs: Floats) -> None:
    """Flows, voltages and what lies outside their limits on every feeder, (K, J) in place, from the injections."""
    injections = desk.readouts(columns, inputs)
    for feeder in desk.feeders:
        _sweep(desk, feeder, columns, injections)


def energy_slacks(desk: Desk, columns: Floats, inputs: Floats) -> None:
    """Energy short of and over the limits of every store, (K, J) in place, from its energy."""
    for stores in desk.roster.every_store:
        if stores.names:
            energy = columns[:, stores.energy]
            columns[:, stores.short] = np.maximum(inputs[:, stores.energy_low] - energy, 0.0)
            columns[:, stores.over] = np.maximum(energy - inputs[:, stores.energy_high], 0.0)


def _close_reactive(desk: Desk, network: int, columns: Floats, inputs: Floats) -> Floats:
    """Reactive mismatch over the closing tie, beyond its limit by the generators. Returns what is left, (K,)."""
    roster, ties = desk.roster, desk.roster.ties
    tie = int(roster.closing[network])
    if tie < 0 or ties.reactive[tie] < 0:
        return np.zeros(len(columns))
    readouts, case = desk.readouts, desk.case
    inside = np.array([case.network_of_bus[bus.id] == roster.networks[network] for bus in case.buses])
    rows = np.flatnonzero((readouts.bus >= 0) & inside[readouts.bus] & (np.array(readouts.carrier) == "reactive"))
    balance = readouts(columns, inputs)[:, rows].sum(axis=1)
    direction = 1.0 if ties.lower[tie] == network else -1.0
    entry, limit = ties.reactive[tie], ties.reactive_max[tie]
    wanted = columns[:, entry] - direction * balance
    columns[:, entry] = np.clip(wanted, -limit, limit)
    rest = direction * (wanted - columns[:, entry])  # > 0: reactive power is lacking
    if not np.any(np.abs(rest) > 1e-9):
        return np.zeros(len(columns))
    generators = roster.generators
    for g in np.flatnonzero(present(generators.reactive) & (generators.network == network)):
        old = columns[:, generators.reactive[g]]
        new = np.clip(old + rest, inputs[:, generators.reactive_low[g]], inputs[:, generators.reactive_high[g]])
        columns[:, generators.reactive[g]] = new
        rest = rest - (new - old)
    return np.asarray(np.abs(rest))


def bus_injections(desk: Desk, injections: Floats, carrier: str) -> Floats:
    """(K, R) injections -> (K, buses of the case) sums of one carrier."""
    readouts = desk.readouts
    rows = np.flatnonzero((np.array(readouts.carrier) == carrier) & (readouts.bus >= 0))
    total = np.zeros((len(injections), len(desk.case.buses)))
    np.add.at(total.T, readouts.bus[rows], injections[:, rows].T)
    return total


def _sweep(desk: Desk, feeder: Feeder, columns: Floats, injections: Floats) -> None:
    order = {bus.id: i for i, bus in enumerate(desk.case.buses)}
    at = np.array([order[bus] for bus in feeder.buses])
    flow_kw = feeder.flows(bus_injections(desk, injections, "active")[:, at])
    flow_kvar = feeder.flows(bus_injections(desk, injections, "reactive")[:, at])
    voltage = feeder.voltages_kv(flow_kw, flow_kvar)
    _put(desk, feeder.network, "branch_kw", feeder.branches, columns, flow_kw)
    _put(desk, feeder.network, "branch_kvar", feeder.branches, columns, flow_kvar)
    held = np.clip(voltage, feeder.low_kv, feeder.high_kv)
    slack = feeder.buses.index(feeder.slack_bus)
    held[:, slack] = feeder.slack_kv
    _put(desk, feeder.network, "voltage_kv", feeder.buses, columns, held)
    _put(desk, feeder.network, "voltage_above_kv", feeder.buses, columns, np.maximum(voltage - held, 0.0))
    _put(desk, feeder.network, "voltage_below_kv", feeder.buses, columns, np.maximum(held - voltage, 0.0))


def _put(desk: Desk, network: str, quantity: str, parts: tuple[str, ...], columns: Floats, values: Floats) -> None:
    """Values (K, parts) into the entries that exist."""
    axis = desk.layout.columns
    place = {axis.labels[j].part: int(j) for j in axis.entries(network, quantity)}
    pairs = [(i, place[part]) for i, part in enumerate(parts) if part in place]
    if pairs:
        source, target = np.array(pairs).T
        columns[:, target] = values[:, source]
