"""Pyomo model -> LinearProgram. With physics, the only place that knows Pyomo.

Rows are compiled in `rows.py`, costs through Pyomo's `generate_standard_repn(quadratic=True)`; columns are split into decisions
and inputs. A price input times a decision lands in C; any other product is refused.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from typing import Any, cast

import numpy as np
import pyomo.environ as pyo
import scipy.sparse as sp
from numpy.typing import NDArray
from pyomo.repn.standard_repn import generate_standard_repn

from pipeline.core.errors import InputError, Mistake
from pipeline.physics.block import TERMS, Offer
from pipeline.program.linear_program import Floats, Indices, InputSpec, LinearProgram, Role
from pipeline.program.readouts import compile_readouts
from pipeline.program.rows import REMEDY, compile_rows
from pipeline.program.templates import Places


@dataclass(frozen=True)
class Axis:
    """Where every Pyomo variable went: decisions 0.., inputs -1, -2, .. (position -1 - input index)."""

    position: dict[int, int]  # id(VarData) -> signed position
    first: dict[int, int]  # id(Var) -> signed position of its first element; the others follow in the order of its index
    variables: list[Any]  # decisions only
    column_names: tuple[str, ...]
    input_names: tuple[str, ...]


def compile_model(model: pyo.ConcreteModel) -> LinearProgram:
    """Arrays with names. Raises InputError where a decision is multiplied by a decision, or by an input outside the objective."""
    with collector_off():
        offers = _offers(model)
        axis = _axes(model, offers)
        places = Places(axis.first)
        shape = (len(axis.column_names), len(axis.input_names))
        rows = compile_rows(model, axis.position, places, lambda component: element_names(component, offers), shape)
        cost = _costs(offers, axis)
        readouts = compile_readouts(offers, model._steps, places, shape)
        lower, upper, integer = _bounds(axis.variables)
    inputs = {
        f"{block}.{name}": InputSpec(device=mark.device, quantity=mark.quantity, role=cast(Role, mark.role), data=mark.data)
        for block, offer in offers.items() for name, mark in offer.inputs.items()
    }
    horizon = model._horizon
    return LinearProgram(
        cost=cost.linear, cost_by_input=cost.by_input, offset=cost.offset, offset_by_input=cost.offset_by_input,
        matrix=rows.matrix, matrix_by_input=rows.by_input, row_lower=rows.lower, row_upper=rows.upper,
        col_lower=lower, col_upper=upper, integer=integer,
        row_names=rows.names, column_names=axis.column_names, input_names=axis.input_names,
        column_term=cost.term, terms=TERMS,
        readout=readouts.matrix, readout_by_input=readouts.by_input, readout_offset=readouts.offset, readout_names=readouts.names,
        inputs=inputs, positions=horizon.positions, step_h=horizon.step_h, rolling=horizon.rolling,
    )


@contextmanager
def collector_off() -> Iterator[None]:
    """No garbage collection: a build makes a million small objects that all live on."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _offers(model: Any) -> dict[str, Offer]:
    return {block.name: block.offer for block in model.component_data_objects(pyo.Block, descend_into=True) if hasattr(block, "offer")}


def element_names(component: Any, offers: dict[str, Offer]) -> dict[Any, str]:
    """`a.b[1,2]` for every index of a component; numbered places get their ids, a scalar keeps its plain name."""
    name = component.name
    if not component.is_indexed():
        return {None: name}
    offer = offers.get(component.parent_block().name)
    subsets = list(component.index_set().subsets())
    labels = [offer.labels.get(subset.local_name) if offer is not None else None for subset in subsets]
    if not any(labels):
        return {index: f"{name}[{','.join(map(str, index)) if index.__class__ is tuple else index}]" for index in component.index_set()}
    texts = [own or tuple(map(str, subset)) for own, subset in zip(labels, subsets, strict=True)]
    return dict(zip(component.index_set(), (f"{name}[{','.join(parts)}]" for parts in product(*texts)), strict=True))


