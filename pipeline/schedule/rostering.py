"""The roster of a case: every device kind looked up in the layout of its program, once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from pipeline.cases.case import Case
from pipeline.equipment import Chp, Converter, Demand, EvAggregator, EvFleet, Generator, Source, Store, Tie
from pipeline.program.linear_program import Floats, Indices, LinearProgram
from pipeline.schedule.chain import chain_of
from pipeline.schedule.layout import Layout
from pipeline.schedule.ledger import Ledger
from pipeline.schedule.roster import (
    Aggregators,
    Chps,
    Cohorts,
    Converters,
    Demands,
    Generators,
    HeatMakers,
    Roster,
    Sources,
    Stores,
    Ties,
    Vents,
)
from pipeline.schedule.units import Ramps, Units
from pipeline.schedule.worth import dearest_supply_per_kwh

POWER = {"active": "kw", "reactive": "kvar", "heat": "kwth", "hydrogen": "m3h"}
ENERGY = {"active": "kwh", "heat": "kwhth", "hydrogen": "m3"}


def roster_of(case: Case, program: LinearProgram, layout: Layout, ledger: Ledger, state_names: Sequence[str], units: Units,
              ramps: Ramps) -> Roster:
    """Index arrays of every device kind. Raises ValueError where the program lacks what the case has."""
    look = _Look(case, layout, tuple(state_names), program.step_h, units, ramps)
    ties, chps, converters = look.ties(), look.chps(), look.converters()
    closing, levels = _tree(case, ties, len(look.networks))
    return Roster(
        networks=look.networks, demands=look.demands("active"), heat_demands=look.demands("heat"), sources=look.sources(),
        generators=look.generators(), chps=chps, converters=converters, heat_makers=_heat_makers(chps, converters),
        vents=_vents(chps, converters), stores=look.stores("active"),
        heat_stores=look.stores("heat"), hydrogen_stores=look.stores("hydrogen"), cohorts=look.cohorts(),
        aggregators=look.aggregators(), ties=ties, units=units, ramps=ramps, chain=chain_of(case, program, layout, look.number),
        closing=closing, parent=_parents(ties, closing), levels=levels, ledger=ledger,
        active_column=_priced_exchange(case, ties), active_price_per_kwh=dearest_supply_per_kwh(case),
        step_h=program.step_h,
    )


class _Look:
    """Looks entries up by device and quantity."""

    def __init__(self, case: Case, layout: Layout, state_names: tuple[str, ...], step_h: float, units: Units, ramps: Ramps) -> None:
        self.case, self.step_h, self.units, self.ramps = case, step_h, units, ramps
        self.networks = tuple(network.id for network in case.networks)
        number = {name: i for i, name in enumerate(self.networks)}
        self.number = {bus.id: number[bus.network] for bus in case.buses}
        self.columns, self.inputs = layout.columns, layout.inputs
        self.state = {name: i for i, name in enumerate(state_names)}

    def col(self, devices: Iterable[Any], quantity: str) -> Indices:
        return _ints(self.columns.one(device.id, quantity) for device in devices)

    def put(self, devices: Iterable[Any], quantity: str) -> Indices:
        return _ints(self.inputs.one(device.id, quantity) for device in devices)

    def before(self, devices: Iterable[Any], quantity: str) -> Indices:
        return _ints(self.state.get(f"{device.id}.{quantity}", -1) for device in devices)

    def net(self, devices: Iterable[Any]) -> Indices:
        return _ints(self.number[device.bus] for device in devices)

    def of(self, kind: type[Any]) -> list[Any]:
        return [device for device in self.case.devices if isinstance(device, kind)]

    def demands(self, carrier: str) -> Demands:
        found = [d for d in self.of(Demand) if d.carrier == carrier]
        unit = POWER[carrier]
        load, positive = self.put(found, f"load_{unit}"), self.put(found, f"sheddable_{unit}")
        return Demands(self.net(found), load, np.where(positive >= 0, positive, load), self.col(found, f"shed_{unit}"),
                       self.col(found, f"dump_{unit}"), _floats(d.dump_max_kw for d in found))

    def sources(self) -> Sources:
        found = self.of(Source)
        return Sources(self.net(found), self.put(found, "available_kw"), self.col(found, "curtailed_kw"), self.col(found, "fed_kw"))

    def generators(self) -> Generators:
        found = self.of(Generator)
        width = max((d.segment_count for d in found), default=0)
        segment = np.full((len(found), width), -1, dtype=np.int64)
        size = np.zeros(segment.shape)
        for row, device in enumerate(found):
            entries = self.columns.entries(device.id, "segment_kw")
            segment[row, : len(entries)] = entries
            size[row, : len(entries)] = device.power_max_kw / device.segment_count
        return Generators(self.net(found), segment, size, self.put(found, "power_low_kw"), self.put(found, "power_high_kw"),
                          self.col(found, "reactive_kvar"), self.put(found, "reactive_low_kvar"), self.put(found, "reactive_high_kvar"),
                          unit=_ints(self.units.names.index(d.id) if d.id in self.units.names else -1 for d in found),
                          ramp=self.ramps.rows([d.id for d in found]))

    def chps(self) -> Chps:
        found = self.of(Chp)
        return Chps(self.net(found), self.col(found, "power_kw"), self.put(found, "power_low_kw"), self.put(found, "power_high_kw"),
                    self.col(found, "vent_kwth"), _floats(d.vent_limit_kwth for d in found), _floats(d.heat_to_power_factor for d in found),
                    _floats(1.0 if d.mode == "cogeneration" else -1.0 for d in found))

    def converters(self) -> Converters:
        found = self.of(Converter)
        unit = [POWER[d.rated_carrier] for d in found]
        row = {d.id: i for i, d in enumerate(found)}
        pairs = [(i, row[d.exclusive_with]) for i, d in enumerate(found) if d.exclusive_with is not None]
        return Converters(
            network=self.net(found), power=_ints(self.columns.one(d.id, f"power_{u}") for d, u in zip(found, unit, strict=True)),
            low=_ints(self.inputs.one(d.id, f"power_low_{u}") for d, u in zip(found, unit, strict=True)),
            high=_ints(self.inputs.one(d.id, f"power_high_{u}") for d, u in zip(found, unit, strict=True)),
            vent=self.col(found, "vent_kwth"), vent_max=_floats(d.vent_limit_kwth for d in found),
            active=_floats(d.active_factor for d in found), heat=_floats(d.heat_factor for d in found),
            hydrogen=_floats(d.hydrogen_factor for d in found),
            heat_led=np.array([d.output_carrier == "heat" and d.input_carrier != "hydrogen" for d in found], dtype=bool),
            bought=np.array([d.feeds_bought_power for d in found], dtype=bool),
            ramp=self.ramps.rows([d.id for d in found]), pairs=np.array(pairs, dtype=np.int64).reshape(-1, 2),
        )

    def stores(self, carrier: str) -> Stores:
        found = [d for d in self.of(Store) if d.carrier == carrier]
        kw, kwh, h = POWER[carrier], ENERGY[carrier], self.step_h
        return Stores(
            names=tuple(d.id for d in found), network=self.net(found),
            charge=self.col(found, f"charge_{kw}"), discharge=self.col(found, f"discharge_{kw}"),
            energy=self.col(found, f"energy_{kwh}"), short=self.col(found, f"energy_short_{kwh}"),
            over=self.col(found, f"energy_over_{kwh}"), below=self.col(found, f"power_below_{kw}"),
            above=self.col(found, f"power_above_{kw}"), energy_low=self.put(found, f"energy_low_{kwh}"),
            energy_high=self.put(found, f"energy_high_{kwh}"), power_low=self.put(found, f"power_low_{kw}"),
            power_high=self.put(found, f"power_high_{kw}"), before=self.before(found, f"energy_before_{kwh}"),
            kept=_floats(d.hourly_retention_share**h for d in found), gain=_floats(h * d.charge_efficiency_share for d in found),
            drain=_floats(h / d.discharge_efficiency_share for d in found), ramp=self.ramps.rows([d.id for d in found]),
        )

    def cohorts(self) -> Cohorts:
        found = self.of(EvFleet)

        def parts(axis: Any, quantity: str) -> Indices:
            return np.concatenate([axis.entries(d.id, quantity) for d in found]) if found else _ints([])

        counts = [len(self.columns.entries(d.id, "charge_kw")) for d in found]
        before = _ints(self.state[f"{d.id}.energy_before_kwh[{c + 1}]"] for d, n in zip(found, counts, strict=True) for c in range(n))
        gain = _floats(self.step_h * d.charge_efficiency_share for d in found)
        return Cohorts(
            network=np.repeat(self.net(found), counts), charge=parts(self.columns, "charge_kw"), energy=parts(self.columns, "energy_kwh"),
            unserved=parts(self.columns, "unserved_kwh"),
            power_high=parts(self.inputs, "power_high_kw"), energy_low=parts(self.inputs, "energy_low_kwh"),
            energy_high=parts(self.inputs, "energy_high_kwh"), unreachable=parts(self.inputs, "unreachable_kwh"), before=before,
            gain=np.repeat(gain, counts),
        )

    def aggregators(self) -> Aggregators:
        found: list[EvAggregator] = self.of(EvAggregator)
        h = self.step_h
        strict = np.array([d.departure_form == "start_of_slot" for d in found], dtype=bool)
        staying = [d.remaining_energy_share if d.departure_form == "start_of_slot" else d.energy_min_share for d in found]
        battery = _floats(d.battery_kwh for d in found)
        return Aggregators(
            names=tuple(d.id for d in found), network=self.net(found), charge=self.col(found, "charge_kw"),
            discharge=self.col(found, "discharge_kw"), energy=self.col(found, "energy_kwh"), slack=self.col(found, "ev_slack_kwh"),
            surplus=self.col(found, "ev_surplus_kwh"), below=self.col(found, "power_below_kw"), above=self.col(found, "power_above_kw"),
            excess=self.col(found, "ramp_excess_kw"), arrivals=self.put(found, "arrivals_count"),
            departures=self.put(found, "departures_count"), connected=self.put(found, "connected_count"),
            withdrawn=self.put(found, "withdrawn_count"), reserve=self.put(found, "reserve_kwh"),
            power_low=self.put(found, "power_low_kw"), power_high=self.put(found, "power_high_kw"),
            before=self.before(found, "energy_before_kwh"), connected_before=self.before(found, "connected_before_count"),
            charge_before=self.before(found, "charge_before_kw"),
            discharge_before=self.before(found, "discharge_before_kw"), gain=_floats(h * d.charge_efficiency_share for d in found),
            drain=_floats(h / d.discharge_efficiency_share for d in found), charger_kw=_floats(d.charger_kw for d in found),
            ramp_kw=_floats(np.inf if d.ramp_kw_per_h is None else h * d.ramp_kw_per_h for d in found),
            brought=battery * _floats(d.arrival_energy_share for d in found),
            taken=battery * _floats(d.departure_energy_share for d in found), least=battery * _floats(d.energy_min_share for d in found),
            most=battery * _floats(d.energy_max_share for d in found), staying=battery * _floats(staying), strict=strict,
        )

    def ties(self) -> Ties:
        found: list[Tie] = list(self.case.ties)
        return Ties(
            names=tuple(tie.id for tie in found), lower=_ints(self.number[tie.lower_bus] for tie in found),
            upper=_ints(-1 if tie.upper_bus is None else self.number[tie.upper_bus] for tie in found),
            exchange=self.col(found, "exchange_kw"), reactive=self.col(found, "exchange_kvar"),
            reactive_max=_floats(tie.reactive_max_kvar for tie in found), export=self.col(found, "export_kw"),
            up=self.col(found, "deviation_up_kw"), down=self.col(found, "deviation_down_kw"),
            schedule_input=self.put(found, "schedule_kw"), schedule_column=self.col(found, "schedule_kw"),
            low=self.put(found, "exchange_low_kw"), high=self.put(found, "exchange_high_kw"),
            forward=self.col(found, "forward_kw"), backward=self.col(found, "backward_kw"), ramp=self.ramps.rows([tie.id for tie in found]),
        )


def _heat_makers(chps: Chps, converters: Converters) -> HeatMakers:
    """Cogeneration units first, then the converters that make heat, in the order of the case."""
    n, made = chps.power.size, np.flatnonzero(converters.heat > 0)
    partner = np.full(converters.power.size, -1, dtype=np.int64)
    for one, other in converters.pairs:
        partner[one], partner[other] = other, one
    return HeatMakers(
        network=np.concatenate([chps.network, converters.network[made]]), power=np.concatenate([chps.power, converters.power[made]]),
        low=np.concatenate([chps.low, converters.low[made]]), high=np.concatenate([chps.high, converters.high[made]]),
        heat=np.concatenate([chps.ratio, converters.heat[made]]), active=np.concatenate([chps.sign, converters.active[made]]),
        hydrogen=np.concatenate([np.zeros(n), converters.hydrogen[made]]),
        ramp=np.concatenate([np.full(n, -1, dtype=np.int64), converters.ramp[made]]),
        partner=np.concatenate([np.full(n, -1, dtype=np.int64), np.where(partner >= 0, converters.power[partner], -1)[made]]),
    )


def _vents(chps: Chps, converters: Converters) -> Vents:
    column = np.concatenate([chps.vent, converters.vent])
    has = column >= 0
    return Vents(np.concatenate([chps.network, converters.network])[has], column[has],
                 np.concatenate([chps.vent_max, converters.vent_max])[has])


def _priced_exchange(case: Case, ties: Ties) -> int:
    """Column of the exchange at which power has a price: the balancing tie's, where it trades."""
    traded = [row for row, tie in enumerate(case.ties) if tie.market is not None and tie.id == case.balancing_tie]
    return int(ties.exchange[traded[0]]) if traded else -1


