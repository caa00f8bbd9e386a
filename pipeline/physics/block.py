"""What every device block shares: marked inputs, costs by term, injections by carrier, names with units.

A law is a Pyomo `Constraint` whose rule is called once with a symbolic position (a Pyomo constraint template: half the time
of building and compiling), so a rule is a formula in `t`: it may use `t - 1`, but neither `if t == 1` nor a loop over the
steps. A row that differs at the first position is set afterwards (`block.energy_balance[1] = ...`). Sums run over lists: Pyomo
reads a sum over a generator as a symbolic one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from weakref import ref

import pyomo.environ as pyo
from pyomo.core.base.constraint import TemplateConstraintData
from pyomo.core.expr import LinearExpression
from pyomo.core.expr.template_expr import templatize_rule

from pipeline.equipment import Carrier

TERMS = (
    "energy_cost", "transmission_cost", "storage_wear_cost", "generator_cost", "commitment_cost", "cogeneration_cost", "conversion_cost",
    "curtailment_cost", "vent_cost", "flexibility_cost", "deviation_cost", "penalty_cost", "terminal_cost",
)
POWER_UNIT: Mapping[Carrier, str] = {"active": "kw", "reactive": "kvar", "heat": "kwth", "hydrogen": "m3h"}
ENERGY_UNIT: Mapping[Carrier, str] = {"active": "kwh", "heat": "kwhth", "hydrogen": "m3"}

Injection = Callable[[Any], Any]  # position (a number or a symbol) -> linear expression, positive into the bus


@dataclass(frozen=True)
class Setting:
    """What a device's law needs to know besides the device. `steps` is shared: one Pyomo set for all rows."""

    steps: pyo.RangeSet
    step_h: float
    rolling: bool
    slack_price_per_kwh: float
    held: bool = False  # commitments and positions are decided: inputs of this program
    exclusive_devices: frozenset[str] = frozenset()
    net_loads: frozenset[str] = frozenset()  # series that may be negative: only their positive part can be shed

    @property
    def positions(self) -> int:
        return len(self.steps)


@dataclass(frozen=True)
class InputMark:
    """What fills an input: read by the stages that bind a program."""

    device: str
    quantity: str
    role: str
    data: Mapping[str, Any]


@dataclass
class Offer:
    """What a block offers to the rest of the model, kept as `block.offer`.

    `injection`: at the device's bus. `injection_upper`: ties, at their upper bus. `costs`: (term, expression in currency units).
    """

    injection: dict[Carrier, Injection] = field(default_factory=dict)
    injection_upper: dict[Carrier, Injection] = field(default_factory=dict)
    costs: list[tuple[str, Any]] = field(default_factory=list)
    inputs: dict[str, InputMark] = field(default_factory=dict)
    labels: dict[str, tuple[str, ...]] = field(default_factory=dict)  # names of the members of a numbered set of the block
    is_tie: bool = False

    def add_cost(self, term: str, expression: Any) -> None:
        if term not in TERMS:
            raise ValueError(f"{term} is no cost term; one of {', '.join(TERMS)}")
        self.costs.append((term, expression))


def offer_of(block: Any) -> Offer:
    """The block's offer, made on first use."""
    if not hasattr(block, "offer"):
        block.offer = Offer()
    offer: Offer = block.offer
    return offer


def declare_input(block: Any, quantity: str, *index: Any, role: str, device: str, **data: Any) -> Any:
    """A Pyomo variable that the compiler turns into an input: whatever changes with time, scenario, step or round."""
    variable = pyo.Var(*index)
    block.add_component(quantity, variable)
    offer_of(block).inputs[quantity] = InputMark(device=device, quantity=quantity, role=role, data=data)
    return variable


def add_column(block: Any, name: str, *index: Any, low: float | None = 0.0, high: float | None = None, binary: bool = False) -> Any:
    """A decision with constant bounds, under a name that carries its unit."""
    column = pyo.Var(*index, domain=pyo.Binary) if binary else pyo.Var(*index, bounds=(low, high))
    block.add_component(name, column)
    return column


def add_law(block: Any, name: str, *index: Any, rule: Callable[..., Any]) -> Any:
    """Rows named by the law they state. `rule(*index)` gives a relation; it is called once, with symbols (a scalar: as it is)."""
    if not index:
        rows = pyo.Constraint(expr=rule())
        block.add_component(name, rows)
        return rows
    rows = pyo.Constraint(*index)
    block.add_component(name, rows)
    fill_rows(rows, list(rows.index_set()), rows.index_set(), rule)
    return rows


def fill_rows(rows: Any, at: Iterable[Any], index: Any, rule: Callable[..., Any], *, leading: tuple[Any, ...] = ()) -> None:
    """Give the rows `at` one template: the relation of symbols of `index`, after `leading` symbols that the formula does not use.

    Pyomo does this itself under TEMPLATIZE_CONSTRAINTS, but falls back silently to one call per row where it cannot.
    """
    expression, symbols = templatize_rule(rows.parent_block(), lambda _, symbols: rule(*symbols), index)
    if expression.__class__ is tuple:
        expression = pyo.inequality(*expression)
    if expression is True:
        return  # nothing flows here
    template, component = (expression, (*leading, *symbols)), ref(rows)
    rows._data.update({key: TemplateConstraintData(template, component, key) for key in at})


def rate(per_unit: float, column: Any) -> Any:
    """per_unit x the sum of a whole indexed column."""
    variables = list(column.values())
    return LinearExpression(constant=0, linear_coefs=[per_unit] * len(variables), linear_vars=variables)


def priced(step_h: float, price: Any, column: Any) -> Any:
    """Sum over positions of step x price input x decision: the only product the compiler takes."""
    return pyo.quicksum(step_h * price[t] * column[t] for t in column)
