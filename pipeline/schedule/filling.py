"""Where every input of a program's intervals comes from: index arrays, made once per case and program."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.cases.case import Case
from pipeline.equipment import Store
from pipeline.physics.vehicles import FleetEnvelopes
from pipeline.program.linear_program import Floats, Indices, InputSpec, LinearProgram, component_of
from pipeline.schedule.layout import Axis, Label
from pipeline.schedule.outlook import CONNECTION


@dataclass(frozen=True)
class Filling:
    """Entries of an interval (J) by the way they are filled."""

    series: tuple[str, ...]
    series_entry: Indices
    series_row: Indices  # into `series`
    series_factor: Floats  # (n, 24) by local hour
    series_least: Floats  # (n,) 0 where only the positive part of the series counts, else -inf
    price_entry: Indices
    price_row: Indices  # -1: no series
    price_fixed: Floats
    price_factor: Floats  # on the price
    price_factor_abs: Floats  # on |price|
    default: Floats  # (J,) where a default is known, else 0
    envelope_entry: tuple[Indices, ...]  # in the order of FleetEnvelopes, each over all fleets and cohorts
    fleets: tuple[str, ...]
    connection_entry: Indices
    connection_row: Indices  # (2, n) aggregator and row of its counts
    aggregators: tuple[str, ...]
    frozen_entry: Indices
    past_entry: Indices  # what takes another value past the end of the day, zero for nearly all
    past_value: Floats


@dataclass(frozen=True)
class Scalars:
    """Positions in the flat input vector of what has no position in time."""

    state: Indices
    reference: Indices  # energy_reference_kwh, one per store
    terminal: Indices  # terminal_price_per_kwh
    reference_stores: tuple[str, ...]


@dataclass(frozen=True)
class Cycled:
    """Stores with a rule for the end of the day."""

    low: Indices  # entry of energy_low
    high: Indices
    equal: NDArray[np.bool_]
    state: Indices  # into state values


def _spec(program: LinearProgram, label: Label) -> InputSpec:
    return program.inputs[f"{label.device}.{label.quantity}"]


def state_default(program: LinearProgram, label: Label) -> float:
    """What a state input is before the first day of all."""
    default = _spec(program, label).data.get("default", 0.0)
    return float(np.ravel(default)[int(label.part) - 1 if np.ndim(default) and label.part else 0])


def filling_of(case: Case, program: LinearProgram, axis: Axis) -> Filling:
    """The entries of an interval by the way they are filled. Raises ValueError for a price scale that nobody fills."""
    names: dict[str, int] = {}
    kinds = [_spec(program, label) for label in axis.labels]

    def entries(role: str) -> list[int]:
        return [j for j, spec in enumerate(kinds) if spec.role == role]

    def row(series: str | None) -> int:
        return -1 if series is None else names.setdefault(series, len(names))

    series, prices = entries("series"), entries("price")
    series_row = [row(kinds[j].data["series"]) for j in series]
    price_row = [row(kinds[j].data.get("series")) for j in prices]
    price = np.array([_price(kinds[j]) for j in prices]).reshape(-1, 3)
    default = np.array([float(np.ravel(spec.data.get("default", 0.0))[0]) if spec.role == "limit" else 0.0 for spec in kinds])
    fleets, envelope = _envelopes(axis, kinds)
    past = [j for j, label in enumerate(axis.labels) if not label.quantity.startswith(("energy_high", "unreachable"))]
    connections = entries("connection")
    aggregators = tuple(dict.fromkeys(kinds[j].device for j in connections))
    return Filling(
        series=tuple(names), series_entry=_ints(series), series_row=_ints(series_row),
        series_factor=np.array([_factors(case, kinds[j]) for j in series]).reshape(-1, 24),
        series_least=np.array([0.0 if kinds[j].data.get("positive_part") else -np.inf for j in series]),
        price_entry=_ints(prices), price_row=_ints(price_row),
        price_fixed=price[:, 0], price_factor=price[:, 1], price_factor_abs=price[:, 2],
        past_entry=_ints(past), past_value=np.array([float(kinds[j].data.get("past_end", 0.0)) for j in past]),
        default=default, envelope_entry=envelope, fleets=fleets, connection_entry=_ints(connections),
        connection_row=np.array([[aggregators.index(kinds[j].device) for j in connections],
                                 [CONNECTION.index(kinds[j].quantity) for j in connections]], dtype=np.int64),
        aggregators=aggregators, frozen_entry=_ints(entries("frozen")),
    )


def _ints(values: Sequence[int]) -> Indices:
    return np.array(values, dtype=np.int64)


def _factors(case: Case, spec: InputSpec) -> Floats:
    """Factor on the series by local hour, (24,)."""
    data: Mapping[str, object] = spec.data
    factor = float(data.get("factor", 1.0))  # type: ignore[arg-type]
    if not spec.quantity.startswith("load_kvar"):
        return np.full(24, factor)
    profile = data.get("kvar_profile")
    ratio = np.full(24, float(data.get("kvar_per_kw", 0.0))) if profile is None else np.array(case.profiles[str(profile)])  # type: ignore[arg-type]
    return factor * ratio


def _price(spec: InputSpec) -> tuple[float, float, float]:
    """(fixed, factor on price, factor on |price|)."""
    data, scale = spec.data, spec.data.get("scale", "price")
    factor = float(data.get("factor", 1.0))
    if scale == "price":
        return float(data.get("fixed", 0.0)), factor, 0.0
    if scale in {"sell_discount", "deviation"}:
        return float(data.get("fixed", 0.0)), 0.0, factor
    raise ValueError(f"{spec.device}.{spec.quantity}: unknown price scale {scale}")


def _envelopes(axis: Axis, kinds: Sequence[InputSpec]) -> tuple[tuple[str, ...], tuple[Indices, ...]]:
    fleets = tuple(dict.fromkeys(spec.data["fleet"] for spec in kinds if spec.role == "envelope"))
    found = []
    for quantity in FleetEnvelopes._fields:
        parts = [axis.entries(fleet, quantity) for fleet in fleets]
        found.append(np.concatenate(parts) if parts else _ints([]))
    return fleets, tuple(found)


def cohorts_of(axis: Axis, plan: Filling, state_names: tuple[str, ...]) -> tuple[Indices, tuple[str, ...]]:
    """Where each cohort's stored energy is in the state, in the order of the envelope entries."""
    place = {name: i for i, name in enumerate(state_names)}
    labels = [axis.labels[j] for j in plan.envelope_entry[0]]
    rows = _ints([place[Label(label.device, "energy_before_kwh", label.part).name] for label in labels])
    return rows, tuple(f"{label.device}[{label.part}]" for label in labels)


