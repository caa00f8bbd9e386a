"""Units that go on and off, and everything that ramps: where each stands in an interval of a program, as index arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from pipeline.cases.case import Case
from pipeline.equipment import Converter, Generator, Store, Tie
from pipeline.program.linear_program import Floats, Indices
from pipeline.schedule.layout import Axis, Layout

Flags = NDArray[np.bool_]
_UNIT = {"active": "kw", "heat": "kwth", "hydrogen": "m3h"}


@dataclass(frozen=True)
class Units:
    """Index arrays (n,) and data of the n generators with commitment. Entries are -1 where the program has none of the kind."""

    names: tuple[str, ...]
    on: Indices  # inputs, where commitments are decided
    start: Indices
    stop: Indices
    on_column: Indices  # columns, where they are not
    start_column: Indices
    stop_column: Indices
    on_low: Indices  # inputs that bind them
    on_high: Indices
    low: Indices  # inputs, limits of power
    high: Indices
    on_before: Indices  # into the state
    in_state: Indices
    up_h: Floats
    down_h: Floats
    least_kw: Floats
    most_kw: Floats

    @property
    def decided(self) -> bool:
        """True where the program takes commitments as inputs."""
        return bool(self.names) and bool((self.on >= 0).all())

    def running(self, columns: Floats, inputs: Floats) -> Flags:
        """On or off (.., n) in intervals of columns (.., J) and inputs (.., I)."""
        values = inputs[..., self.on] if self.decided else columns[..., self.on_column]
        return np.asarray(values > 0.5)


@dataclass(frozen=True)
class Ramps:
    """Index arrays (n,) and data of the n generators, converters, stores and ties that ramp, in this order."""

    names: tuple[str, ...]
    power: sp.csr_array  # (n, J): what ramps, as a sum of columns
    before: Indices  # into the state
    low: Indices  # inputs, limits of power
    high: Indices
    release: Indices  # inputs
    excess_high: Indices
    excess: Indices  # columns
    ramp_kw: Floats  # per interval
    edge_kw: Floats  # at a start or stop
    widest_kw: Floats
    least_kw: Floats  # the device's own limits
    most_kw: Floats
    unit: Indices  # into Units, -1: always on

    def of(self, columns: Floats) -> Floats:
        """Power (.., n) of intervals of columns (.., J)."""
        return np.asarray((self.power @ columns.T).T)

    def reach(self, on_before: Flags, on: Flags) -> tuple[Floats, Floats]:
        """How far power may rise and fall, (n,), for units on or off before and now, (units,)."""
        was, now = self.runs(on_before).astype(float), self.runs(on).astype(float)
        up = self.ramp_kw * was + self.edge_kw * (now - was)
        down = self.ramp_kw * now + self.edge_kw * (was - now)
        return up, down

    def runs(self, on: Flags) -> Flags:
        """True for what is on, (n,): everything but units that are off."""
        found = np.ones(len(self.unit), dtype=bool)
        found[self.unit >= 0] = on[self.unit[self.unit >= 0]]
        return found

    def rows(self, devices: Sequence[str]) -> Indices:
        """Row of each device, -1 where it has no ramp."""
        place = {name: row for row, name in enumerate(self.names)}
        return np.array([place.get(name, -1) for name in devices], dtype=np.int64)


def units_of(case: Case, layout: Layout, state_names: Sequence[str]) -> Units:
    """Generators with commitment, in the order of the case."""
    found = [device for device in case.devices if isinstance(device, Generator) and device.commitment is not None]
    state = {name: i for i, name in enumerate(state_names)}

    def entry(axis: Axis, quantity: str) -> Indices:
        return _ints([axis.one(device.id, quantity) for device in found])

    own = [device.commitment for device in found if device.commitment is not None]
    return Units(
        names=tuple(device.id for device in found), on=entry(layout.inputs, "on_share"), start=entry(layout.inputs, "start_share"),
        stop=entry(layout.inputs, "stop_share"), on_column=entry(layout.columns, "on_share"),
        start_column=entry(layout.columns, "start_share"), stop_column=entry(layout.columns, "stop_share"),
        on_low=entry(layout.inputs, "on_low_share"), on_high=entry(layout.inputs, "on_high_share"),
        low=entry(layout.inputs, "power_low_kw"), high=entry(layout.inputs, "power_high_kw"),
        on_before=_ints([state[f"{device.id}.on_before_share"] for device in found]),
        in_state=_ints([state[f"{device.id}.in_state_before_h"] for device in found]),
        up_h=np.array([one.min_up_h for one in own]), down_h=np.array([one.min_down_h for one in own]),
        least_kw=np.array([device.power_min_kw for device in found]), most_kw=np.array([device.power_max_kw for device in found]),
    )


def ramps_of(case: Case, layout: Layout, state_names: Sequence[str], step_h: float, units: Units) -> Ramps:
    """Everything with a ramp in the program."""
    found = [device for kind in (Generator, Converter, Store) for device in case.devices
             if isinstance(device, kind) and device.ramp_kw_per_h is not None]
    items = [_ramping(device) for device in found] + [_Item(tie.id, "exchange", "kw", (("exchange_kw", 1.0),), tie, 0.0)
                                                      for tie in case.ties if tie.ramp_kw_per_h is not None]
    state = {name: i for i, name in enumerate(state_names)}
    columns, inputs = layout.columns, layout.inputs
    power = sp.lil_array((len(items), len(columns.labels)))
    for row, item in enumerate(items):
        for quantity, sign in item.parts:
            power[[row], columns.entries(item.name, quantity)] = sign
    ramp_kw = np.array([(item.owner.ramp_kw_per_h or 0.0) * step_h for item in items])
    place = {name: i for i, name in enumerate(units.names)}

    def put(pattern: str) -> Indices:
        return _ints([inputs.one(item.name, pattern.format(power=item.power, unit=item.unit)) for item in items])

    release = put("ramp_release_{unit}")
    own = np.array([_own_limits(item.owner) for item in items]).reshape(-1, 2)
    return Ramps(
        names=tuple(item.name for item in items), power=sp.csr_array(power),
        before=_ints([state[f"{item.name}.{item.power}_before_{item.unit}"] for item in items]),
        low=put("{power}_low_{unit}"), high=put("{power}_high_{unit}"), release=release, excess_high=put("ramp_excess_high_{unit}"),
        excess=_ints([columns.one(item.name, f"ramp_excess_{item.unit}") for item in items]), ramp_kw=ramp_kw,
        edge_kw=np.maximum(ramp_kw, [item.least_kw for item in items]), widest_kw=own[:, 1] - np.minimum(own[:, 0], 0.0),
        least_kw=own[:, 0], most_kw=own[:, 1],
        unit=_ints([place.get(item.name, -1) for item in items]),
    )


@dataclass(frozen=True)
class _Item:
    name: str
    power: str
    unit: str
    parts: tuple[tuple[str, float], ...]
    owner: Generator | Converter | Store | Tie
    least_kw: float


def _ramping(device: Generator | Converter | Store) -> _Item:
    match device:
        case Generator():
            least = device.power_min_kw if device.commitment is not None else 0.0
            return _Item(device.id, "power", "kw", (("segment_kw", 1.0),), device, least)
        case Converter():
            unit = _UNIT[device.rated_carrier]
            return _Item(device.id, "power", unit, ((f"power_{unit}", 1.0),), device, 0.0)
        case Store():
            unit = _UNIT[device.carrier]
            return _Item(device.id, "power", unit, ((f"discharge_{unit}", 1.0), (f"charge_{unit}", -1.0)), device, 0.0)


def _own_limits(owner: Generator | Converter | Store | Tie) -> tuple[float, float]:
    match owner:
        case Store():
            return -owner.charge_max_kw, owner.discharge_max_kw
        case Tie():
            return owner.exchange_min_kw, owner.exchange_max_kw
        case _:
            return owner.power_min_kw, owner.power_max_kw


def _ints(values: Sequence[int]) -> Indices:
    return np.array(values, dtype=np.int64)
