"""Pyomo model -> LinearProgram. With physics, the only place that knows Pyomo.

Rows go through Pyomo's `LinearStandardFormCompiler` once, costs through `generate_standard_repn(quadratic=True)`; columns are
then split into decisions and inputs. A price input times a decision lands in C; any other product is refused.
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
from pyomo.repn.plugins import standard_form
from pyomo.repn.standard_repn import generate_standard_repn

from pipeline.core.errors import InputError, Mistake
from pipeline.physics.block import TERMS, Offer
from pipeline.program.linear_program import Floats, Indices, InputSpec, LinearProgram, Role
from pipeline.program.readouts import compile_readouts


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
        rows = _rows(model, axis, offers)
        cost = _costs(offers, axis)
        readouts = compile_readouts(offers, model._steps, axis.first, (len(axis.column_names), len(axis.input_names)))
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
    known = {id(domain): (domain.bounds(), domain is pyo.Binary or domain is pyo.Integers) for domain in {id(d): d for d in domains}.values()}
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
class _Rows:
    matrix: sp.csr_array
    by_input: sp.csr_array
    lower: Floats
    upper: Floats
    names: tuple[str, ...]


def _rows(model: Any, axis: Axis, offers: dict[str, Offer]) -> _Rows:
    """Rows of Pyomo's mixed form; a range, which it writes as two rows, becomes one again."""
    found = _standard_form(model)
    count = len(found.rows)
    senses = np.fromiter((row.bound_type for row in found.rows), dtype=np.int8, count=count)  # 0 equal, 1 at most, -1 at least
    owners = np.fromiter((id(row.constraint) for row in found.rows), dtype=np.int64, count=count)
    second = np.zeros(count, dtype=bool)
    second[1:] = owners[1:] == owners[:-1]
    keep = np.flatnonzero(~second)
    rhs = np.asarray(found.rhs, dtype=float)
    lower = np.where(senses != 1, rhs, -np.inf)
    upper = np.where(senses != -1, rhs, np.inf)
    lower[np.flatnonzero(second) - 1] = rhs[second]  # Pyomo writes the upper side first
    names = _row_names([found.rows[i].constraint for i in keep.tolist()], offers)

    where = np.fromiter((axis.position[id(v)] for v in found.columns), dtype=np.int64, count=len(found.columns))
    matrix = sp.csr_array(found.A)[keep]
    is_input = where < 0
    a = _placed(matrix[:, np.flatnonzero(~is_input)], where[~is_input], len(axis.column_names))
    b = _placed(matrix[:, np.flatnonzero(is_input)], -1 - where[is_input], len(axis.input_names))
    return _Rows(a, b, lower[keep], upper[keep], names)


def _placed(part: sp.csr_array, columns: Indices, width: int) -> sp.csr_array:
    part = sp.csr_array(part)
    placed = sp.csr_array((part.data, columns[part.indices], part.indptr), shape=(part.shape[0], width))
    placed.sort_indices()
    return placed


def _row_names(constraints: list[Any], offers: dict[str, Offer]) -> tuple[str, ...]:
    names: list[str] = []
    owner, of_owner = None, {}
    for constraint in constraints:  # rows of a component come together
        if constraint._component is not owner:
            owner, of_owner = constraint._component, element_names(constraint.parent_component(), offers)
        names.append(of_owner[constraint._index])
    return tuple(names)


def _standard_form(model: Any) -> Any:
    """Pyomo's compiler, with its sparse classes set beforehand: left alone, it imports scipy.stats to find them (2 s)."""
    implementation = standard_form._LinearStandardFormCompiler_impl
    implementation._to_vector = np.fromiter
    implementation._csc_matrix = sp.csc_array
    implementation._csr_matrix = sp.csr_array
    return standard_form.LinearStandardFormCompiler().write(model, mixed_form=True)


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
                raise _refusal(block, term, "it is not linear in the decisions", axis)
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
                    raise _refusal(block, term, f"it multiplies {one.name} by {other.name}", axis)
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


def _refusal(block: str, where: str, what: str, axis: Axis) -> InputError:
    return InputError(Mistake(
        f"{block}.{where}", what,
        "only a price input times a decision, in the objective, can be compiled; write a coefficient as data, "
        "or a product of decisions as rows with segments or binaries",
    ))
