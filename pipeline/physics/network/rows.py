"""Rows indexed by (place, position) whose formula differs from place to place: one template per place."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any
from weakref import ref

import pyomo.environ as pyo
from pyomo.core.base.constraint import TemplateConstraintData
from pyomo.core.expr.template_expr import IndexTemplate, templatize_rule


def add_law_per_place(block: Any, name: str, places: pyo.Set, steps: pyo.RangeSet, rule: Callable[[str, Any], Any]) -> Any:
    """`rule(place, t)` gives a relation; it is called once per place with a symbolic t, instead of once per row."""
    rows = pyo.Constraint(places, steps)
    block.add_component(name, rows)
    component = ref(rows)
    for place in places:
        expression, (step_symbol,) = templatize_rule(block, lambda _, at, place=place: rule(place, at[0]), steps)
        template = (expression, (IndexTemplate(places, 0, 0), step_symbol))
        rows._data.update({(place, t): TemplateConstraintData(template, component, (place, t)) for t in _numbers(steps)})
    return rows


def _numbers(steps: pyo.RangeSet) -> Iterable[int]:
    return range(1, len(steps) + 1)
