"""Where every device of a case stands in one interval of a program: index arrays, made once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.program.linear_program import Floats, Indices
from pipeline.schedule.chain import Chain
from pipeline.schedule.ledger import Ledger
from pipeline.schedule.units import Ramps, Units


@dataclass(frozen=True)
class Demands:
    """Index arrays (n,) of n demands into an interval's inputs and columns."""

    network: Indices
    load: Indices  # input entry
    sheddable: Indices  # input entry: the load, or the positive part of a net load
    shed: Indices  # column entry
    dump: Indices  # column entry, -1 where nothing can be dumped
    dump_max: Floats


@dataclass(frozen=True)
class Sources:
    """Index arrays (n,) of n sources."""

    network: Indices
    available: Indices
    curtailed: Indices
    fed: Indices  # -1: costs nothing


@dataclass(frozen=True)
class Generators:
    """`segment[g, i]`: column entries, padded by -1; `width` their upper bounds, 0 in the padding."""

    network: Indices
    segment: Indices
    width: Floats
    low: Indices
    high: Indices
    reactive: Indices  # -1: none
    reactive_low: Indices
    reactive_high: Indices
    unit: Indices  # into Units, -1: always on
    ramp: Indices  # into Ramps, -1: none


@dataclass(frozen=True)
class Chps:
    """Index arrays (n,) and data of n cogeneration units."""

    network: Indices
    power: Indices
    low: Indices
    high: Indices
    vent: Indices  # -1: no vent
    vent_max: Floats
    ratio: Floats
    sign: Floats  # +1 cogeneration, -1 electric heater


@dataclass(frozen=True)
class Converters:
    """Index arrays (n,) and data of n converters; factors per unit of `power`, as in the equipment."""

    network: Indices
    power: Indices
    low: Indices
    high: Indices
    vent: Indices  # -1: no vent
    vent_max: Floats
    active: Floats
    heat: Floats
    hydrogen: Floats
    heat_led: NDArray[np.bool_]  # makes heat for its own sake, and takes no stored carrier for it
    bought: NDArray[np.bool_]  # feeds active power from fuel alone: free to move like a generator
    ramp: Indices  # into Ramps, -1: none
    pairs: Indices  # (p, 2) rows of units that never run at once


@dataclass(frozen=True)
class HeatMakers:
    """Whatever makes heat, cogeneration units and converters alike; factors per unit of power, as it enters the buses."""

    network: Indices
    power: Indices
    low: Indices
    high: Indices
    heat: Floats
    active: Floats
    hydrogen: Floats
    ramp: Indices  # into Ramps, -1: none
    partner: Indices  # column of the power of the unit that never runs at once, -1: none


@dataclass(frozen=True)
class Vents:
    """Where heat is let go: column, network and the most of it."""

    network: Indices
    column: Indices
    most: Floats


@dataclass(frozen=True)
class Stores:
    """Stores of one carrier."""

    names: tuple[str, ...]
    network: Indices
    charge: Indices
    discharge: Indices
    energy: Indices
    short: Indices
    over: Indices
    below: Indices
    above: Indices
    energy_low: Indices
    energy_high: Indices
    power_low: Indices
    power_high: Indices
    before: Indices  # into the state
    kept: Floats  # share kept over the step
    gain: Floats  # stored per kW charged over the step
    drain: Floats  # taken per kW discharged over the step
    ramp: Indices  # into Ramps, -1: none


@dataclass(frozen=True)
class Cohorts:
    """Cohorts of all fleets, in the order of the binder's envelopes."""

    network: Indices
    charge: Indices
    energy: Indices
    unserved: Indices
    power_high: Indices
    energy_low: Indices
    energy_high: Indices
    unreachable: Indices
    before: Indices
    gain: Floats


@dataclass(frozen=True)
class Aggregators:
    """EV aggregators: columns, inputs and states (-1 where one has none), and kWh per vehicle that comes, leaves or is connected."""

    names: tuple[str, ...]
    network: Indices
    charge: Indices
    discharge: Indices
    energy: Indices
    slack: Indices
    surplus: Indices
    below: Indices
    above: Indices
    excess: Indices  # -1 without ramp
    arrivals: Indices  # inputs
    departures: Indices
    connected: Indices
    withdrawn: Indices  # -1 without ramp
    reserve: Indices  # -1 without
    power_low: Indices
    power_high: Indices
    before: Indices  # into the state
    connected_before: Indices  # -1 without ramp
    charge_before: Indices
    discharge_before: Indices
    gain: Floats  # stored per kW charged over the step
    drain: Floats  # taken per kW discharged over the step
    charger_kw: Floats
    ramp_kw: Floats  # per vehicle and step, inf without
    brought: Floats
    taken: Floats
    least: Floats
    most: Floats
    staying: Floats  # held by each that stays while others leave
    strict: NDArray[np.bool_]  # leaving vehicles hold what they take before their last interval


@dataclass(frozen=True)
class Ties:
    """Index arrays (n,) and data of n ties; powers in kW and kvar."""

    names: tuple[str, ...]
    lower: Indices  # network
    upper: Indices  # network, -1: the market
    exchange: Indices
    reactive: Indices  # -1: none
    reactive_max: Floats
    export: Indices  # -1: none
    up: Indices
    down: Indices
    schedule_input: Indices  # frozen schedule, -1: none
    schedule_column: Indices
    low: Indices
    high: Indices
    forward: Indices  # -1: nothing is paid for carrying
    backward: Indices
    ramp: Indices  # into Ramps, -1: none


@dataclass(frozen=True)
class Roster:
    """All devices of a case as index arrays: what settlement and read-out loop over without asking the case."""

    networks: tuple[str, ...]
    demands: Demands  # active
    heat_demands: Demands
    sources: Sources
    generators: Generators
    chps: Chps
    converters: Converters
    heat_makers: HeatMakers
    vents: Vents
    stores: Stores  # active
    heat_stores: Stores
    hydrogen_stores: Stores
    cohorts: Cohorts
    aggregators: Aggregators
    ties: Ties
    units: Units
    ramps: Ramps
    chain: Chain | None  # who takes what is left over before the balancing tie; None: the tie alone
    closing: Indices  # per network: the tie over which its mismatch passes, -1: none
    parent: Indices  # per network: the one at the other end of that tie, -1: the market or none
    levels: tuple[Indices, ...]  # networks from the leaves to the one at the balancing tie
    ledger: Ledger  # what every column costs
    active_column: int  # the exchange whose price power has, -1: none
    active_price_per_kwh: float  # where no market gives one
    step_h: float

    @property
    def every_store(self) -> tuple[Stores, ...]:
        """Stores by carrier."""
        return self.stores, self.heat_stores, self.hydrogen_stores


def present(entries: Indices) -> NDArray[np.bool_]:
    """Where an optional component exists."""
    return np.asarray(entries >= 0)
