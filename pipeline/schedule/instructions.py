"""A person's word: device out, fixed set-point, limit. Powers are injections (positive into the bus); a tie's is its exchange.

A limit tightens what the device can do, a set-point fixes it (within what the device can do), out takes it away. Of several
set-points at one time the last one counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pipeline.cases.case import Case
from pipeline.core.clock import Instants
from pipeline.core.errors import InputError, Mistake
from pipeline.equipment import AnyDevice, Chp, Converter, Demand, EvFleet, Source, Store, Tie
from pipeline.program.linear_program import Floats
from pipeline.schedule.findings import Finding
from pipeline.schedule.layout import Axis

QUANTITIES = ("limit_low_kw", "limit_high_kw", "set_point_kw", "out")  # in the order in which they are applied
_UNITS = {"active": "kw", "heat": "kwth", "hydrogen": "m3h"}
_MEANINGLESS: dict[str, tuple[str, ...]] = {
    "demand": ("limit_low_kw", "limit_high_kw", "set_point_kw"),
    "source": ("limit_low_kw",),
    "ev_fleet": ("limit_high_kw", "set_point_kw"),
}


class Instruction(Protocol):
    """What a binder reads of an override record. Instants are UTC epoch seconds; no end means until further notice."""

    @property
    def target(self) -> str: ...
    @property
    def quantity(self) -> str: ...
    @property
    def value(self) -> float | None: ...
    @property
    def valid_from(self) -> int: ...
    @property
    def valid_to(self) -> int | None: ...


def check(case: Case, instructions: Sequence[Instruction]) -> None:
    """Raises InputError with every instruction that names something the case lacks or the device cannot follow."""
    known: dict[str, AnyDevice | Tie] = {d.id: d for d in (*case.devices, *case.ties)}
    mistakes: list[Mistake] = []
    for instruction in instructions:
        place = f"override of {instruction.target}"
        item = known.get(instruction.target)
        if item is None:
            near = get_close_matches(instruction.target, known, n=1)
            mistakes.append(Mistake(place, f"case {case.name} has no device or tie '{instruction.target}'",
                                    f"did you mean '{near[0]}'?" if near else "`feederflow case show` lists them"))
            continue
        kind = "tie" if isinstance(item, Tie) else item.kind
        if instruction.quantity not in QUANTITIES:
            mistakes.append(Mistake(place, f"unknown quantity '{instruction.quantity}'", f"one of {', '.join(QUANTITIES)}"))
        elif instruction.quantity in _MEANINGLESS.get(kind, ()):
            rest = [q for q in QUANTITIES if q not in _MEANINGLESS[kind]]
            mistakes.append(Mistake(place, f"a {kind} cannot follow {instruction.quantity}", f"it follows {', '.join(rest)}"))
        elif instruction.quantity != "out":
            value = instruction.value
            if value is None or not np.isfinite(value):
                mistakes.append(Mistake(place, f"{instruction.quantity} needs a finite value, got {value}", "give kW"))
            elif (kind == "source" and value < 0) or (kind == "ev_fleet" and value > 0):
                sign = "positive" if kind == "source" else "negative"
                mistakes.append(Mistake(place, f"{instruction.quantity} {value:g} kW has the wrong sign",
                                        f"injection into the bus is positive: a {kind} takes a {sign} number"))
    if mistakes:
        raise InputError(mistakes)


def covered(instruction: Instruction, starts: Instants, step_s: int) -> NDArray[np.bool_]:
    """Intervals that the instruction touches, even in part: an outage of ten minutes is one of the interval."""
    to = instruction.valid_to
    touched = starts + step_s > instruction.valid_from
    return touched if to is None else touched & (starts < to)


def apply(case: Case, axis: Axis, filled: Floats, *, starts: Instants, step_s: int, instructions: Sequence[Instruction],
          settling: bool) -> None:
    """Move the limits in `filled` (K, J) in place. When `settling`, set-points of ties do not bind: the mismatch passes there."""
    known: dict[str, AnyDevice | Tie] = {d.id: d for d in (*case.devices, *case.ties)}
    for quantity in QUANTITIES:
        for instruction in instructions:
            if instruction.quantity != quantity:
                continue
            rows = np.flatnonzero(covered(instruction, starts, step_s))
            item = known[instruction.target]
            if rows.size and not (settling and quantity == "set_point_kw" and isinstance(item, Tie)):
                _apply_one(axis, filled, rows, item, quantity, instruction.value or 0.0)


def _apply_one(axis: Axis, filled: Floats, rows: Instants, item: AnyDevice | Tie, quantity: str, value: float) -> None:
    if isinstance(item, Demand):
        for name in ("load_kw", "load_kwth", "load_kvar", "sheddable_kw", "sheddable_kwth"):
            filled[np.ix_(rows, axis.entries(item.id, name))] = 0.0
        return
    if isinstance(item, Source):
        cells = np.ix_(rows, axis.entries(item.id, "available_kw"))
        filled[cells] = np.minimum(filled[cells], 0.0 if quantity == "out" else value)
        return
    if isinstance(item, EvFleet):
        cells = np.ix_(rows, axis.entries(item.id, "power_high_kw"))
        total = filled[cells].sum(axis=1, keepdims=True)
        cap = 0.0 if quantity == "out" else -value
        filled[cells] *= np.minimum(1.0, cap / np.where(total > 0, total, 1.0))
        return
    name = "exchange_{}_kw" if isinstance(item, Tie) else f"power_{{}}_{_unit(item)}"
    low, high = (axis.one(item.id, name.format(side)) for side in ("low", "high"))
    if _draws(item):  # its program power is what it draws
        value = -value
        quantity = {"limit_low_kw": "limit_high_kw", "limit_high_kw": "limit_low_kw"}.get(quantity, quantity)
    _move_limits(filled, rows, (low, high), quantity, value)
    if quantity == "out":
        for name in ("reactive_low_kvar", "reactive_high_kvar"):
            filled[np.ix_(rows, axis.entries(item.id, name))] = 0.0


def _unit(item: AnyDevice) -> str:
    """Unit of the power that a person's word moves."""
    if isinstance(item, Converter):
        return _UNITS[item.rated_carrier]
    return _UNITS[item.carrier] if isinstance(item, Store) else "kw"