def _tree(case: Case, ties: Ties, network_count: int) -> tuple[Indices, tuple[Indices, ...]]:
    """Spanning tree of networks towards the balancing tie: each network's closing tie, and networks by falling depth.

    Without a balancing tie no network has one: the chain balances them all at once.
    """
    closing = np.full(network_count, -1, dtype=np.int64)
    if case.balancing_tie is None:
        return closing, (np.arange(network_count),)
    root_tie = ties.names.index(case.balancing_tie)
    depth = {int(ties.lower[root_tie]): 0}
    closing[ties.lower[root_tie]] = root_tie
    frontier = [int(ties.lower[root_tie])]
    while frontier:
        network = frontier.pop(0)
        for tie in np.flatnonzero((ties.upper == network) | ((ties.lower == network) & (ties.upper >= 0))):
            other = int(ties.lower[tie]) if ties.upper[tie] == network else int(ties.upper[tie])
            if other not in depth:
                depth[other], closing[other] = depth[network] + 1, tie
                frontier.append(other)
    for network in range(network_count):  # an island that no tie joins closes on its own
        depth.setdefault(network, 0)
    deepest = max(depth.values())
    levels = tuple(_ints(n for n in range(network_count) if depth[n] == d) for d in range(deepest, -1, -1))
    return closing, levels


def _parents(ties: Ties, closing: Indices) -> Indices:
    """The network at the other end of each network's closing tie, -1 for the market or none."""
    found = np.full(closing.size, -1, dtype=np.int64)
    for network in np.flatnonzero(closing >= 0):
        tie = closing[network]
        found[network] = ties.upper[tie] if ties.lower[tie] == network else ties.lower[tie]
    return found


def _ints(values: Iterable[int]) -> Indices:
    return np.array(list(values), dtype=np.int64)


def _floats(values: Iterable[float]) -> Floats:
    return np.array(list(values), dtype=float)
