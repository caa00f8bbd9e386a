"""One interval: set-points meet values. Hydrogen and heat close inside their network, with the devices that make them; every mismatch
of active power passes over the network's own tie and ends at the balancing tie, or is taken by the balancing chain.

Used three times with the same rules: settlement (set-points of the dispatch, realised values), the fallback (set-points of the
day-ahead schedule, forecast values) and the yardstick without re-dispatch.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.program.linear_program import Floats
from pipeline.schedule.close_active import close_active
from pipeline.schedule.close_aggregators import advance_aggregators, project_aggregators
from pipeline.schedule.close_carriers import close_hydrogen
from pipeline.schedule.close_heat import close_heat
from pipeline.schedule.commit import advance
from pipeline.schedule.interval import TINY, Interval, generator_power, range_in_time, scale_generators, set_net
from pipeline.schedule.roster import Roster, Stores, Ties


def close_interval(
    roster: Roster, set_points: Floats, inputs: Floats, state: Floats, *, step_h: float, wanted: Floats | None = None,
    turning: tuple[Floats, Floats] | None = None,
) -> tuple[Floats, Floats, Floats]:
    """Columns as they come out (J,), the state values after the interval, and what no device could take per network (kW).

    set_points: (J,) columns. inputs: (I,) values of the interval, fitted to the state. state: values before the interval.
    wanted: the inputs with the rule of the day's end, which stores keep while anything else can move (default: the inputs).
    turning: net injection (lowest, highest) of stores between which they turn in time (see `turning`).
    Voltages and flows are left as they are: `complete` fills them for a whole day at once.
    """
    work = Interval(roster, set_points.copy(), inputs, state, wanted=wanted, turning=turning)
    after = state.copy()
    _hold_demand(work)
    _hold_generation(work)
    _charge_vehicles(work)
    project_aggregators(work)
    for stores in roster.every_store:
        _project_stores(work, stores)
    work.left += close_hydrogen(work) + close_heat(work)
    work.left += close_active(work)
    for stores in roster.every_store:
        _advance_stores(work, stores, after)
    _advance_vehicles(work, after)
    advance_aggregators(work, after)
    _advance_units(work, after, step_h)
    derive_ties(work.roster.ties, work.x, work.u)
    return work.x, after, work.left


def _hold_demand(work: Interval) -> None:
    """Who is paid less than power costs stays off as told. Nobody else is, and nothing is dumped, before all that could move has."""
    demands, heat = work.roster.demands, work.roster.heat_demands
    cheap = work.cost[demands.shed] <= work.active_cost
    work.x[demands.shed] = np.clip(np.where(cheap, work.x[demands.shed], 0.0), 0.0, work.u[demands.sheddable])
    work.x[demands.dump[demands.dump >= 0]] = 0.0
    work.x[heat.shed] = 0.0
    sources = work.roster.sources
    work.x[sources.curtailed] = np.clip(work.x[sources.curtailed], 0.0, work.u[sources.available])


def _hold_generation(work: Interval) -> None:
    """Held, within what the interval's limits allow."""
    chps = work.roster.chps
    work.x[chps.power] = np.clip(work.x[chps.power], work.u[chps.low], work.u[chps.high])
    converters = work.roster.converters
    work.x[converters.power] = np.clip(work.x[converters.power], *work.converter_range())
    power = generator_power(work)
    held = np.clip(power, *work.generator_range())
    if np.any(np.abs(held - power) > TINY):
        scale_generators(work, held)


def _charge_vehicles(work: Interval) -> None:
    """Held charging, clipped to the chargers that are there and the energy that still fits; whoever must charge now, does."""
    cohorts = work.roster.cohorts
    stored = work.before[cohorts.before]
    room = np.maximum(work.u[cohorts.energy_high] - stored, 0.0) / cohorts.gain
    needed = np.maximum(work.u[cohorts.energy_low] - stored, 0.0) / cohorts.gain
    held = np.minimum(np.maximum(work.x[cohorts.charge], needed), room)
    work.x[cohorts.charge] = np.clip(held, 0.0, work.u[cohorts.power_high])


def _project_stores(work: Interval, stores: Stores) -> None:
    if stores.names:
        low, high = range_in_time(work, stores)
        set_net(work, stores, np.clip(work.x[stores.discharge] - work.x[stores.charge], low, high))


def _advance_stores(work: Interval, stores: Stores, after: Floats) -> None:
    if not stores.names:
        return
    charge, discharge = work.x[stores.charge], work.x[stores.discharge]
    energy = stores.kept * work.before[stores.before] + stores.gain * charge - stores.drain * discharge
    after[stores.before] = energy
    work.x[stores.energy] = energy
    work.x[stores.below] = np.maximum(work.u[stores.power_low] - (discharge - charge), 0.0)
    work.x[stores.above] = np.maximum(discharge - charge - work.u[stores.power_high], 0.0)


def _advance_units(work: Interval, after: Floats, step_h: float) -> None:
    """Where ramps start from next, by how much they were exceeded, and how long units have been on or off."""
    ramps, power = work.roster.ramps, work.roster.ramps.of(work.x)
    after[ramps.before] = power
    beyond = np.maximum(power - work.ramp_high, work.ramp_low - power)
    work.x[ramps.excess] = np.where(beyond > TINY, beyond, 0.0)
    advance(work.roster.units, work.on, work.before, after, step_h)


def _advance_vehicles(work: Interval, after: Floats) -> None:
    cohorts = work.roster.cohorts
    if not cohorts.charge.size:
        return
    energy = work.before[cohorts.before] + cohorts.gain * work.x[cohorts.charge]
    after[cohorts.before] = energy
    work.x[cohorts.energy] = energy
    work.x[cohorts.unserved] = np.maximum(work.u[cohorts.energy_low] - energy, 0.0)


def derive_ties(ties: Ties, columns: Floats, inputs: Floats) -> None:
    """Directions, exports and deviations follow from the exchange. columns (.., J) in place, inputs (.., I)."""
    exchange = columns[..., ties.exchange]
    paid = ties.forward >= 0
    columns[..., ties.forward[paid]] = np.maximum(exchange[..., paid], 0.0)
    columns[..., ties.backward[paid]] = np.maximum(-exchange[..., paid], 0.0)
    sells = ties.export >= 0
    columns[..., ties.export[sells]] = np.maximum(-exchange[..., sells], 0.0)
    planned = ties.up >= 0
    frozen: NDArray[np.bool_] = ties.schedule_input >= 0
    schedule = np.where(frozen, inputs[..., ties.schedule_input], columns[..., ties.schedule_column])[..., planned]
    deviation = exchange[..., planned] - schedule
    columns[..., ties.up[planned]], columns[..., ties.down[planned]] = np.maximum(deviation, 0.0), np.maximum(-deviation, 0.0)