def _axes(model: Any, offers: dict[str, Offer]) -> Axis:
    position: dict[int, int] = {}
    first: dict[int, int] = {}
    variables: list[Any] = []
    column_names: list[str] = []
    input_names: list[str] = []
    for component in model.component_objects(pyo.Var, descend_into=True):
        block, values = component.parent_block(), list(component.values())
        offer = offers.get(block.name)
        names = element_names(component, offers).values()
        if offer is not None and component.local_name in offer.inputs:
            start = len(input_names)
            first[id(component)] = -1 - start
            position.update(zip(map(id, values), range(-1 - start, -1 - start - len(values), -1), strict=True))
            input_names += names
        else:
            start = len(variables)
            first[id(component)] = start
            position.update(zip(map(id, values), range(start, start + len(values)), strict=True))
            variables += values
            column_names += names
    return Axis(position, first, variables, tuple(column_names), tuple(input_names))


def _bounds(variables: list[Any]) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """Bounds of each column, its domain included: read per object, because asking Pyomo 400 000 times is slow."""
    own_low = np.array([v._lb for v in variables], dtype=object)
    own_high = np.array([v._ub for v in variables], dtype=object)
    lower, upper = _numbers(own_low, -np.inf), _numbers(own_high, np.inf)
    integer = np.zeros(len(variables), dtype=bool)
    domains = [v._domain for v in variables]
    known = {key: (domain.bounds(), domain in (pyo.Binary, pyo.Integers)) for key, domain in {id(d): d for d in domains}.items()}
    keys = np.fromiter(map(id, domains), dtype=np.int64, count=len(domains))
    for key, ((low, high), whole) in known.items():
        here = keys == key
        if low is not None:
            lower[here] = np.maximum(lower[here], low)
        if high is not None:
            upper[here] = np.minimum(upper[here], high)
        integer[here] = whole
    return lower, upper, integer


def _numbers(found: NDArray[np.object_], missing: float) -> Floats:
    numbers = np.array(found, dtype=float)  # None becomes NaN
    numbers[np.isnan(numbers)] = missing
    return numbers


@dataclass(frozen=True)
class _Costs:
    linear: Floats
    by_input: sp.csr_array
    offset: float
    offset_by_input: Floats
    term: NDArray[np.int16]


def _costs(offers: dict[str, Offer], axis: Axis) -> _Costs:
    columns, inputs = len(axis.column_names), len(axis.input_names)
    linear, offset_by_input, offset = np.zeros(columns), np.zeros(inputs), 0.0
    term_of = np.full(columns, -1, dtype=np.int16)
    rows: list[int] = []
    cols: list[int] = []
    data: list[float] = []
    position = axis.position
    for block, offer in offers.items():
        for term, expression in offer.costs:
            found = generate_standard_repn(expression, quadratic=True, compute_values=True)
            if found.nonlinear_expr is not None:
                raise _refusal(block, term, "it is not linear in the decisions")
            offset += float(found.constant)
            at = np.fromiter((position[id(v)] for v in found.linear_vars), dtype=np.int64, count=len(found.linear_vars))
            rates = np.asarray(found.linear_coefs, dtype=float)
            decision = at >= 0
            np.add.at(linear, at[decision], rates[decision])
            np.add.at(offset_by_input, -1 - at[~decision], rates[~decision])
            touched = [at[decision]]
            for coefficient, (one, other) in zip(found.quadratic_coefs, found.quadratic_vars, strict=True):
                p, q = position[id(one)], position[id(other)]
                if (p < 0) == (q < 0):
                    raise _refusal(block, term, f"it multiplies {one.name} by {other.name}")
                rows.append(max(p, q))
                cols.append(-1 - min(p, q))
                data.append(float(coefficient))
            touched.append(np.array(rows[len(rows) - len(found.quadratic_vars):], dtype=np.int64))
            _assign_term(term_of, np.concatenate(touched), TERMS.index(term), axis)
    by_input = sp.csr_array((data, (rows, cols)), shape=(columns, inputs))
    by_input.sum_duplicates()
    return _Costs(linear, by_input, offset, offset_by_input, term_of)


def _assign_term(term_of: NDArray[np.int16], columns: Indices, term: int, axis: Axis) -> None:
    clash = columns[(term_of[columns] >= 0) & (term_of[columns] != term)]
    if clash.size:
        first = int(clash[0])
        raise InputError(Mistake(axis.column_names[first], f"costs in {TERMS[term_of[first]]} and in {TERMS[term]}",
                                 "give each its own column: a column costs in one term"))
    term_of[columns] = term


def _refusal(block: str, where: str, what: str) -> InputError:
    return InputError(Mistake(f"{block}.{where}", what, REMEDY))
