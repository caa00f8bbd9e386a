"""A person's word: device out, fixed set-point, limit. Powers are injections (positive into the bus); a tie's is its exchange.

A limit tightens what the device can do, a set-point fixes it (within what the device can do), out takes it away. Of several
set-points at one time the last one counts.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from pipeline.cases.case import Case
from pipeline.core.clock import Instants
from pipeline.core.errors import InputError, Mistake
from pipeline.equipment import AnyDevice, Chp, Converter, Demand, EvAggregator, EvFleet, Generator, Source, Store, Tie
from pipeline.program.linear_program import Floats
from pipeline.schedule.findings import Finding
from pipeline.schedule.layout import Axis

QUANTITIES = ("limit_low_kw", "limit_high_kw", "set_point_kw", "out")  # in the order in which they are applied
_NAMES = {"limit_low_kw": "lower limit", "limit_high_kw": "upper limit", "set_point_kw": "set-point"}
_OTHER_LIMIT = {"limit_low_kw": "limit_high_kw", "limit_high_kw": "limit_low_kw"}
_EXACT_KW = 1e-9
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
    """Raises InputError with every instruction that names something the case lacks, or that its device can never follow."""
    mistakes = [*(mistake for word in instructions if (mistake := _nonsense(case, word)) is not None),
                *(mistake for word in instructions if _nonsense(case, word) is None and (mistake := _beyond(case, word)) is not None)]
    if mistakes:
        raise InputError(mistakes)


def followed(case: Case, instructions: Sequence[Instruction]) -> list[Instruction]:
    """Those that say something of this case. A case may have lost a device since a word was said: no run fails of that."""
    return [word for word in instructions if _nonsense(case, word) is None]


def _nonsense(case: Case, instruction: Instruction) -> Mistake | None:
    """What is wrong with an instruction that means nothing to the case or to the kind of its device."""
    known: dict[str, AnyDevice | Tie] = {d.id: d for d in (*case.devices, *case.ties)}
    place, item, value = f"override of {instruction.target}", known.get(instruction.target), instruction.value
    if item is None:
        near = get_close_matches(instruction.target, known, n=1)
        return Mistake(place, f"case {case.name} has no device or tie '{instruction.target}'",
                       f"did you mean '{near[0]}'?" if near else "`feederflow case show` lists them")
    kind = "tie" if isinstance(item, Tie) else item.kind
    if instruction.quantity not in QUANTITIES:
        return Mistake(place, f"unknown quantity '{instruction.quantity}'", f"one of {', '.join(QUANTITIES)}")
    if instruction.quantity in _MEANINGLESS.get(kind, ()):
        rest = [q for q in QUANTITIES if q not in _MEANINGLESS[kind]]
        return Mistake(place, f"a {kind} cannot follow {instruction.quantity}", f"it follows {', '.join(rest)}")
    if instruction.quantity == "out":
        return None
    if value is None or not np.isfinite(value):
        return Mistake(place, f"{instruction.quantity} needs a finite value, got {value}", f"give {unit_of(item)}")
    if (kind == "source" and value < 0) or (kind == "ev_fleet" and value > 0):
        sign = "positive" if kind == "source" else "negative"
        return Mistake(place, f"{instruction.quantity} {value:g} {unit_of(item)} has the wrong sign",
                       f"injection into the bus is positive: a {kind} takes a {sign} number")
    return None


def _beyond(case: Case, instruction: Instruction) -> Mistake | None:
    """What is wrong with a set-point beyond the device's reach, or a limit that leaves nothing of it."""
    low, high = reach_of(case, instruction.target)
    value, quantity = instruction.value, instruction.quantity
    if value is None or quantity == "out":
        return None
    floor, ceiling = _may_leave(case, instruction.target, low, high)
    fits = {"set_point_kw": low <= value <= high, "limit_low_kw": value <= ceiling, "limit_high_kw": value >= floor}[quantity]
    if fits:
        return None
    unit = unit_of(next(one for one in (*case.ties, *case.devices) if one.id == instruction.target))
    able = {"set_point_kw": f"between {low:g} and {high:g}", "limit_low_kw": f"at most {ceiling:g}", "limit_high_kw": f"at least {floor:g}"}
    return Mistake(f"override of {instruction.target}", f"{quantity} {value:g} {unit} is beyond its reach of {low:g} to {high:g} {unit}",
                   f"give {able[quantity]} {unit}, or `out` to take it away")


def reach_of(case: Case, name: str) -> tuple[float, float]:
    """Lowest and highest power (see `unit_of`, positive into the bus) of a device, or exchange of a tie; infinite where a series says."""
    item = next(one for one in (*case.ties, *case.devices) if one.id == name)
    match item:
        case Tie():
            return item.exchange_min_kw, item.exchange_max_kw
        case Store():
            return -item.charge_max_kw, item.discharge_max_kw
        case Generator():
            return item.power_min_kw, item.power_max_kw
        case EvAggregator():
            return -item.vehicle_count * item.charger_kw, item.vehicle_count * item.charger_kw
        case EvFleet():
            return -item.vehicle_count * item.charger_kw, 0.0
        case Chp() | Converter():
            low, high = item.power_min_kw, item.power_max_kw
            return (-high, -low) if _draws(item) else (low, high)
        case Source():
            return 0.0, np.inf
        case Demand():
            return -np.inf, 0.0