def _draws(item: AnyDevice | Tie) -> bool:
    return (isinstance(item, Chp) and item.mode == "electric_heater") or (isinstance(item, Converter) and item.input_carrier == "active")


def _move_limits(filled: Floats, rows: Instants, pair: tuple[int, int], quantity: str, value: float) -> None:
    low, high = filled[rows, pair[0]], filled[rows, pair[1]]
    if quantity == "out":
        low, high = np.zeros_like(low), np.zeros_like(high)
    elif quantity == "limit_high_kw":
        high = np.minimum(high, value)
        low = np.minimum(low, high)
    elif quantity == "limit_low_kw":
        low = np.clip(value, low, high)
    else:
        low = high = np.clip(value, low, high)
    filled[rows, pair[0]], filled[rows, pair[1]] = low, high


def unreachable(case: Case, instructions: Sequence[Instruction], *, stage: str) -> list[Finding]:
    """Set-points beyond what the device can do: they are followed as far as it can."""
    found = []
    reach: dict[str, tuple[float, float]] = {tie.id: (tie.exchange_min_kw, tie.exchange_max_kw) for tie in case.ties}
    for device in case.devices:
        if device.kind == "store":
            reach[device.id] = (-device.charge_max_kw, device.discharge_max_kw)
        elif device.kind == "generator":
            reach[device.id] = (device.power_min_kw, device.power_max_kw)
        elif device.kind == "ev_aggregator":
            most = device.vehicle_count * device.charger_kw
            reach[device.id] = (-most, most)
        elif device.kind in ("chp", "converter"):
            low, high = device.power_min_kw, device.power_max_kw
            reach[device.id] = (-high, -low) if _draws(device) else (low, high)
    for instruction in instructions:
        if instruction.quantity != "set_point_kw" or instruction.target not in reach or instruction.value is None:
            continue
        low, high = reach[instruction.target]
        if not low <= instruction.value <= high:
            limit = low if instruction.value < low else high
            found.append(Finding("day_ahead" if stage == "day_ahead" else "real_time", "warning", "set_point", instruction.target,
                                 f"set-point {instruction.value:g} kW is beyond its limit {limit:g} kW, which is held instead",
                                 instruction.value, limit))
    return found