def cycled_of(case: Case, axis: Axis, state_names: tuple[str, ...]) -> Cycled:
    """Stores whose energy at the day's end has a rule, in the order of the case."""
    place = {component_of(name): i for i, name in enumerate(state_names)}
    low, high, equal, state = [], [], [], []
    for device in case.devices:
        if not isinstance(device, Store) or device.cycle == "none":
            continue
        unit = {"heat": "kwhth", "hydrogen": "m3"}.get(device.carrier, "kwh")
        low.append(_first(axis, device.id, (f"energy_low_{unit}", "energy_low_kwh")))
        high.append(_first(axis, device.id, (f"energy_high_{unit}", "energy_high_kwh")))
        equal.append(device.cycle == "equal")
        state.append(next(place[f"{device.id}.{q}"] for q in (f"energy_before_{unit}", "energy_before_kwh")
                          if f"{device.id}.{q}" in place))
    return Cycled(_ints(low), _ints(high), np.array(equal, dtype=bool), _ints(state))


def _first(axis: Axis, device: str, quantities: Sequence[str]) -> int:
    for quantity in quantities:
        found = axis.one(device, quantity)
        if found >= 0:
            return found
    raise ValueError(f"{device} has none of {', '.join(quantities)}")


def scalars_of(program: LinearProgram, axis: Axis) -> Scalars:
    """Inputs without a position, by role. Raises ValueError for one that nothing fills."""
    state, reference, terminal, stores = [], [], [], []
    for label, flat in zip(axis.scalars, axis.scalar_index, strict=True):
        role = _spec(program, label).role
        if role == "state":
            state.append(int(flat))
        elif label.quantity.startswith("energy_reference"):
            reference.append(int(flat))
            stores.append(label.device)
        elif label.quantity.startswith("terminal_price"):
            terminal.append(int(flat))
        elif role != "frozen":  # what is decided once a day, such as the energy it starts with, is 0 on top of what was handed on
            raise ValueError(f"{label.name}: nothing fills an input of role {role} without a position")
    return Scalars(_ints(state), _ints(reference), _ints(terminal), tuple(stores))