def _may_leave(case: Case, name: str, low: float, high: float) -> tuple[float, float]:
    """The least that a limit from above, and the most that one from below may leave: a unit can be switched off at any least power."""
    item = next(one for one in (*case.ties, *case.devices) if one.id == name)
    return (min(low, 0.0), max(high, 0.0)) if isinstance(item, Generator | Chp | Converter) else (low, high)


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
    name = "exchange_{}_kw" if isinstance(item, Tie) else f"power_{{}}_{_UNITS[_carrier(item)]}"
    low, high = (axis.one(item.id, name.format(side)) for side in ("low", "high"))
    if _draws(item):  # its program power is what it draws
        value = -value
        quantity = _OTHER_LIMIT.get(quantity, quantity)
    _move_limits(filled, rows, (low, high), quantity, value, may_stop=isinstance(item, Generator | Chp | Converter))
    if quantity == "out":
        for name in ("reactive_low_kvar", "reactive_high_kvar"):
            filled[np.ix_(rows, axis.entries(item.id, name))] = 0.0


def _carrier(item: AnyDevice | Tie) -> str:
    """What flows in the power that a person's word moves."""
    if isinstance(item, Converter):
        return item.rated_carrier
    return item.carrier if isinstance(item, Store | Demand) else "active"


def unit_of(item: AnyDevice | Tie) -> str:
    """Unit of that power, for a person: kW, kWth or m3/h."""
    return {"active": "kW", "heat": "kWth", "hydrogen": "m3/h"}[_carrier(item)]


def _draws(item: AnyDevice | Tie) -> bool:
    return (isinstance(item, Chp) and item.mode == "electric_heater") or (isinstance(item, Converter) and item.input_carrier == "active")


def _move_limits(filled: Floats, rows: Instants, pair: tuple[int, int], quantity: str, value: float, *, may_stop: bool) -> None:
    """Within what the limits are: a word never leaves a device without any power that it can hold. In place."""
    low, high = filled[rows, pair[0]], filled[rows, pair[1]]
    if quantity == "out":
        low, high = np.zeros_like(low), np.zeros_like(high)
    elif quantity == "limit_high_kw":
        high = np.maximum(np.minimum(high, value), np.minimum(low, 0.0) if may_stop else low)
        low = np.minimum(low, high)
    elif quantity == "limit_low_kw":
        low = np.clip(value, low, high)
    else:
        low = high = np.clip(value, low, high)
    filled[rows, pair[0]], filled[rows, pair[1]] = low, high


def unreachable(case: Case, instructions: Sequence[Instruction], *, stage: str) -> list[Finding]:
    """What was asked for and cannot be, or means nothing: followed as far as the device, and words said with it, let it be."""
    name: Literal["day_ahead", "real_time"] = "day_ahead" if stage == "day_ahead" else "real_time"
    kept = followed(case, instructions)
    found = [Finding(name, "warning", "set_point", word.target, f"left aside: {_nonsense(case, word)}", word.value)
             for word in instructions if word not in kept]
    for word in kept:
        if word.quantity == "out" or word.value is None or math.isinf(sum(map(abs, reach_of(case, word.target)))):
            continue
        for at in sorted({word.valid_from, *(other.valid_from for other in kept if _meet(word, other))}):
            beside = [other for other in kept if other.target == word.target and _holds(other, at)]
            if not _holds(word, at) or any(other.quantity == "out" for other in beside):
                continue
            low, high = _left_by(case, word.target, beside)
            held = {"set_point_kw": min(max(word.value, low), high), "limit_low_kw": max(word.value, low) if low >= word.value else high,
                    "limit_high_kw": min(word.value, high) if high <= word.value else low}[word.quantity]
            if abs(held - word.value) > _EXACT_KW and not _last_set_point(beside, word):
                unit = unit_of(next(one for one in (*case.ties, *case.devices) if one.id == word.target))
                found.append(Finding(name, "warning", "set_point", word.target, f"{_NAMES[word.quantity]} {word.value:g} {unit} is beyond "
                                     f"its limit {held:g} {unit}, which is held instead", word.value, held))
                break
    return found


def _left_by(case: Case, target: str, words: Sequence[Instruction]) -> tuple[float, float]:
    """Lowest and highest power that words of one moment leave to a device."""
    item = next(one for one in (*case.ties, *case.devices) if one.id == target)
    pair = np.array([reach_of(case, target)])
    sign, rows = (-1.0 if _draws(item) else 1.0), np.array([0])
    if sign < 0:  # judged by its program power, as it is followed
        pair = -pair[:, ::-1]
    for quantity in QUANTITIES[:2]:
        for word in words:
            if word.quantity == quantity and word.value is not None:
                moved = _OTHER_LIMIT[quantity] if sign < 0 else quantity
                _move_limits(pair, rows, (0, 1), moved, sign * word.value, may_stop=isinstance(item, Generator | Chp | Converter))
    low, high = (float(bound) for bound in pair[0])
    return (low, high) if sign > 0 else (-high, -low)


def _last_set_point(beside: Sequence[Instruction], word: Instruction) -> bool:
    """Whether a later set-point took the place of this one."""
    points = [other for other in beside if other.quantity == "set_point_kw"]
    return word.quantity == "set_point_kw" and points[-1] is not word


def _holds(word: Instruction, at: int) -> bool:
    return word.valid_from <= at and (word.valid_to is None or at < word.valid_to)


def _meet(word: Instruction, other: Instruction) -> bool:
    return other.target == word.target and _holds(word, other.valid_from)
