"""Turn decisions into inputs: day-ahead positions in real time, accepted quantities between levels, integers before prices."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import scipy.sparse as sp

from pipeline.core.errors import InputError, Mistake
from pipeline.program.linear_program import Indices, InputSpec, LinearProgram, component_of


def freeze(program: LinearProgram, columns: Indices) -> LinearProgram:
    """The program in which these columns are inputs, named as before, after the existing inputs, with role `frozen`.

    Their constant cost moves to `offset_by_input`. A frozen column whose cost is an input would be a product of two inputs:
    refused by name, because no linear program can hold it.
    """
    frozen = np.unique(np.asarray(columns, dtype=np.int64))
    count = len(program.column_names)
    if frozen.size and not (frozen[0] >= 0 and frozen[-1] < count):
        raise IndexError(f"columns to freeze lie outside 0..{count - 1}")
    bilinear = np.flatnonzero(np.diff(program.cost_by_input[frozen].indptr))
    if bilinear.size:
        column = int(frozen[bilinear[0]])
        price = program.input_names[int(program.cost_by_input[[column]].indices[0])]
        raise InputError(Mistake(
            program.column_names[column], f"costs {price} times itself, so it cannot become an input as well",
            "leave it out of settings.first_stage: only columns of constant cost can be decided ahead",
        ))
    kept = np.setdiff1d(np.arange(count), frozen)
    names = tuple(program.column_names[i] for i in frozen)
    terms = np.full(len(program.input_names), -1, dtype=np.int16) if program.input_term is None else program.input_term
    specs = {component_of(name): InputSpec(device=name.split(".", 1)[0], quantity=component_of(name).split(".", 1)[-1], role="frozen")
             for name in names}
    return replace(
        program,
        cost=program.cost[kept], cost_by_input=_widened(program.cost_by_input[kept], frozen.size),
        offset_by_input=np.concatenate([program.offset_by_input, program.cost[frozen]]),
        matrix=sp.csr_array(program.matrix[:, kept]), matrix_by_input=_joined(program.matrix_by_input, program.matrix[:, frozen]),
        col_lower=program.col_lower[kept], col_upper=program.col_upper[kept], integer=program.integer[kept],
        column_names=tuple(program.column_names[i] for i in kept), column_term=program.column_term[kept],
        input_names=program.input_names + names,
        readout=sp.csr_array(program.readout[:, kept]), readout_by_input=_joined(program.readout_by_input, program.readout[:, frozen]),
        inputs={**program.inputs, **specs}, input_term=np.concatenate([terms, program.column_term[frozen]]),
    )


def _joined(left: sp.csr_array, right: sp.csr_array) -> sp.csr_array:
    return sp.csr_array(sp.hstack([left, right], format="csr"))


def _widened(matrix: sp.csr_array, more: int) -> sp.csr_array:
    return sp.csr_array((matrix.data, matrix.indices, matrix.indptr), shape=(matrix.shape[0], matrix.shape[1] + more))
