"""Rows indexed by (place, position) whose formula differs from place to place: one template per place.

Pyomo's templates take numbers as indices, no strings, so buses and branches are numbered from 1 inside a model; the compiler
writes their ids into the names of rows and columns.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pyomo.environ as pyo
from pyomo.core.expr.template_expr import IndexTemplate

from pipeline.physics.block import fill_rows, offer_of


def add_places(block: Any, name: str, ids: Sequence[str]) -> tuple[pyo.RangeSet, dict[str, int]]:
    """A set of numbered places and the number of each id."""
    places = pyo.RangeSet(len(ids))
    block.add_component(name, places)
    offer_of(block).labels[name] = tuple(ids)
    return places, {place: number for number, place in enumerate(ids, start=1)}


def add_law_per_place(block: Any, name: str, places: pyo.RangeSet, steps: pyo.RangeSet, rule: Callable[[int, Any], Any]) -> Any:
    """`rule(place number, t)` gives a relation; it is called once per place with a symbolic t, instead of once per row."""
    rows = pyo.Constraint(places, steps)
    block.add_component(name, rows)
    unused, positions = IndexTemplate(places, 0, 0), range(1, len(steps) + 1)
    for place in range(1, len(places) + 1):
        fill_rows(rows, [(place, t) for t in positions], steps, lambda t, place=place: rule(place, t), leading=(unused,))
    return rows
