"""A LinearProgram as text that a person can read: for baselines in tests and for looking into a model."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import scipy.sparse as sp

from pipeline.program.linear_program import LinearProgram
from pipeline.program.names import Names


def lp_text(program: LinearProgram) -> str:
    """Objective by term, rows, bounds and read-outs. Inputs stand in braces: they are numbers once bound."""
    return "\n".join([*_objective(program), "", *_rows(program), "", *_bounds(program), "", *_readouts(program), ""])


def _objective(program: LinearProgram) -> Iterator[str]:
    yield "minimise"
    for number, term in enumerate(program.terms):
        columns = np.flatnonzero(program.column_term == number)
        parts = []
        for column in columns:
            if program.cost[column]:
                parts.append(_term(program.cost[column], program.column_names[column]))
            prices = program.cost_by_input[[int(column)]]
            name = program.column_names[column]
            parts += [_term(c, f"{{{program.input_names[i]}}} {name}") for c, i in zip(prices.data, prices.indices, strict=True)]
        if parts:
            yield f"  {term}:"
            yield from (f"    {part}" for part in parts)
    if program.offset:
        yield f"  constant: {program.offset:.6g}"


def _rows(program: LinearProgram) -> Iterator[str]:
    yield "subject to"
    for row, name in enumerate(program.row_names):
        lower, upper = float(program.row_lower[row]), float(program.row_upper[row])
        body = _sum(program.matrix, program.column_names, row, program.matrix_by_input, program.input_names)
        yield f"  {name}: " + _between(body, lower, upper)


def _bounds(program: LinearProgram) -> Iterator[str]:
    yield "bounds"
    for column, name in enumerate(program.column_names):
        lower, upper = float(program.col_lower[column]), float(program.col_upper[column])
        kind = " integer" if program.integer[column] else ""
        text = _between(name, lower, upper) if np.isfinite(lower) or np.isfinite(upper) else f"{name} free"
        yield f"  {text}{kind}"


def _readouts(program: LinearProgram) -> Iterator[str]:
    yield "read-outs"
    for row, name in enumerate(program.readout_names):
        yield f"  {name} = " + _sum(program.readout, program.column_names, row, program.readout_by_input, program.input_names)


def _sum(matrix: sp.csr_array, names: Names, row: int, by_input: sp.csr_array, input_names: tuple[str, ...]) -> str:
    own, given = matrix[[row]], by_input[[row]]
    parts = [_term(c, names[i]) for c, i in zip(own.data, own.indices, strict=True)]
    parts += [_term(c, f"{{{input_names[i]}}}") for c, i in zip(given.data, given.indices, strict=True)]
    return " ".join(parts).removeprefix("+ ") or "0"


def _term(coefficient: float, name: str) -> str:
    size = abs(float(coefficient))
    return f"{'-' if coefficient < 0 else '+'} {'' if size == 1 else f'{size:.6g} '}{name}"


def _between(body: str, lower: float, upper: float) -> str:
    if lower == upper:
        return f"{body} = {lower:.6g}"
    if not np.isfinite(upper):
        return f"{body} >= {lower:.6g}"
    return (f"{lower:.6g} <= " if np.isfinite(lower) else "") + f"{body} <= {upper:.6g}"
