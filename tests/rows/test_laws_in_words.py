"""The formulas of pipeline/physics/laws.py, evaluated at random numbers: rows, prices and injections are what the compiled program has."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from models_page import kinds_of, with_every_option

from pipeline.cases.case import Case
from pipeline.cases.load import load_case
from pipeline.physics import laws
from pipeline.physics.assemble import assemble
from pipeline.physics.horizon import Horizon
from pipeline.program.compile import compile_model
from pipeline.program.linear_program import Floats, LinearProgram

BY_HAND = {"tie.network_flow"}  # test_DRMG_NET_1: its factors are no field
BALANCES = {"copper_plate.active_balance", "copper_plate.heat_balance", "copper_plate.hydrogen_balance",
            "lindistflow.active_flow", "lindistflow.reactive_flow"}
CARRIER_ENDINGS = {"_kw": ("_kw", "_kwth", "_m3h"), "_kwh": ("_kwh", "_kwhth", "_m3")}


@dataclass(frozen=True)
class Setting:
    """One program at random x and u: values by full name, and how far every row is from its bound."""

    case: Case
    program: LinearProgram
    values: Mapping[str, float]
    readouts: Mapping[str, float]
    body: Floats
    cost: Floats

    def slack(self, row: int) -> float:
        """Positive where the row holds. An equation: the distance, with any sign."""
        lower, upper = self.program.row_lower[row], self.program.row_upper[row]
        return float(self.body[row] - lower if np.isfinite(lower) else upper - self.body[row])


@pytest.fixture(scope="module")
def at_random() -> Setting:
    return setting(rolling=True)


@pytest.fixture(scope="module")
def whole_day() -> Setting:
    """Commitments and cyclic energies have rows of their own only where they are not decided yet."""
    return setting(rolling=False)


DAY_AHEAD = {"ev_aggregator.cyclic_energy", *(key for key, entry in laws.ROWS.items() if entry.when == laws.OPEN)}


def setting(*, rolling: bool) -> Setting:
    case = with_every_option(load_case("tiny"))
    stores = frozenset(device.id for device in case.devices if device.kind == "store")
    program = compile_model(assemble(case, Horizon(3, 0.25, rolling), exclusive_devices=stores))
    rng = np.random.default_rng(1)
    x, u = rng.uniform(1, 9, len(program.column_names)), rng.uniform(1, 9, len(program.input_names))
    values = dict(zip(program.column_names, map(float, x), strict=True)) | dict(zip(program.input_names, map(float, u), strict=True))
    readouts = program.readout @ x + program.readout_by_input @ u + program.readout_offset
    return Setting(case, program, values, dict(zip(program.readout_names, map(float, readouts), strict=True)),
                   program.matrix @ x + program.matrix_by_input @ u, program.cost + program.cost_by_input @ u)


@dataclass(frozen=True)
class Quantity:
    """`charge_kw` of one owner, to be indexed as the formula does."""

    setting: Setting
    owner: str
    name: str

    def __getitem__(self, index: Any) -> float:
        parts = ",".join(map(str, index if isinstance(index, tuple) else (index,)))
        found = [self.setting.values[f"{self.owner}.{name}[{parts}]"] for name in spellings(self.name)
                 if f"{self.owner}.{name}[{parts}]" in self.setting.values]
        return found[0] if found else 0.0  # the slack bus has no elastic voltage


@dataclass(frozen=True)
class Partner:
    """The other unit of a pair of converters."""

    setting: Setting
    owner: str

    def __getattr__(self, name: str) -> Any:
        record = next(device for device in self.setting.case.devices if device.id == self.owner)
        return getattr(record, name) if hasattr(record, name) else Quantity(self.setting, self.owner, name)


class Names(dict[str, Any]):
    """What a name in a formula stands for: a field of the equipment, a number of the day, a quantity to be indexed."""

    def __init__(self, setting: Setting, owner: str, index: tuple[str, ...]) -> None:
        super().__init__(step_h=setting.program.step_h, sqrt=math.sqrt, max=max)
        self.setting, self.owner = setting, owner
        self.records = [record for record in (*setting.case.devices, *setting.case.ties, *setting.case.networks) if record.id == owner]
        self.records += [branch for branch in setting.case.branches if branch.id in index]
        self.records += [record.commitment for record in self.records if getattr(record, "commitment", None) is not None]
        self["branch"] = index[0] if index else None
        segments = range(1, 1 + getattr(self.records[0], "segment_count", 0))
        segment = Quantity(setting, owner, "segment_kw")
        self["total_kw"] = lambda t: sum(segment[t, i] for i in segments)
        cohorts = range(1, 1 + len(getattr(self.records[0], "departure_hours", ())))
        charge = Quantity(setting, owner, "charge_kw")
        self["charging_kw"] = lambda t: sum(charge[c, t] for c in cohorts)
        voltage, above, below = (Quantity(setting, owner, f"voltage_{part}kv") for part in ("", "above_", "below_"))
        self["voltage"] = lambda bus, t: voltage[bus, t] + above[bus, t] - below[bus, t]
        on = Quantity(setting, owner, "on_share")
        self["lasting"] = lambda t, off: sum((1 - on[k]) if off else on[k] for k in range(t, min(3, t + 1) + 1))
        if getattr(self.records[0], "exclusive_with", None) is not None:
            self["partner"] = Partner(setting, self.records[0].exclusive_with)
        if index:
            self["t"] = int(index[-1])
            self["K"] = min(3, self["t"] + 1) - self["t"] + 1  # half an hour in quarters, or what is left
            self["c"] = index[0]

    def __missing__(self, name: str) -> Any:
        for record in (*self.records, self.setting.case.settings):
            if hasattr(record, name):
                value = getattr(record, name)
                return self.setting.case.settings.slack_price_per_kwh if value is None else value
        for spelling in spellings(name):
            if f"{self.owner}.{spelling}" in self.setting.values:
                return self.setting.values[f"{self.owner}.{spelling}"]
        return Quantity(self.setting, self.owner, name)


def spellings(name: str) -> tuple[str, ...]:
    """The name itself and in the units of heat."""
    for ending, others in CARRIER_ENDINGS.items():
        if name.endswith(ending):
            return tuple(name.removesuffix(ending) + other for other in others)
    return (name,)


@dataclass(frozen=True)
class Formula:
    """A law as Python: its sides, and what stands between them."""

    sides: tuple[str, ...]
    signs: tuple[str, ...] = field(default=())

    @classmethod
    def of(cls, says: str) -> Formula:
        """Without what the text adds in words."""
        text = re.split(r", with |; |, T the | where | \(where | per kWh| \(electric", says)[0]
        text = text.translate(str.maketrans({"{": "", "}": "", "·": "*"})).replace("^", "**").replace("2 i", "2 * i")
        text = text.replace("energy_kwh[T]", "energy_kwh[3]").replace("sum over i of segment_kw[t,i]", "total_kw(t)")
        text = text.replace("sum over c of charge_kw[c,t]", "charging_kw(t)")
        text = text.replace("sum over k of on_share[k]", "lasting(t, False)").replace("sum over k of (1 - on_share[k])", "lasting(t, True)")
        text = re.sub(r"\bP\[(.*?)\]", r"total_kw(\1)", text)
        text = re.sub(r"\bU\[(.*?)\]", r"voltage(\1)", text)
        parts = re.split(r"(<=|>=|=)", text)
        return cls(tuple(parts[::2]), tuple(parts[1::2]))

    def values(self, names: Names) -> list[float]:
        return [float(eval(side.strip(), {"__builtins__": {}}, names)) for side in self.sides]

    def slacks(self, names: Names) -> list[float]:
        """Per relation how far it is from equality, positive where it holds (equations: any sign)."""
        values = self.values(names)
        return [left - right if sign == ">=" else right - left
                for left, right, sign in zip(values, values[1:], self.signs, strict=False)]


@pytest.mark.parametrize("key", [key for key in laws.ROWS if key not in BALANCES | BY_HAND])
def test_a_law_says_what_its_rows_say(key: str, at_random: Setting, whole_day: Setting) -> None:
    at_random = whole_day if key in DAY_AHEAD else at_random
    kinds, formula, checked = kinds_of(at_random.case), Formula.of(laws.ROWS[key].says), 0
    for row, name in enumerate(at_random.program.row_names):
        owner, component, indices = re.fullmatch(r"([^.]+)\.([^\[]+)(?:\[(.*)\])?", name).groups()  # type: ignore[union-attr]
        index = tuple(indices.split(",")) if indices else ()
        if laws.entry_key(laws.ROWS, kinds[owner], component) != key or index[-1:] == ("1",):
            continue  # the first position stands on what was before, under another name
        said = formula.slacks(Names(at_random, owner, index))
        lower, upper = at_random.program.row_lower[row], at_random.program.row_upper[row]
        if len(said) == 2:
            assert said == pytest.approx([at_random.body[row] - lower, upper - at_random.body[row]])
        elif formula.signs == ("=",):
            assert lower == upper and abs(said[0]) == pytest.approx(abs(at_random.slack(row)))
        else:
            assert said[0] == pytest.approx(at_random.slack(row)), name
        checked += 1
    assert checked


@pytest.mark.parametrize("key", sorted(BALANCES))
def test_a_balance_sums_the_injections(key: str, at_random: Setting) -> None:
    kind, component = key.split(".")
    kinds, case, checked = kinds_of(at_random.case), at_random.case, 0
    carrier = component.split("_")[0]
    flow = {"active": "branch_kw", "reactive": "branch_kvar"}.get(carrier)
    for row, name in enumerate(at_random.program.row_names):
        found = re.fullmatch(rf"([^.]+)\.{component}\[(?:([^,]+),)?(\d+)\]", name)
        if found is None or kinds[found[1]] != kind:
            continue
        network, bus, t = found[1], found[2], found[3]
        buses = {one.id for one in case.buses if one.network == network} if bus is None else {bus}
        said = sum(at_random.readouts.get(f"{device.id}.injection[{carrier},{t}]", 0.0) for device in case.devices if device.bus in buses)
        for tie in case.ties:
            for end, at in (("lower", tie.lower_bus), ("upper", tie.upper_bus)):
                said += at_random.readouts.get(f"{tie.id}.injection_{end}[{carrier},{t}]", 0.0) if at in buses else 0.0
        for branch in case.branches if bus is not None else ():
            power = at_random.values[f"{network}.{flow}[{branch.id},{t}]"]
            said += power * ((branch.to_bus == bus) - (branch.from_bus == bus))
        assert abs(said) == pytest.approx(abs(at_random.slack(row))), name
        checked += 1
    assert checked


@pytest.mark.parametrize("key", [key for key, entry in laws.COLUMNS.items() if entry.price])
def test_a_price_is_what_its_columns_cost(key: str, at_random: Setting) -> None:
    kinds, formula, checked = kinds_of(at_random.case), Formula.of(laws.COLUMNS[key].price), 0
    for column, name in enumerate(at_random.program.column_names):
        owner, component, indices = re.fullmatch(r"([^.]+)\.([^\[]+)(?:\[(.*)\])?", name).groups()  # type: ignore[union-attr]
        if laws.entry_key(laws.COLUMNS, kinds[owner], component) != key:
            continue
        index = tuple(indices.split(",")) if indices else ()
        names = Names(at_random, owner, index)
        if key == "generator.segment_kw":
            names |= {"t": int(index[0]), "i": int(index[1])}
        counts = key != "ev_fleet.unserved_kwh" or index[-1] == "3"  # what is lost is paid once, at the last position
        assert at_random.cost[column] == pytest.approx(formula.values(names)[0] if counts else 0.0), name
        checked += 1
    assert checked


@pytest.mark.parametrize("key", laws.READOUTS)
def test_an_injection_is_what_its_formula_says(key: str, at_random: Setting) -> None:
    kinds, checked = kinds_of(at_random.case), 0
    formulas = dict(re.findall(r"\[(\w+),t\] (.*?)(?:; |$)", laws.READOUTS[key].says))
    for name, value in at_random.readouts.items():
        owner, component, carrier, t = re.fullmatch(r"([^.]+)\.(\w+)\[(\w+),(\d+)\]", name).groups()  # type: ignore[union-attr]
        if f"{kinds[owner]}.{component}" != key:
            continue
        said = Formula.of(formulas.get(carrier) or formulas["carrier"]).values(Names(at_random, owner, (t,)))
        assert value == pytest.approx(said[0]), name
        checked += 1
    assert checked
