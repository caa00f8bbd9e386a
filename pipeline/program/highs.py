"""Thin layer over highspy: every returned status is checked, options are fixed, nothing prints."""

from __future__ import annotations

from typing import Any

import highspy
import numpy as np
from numpy.typing import NDArray

from pipeline.program.linear_program import BoundProgram, Floats

ROW_WISE = 2  # HighsMatrixFormat.kRowwise
MINIMISE = 1
LOWER, BASIC, UPPER, ZERO = range(4)
_STATUS_OF = np.array([highspy.HighsBasisStatus.__members__[name] for name in ("kLower", "kBasic", "kUpper", "kZero", "kNonbasic")])


class SolverError(RuntimeError):
    """HiGHS refused a call: a bug of ours, never a property of the data."""


def check(status: Any, call: str) -> None:
    """Raise when HiGHS reports an error. Warnings are for run(), whose model status says the rest."""
    if status == highspy.HighsStatus.kError:
        raise SolverError(f"HiGHS refused {call}")


def set_option(solver: Any, name: str, value: Any) -> None:
    """Raises SolverError where HiGHS refuses the option."""
    check(solver.setOptionValue(name, value), f"option {name} = {value}")


def new_solver(*, seed: int, threads: int) -> Any:
    """A quiet solver whose answer depends on its input alone."""
    solver = highspy.Highs()
    set_option(solver, "output_flag", False)
    set_option(solver, "threads", threads)
    set_option(solver, "parallel", "off" if threads == 1 else "on")
    set_option(solver, "random_seed", seed)
    return solver


def pass_bound(solver: Any, bound: BoundProgram) -> None:
    """Hand the arrays over in one call."""
    program, matrix = bound.program, bound.program.matrix
    columns, rows = matrix.shape[1], matrix.shape[0]
    head = (
        bound.offset, bound.cost, program.col_lower, program.col_upper, bound.row_lower, bound.row_upper,
        matrix.indptr.astype(np.int32), matrix.indices.astype(np.int32), matrix.data,
    )
    # One overload for LP and MIP: all-zero integrality is an LP.
    status = solver.passModel(columns, rows, matrix.nnz, ROW_WISE, MINIMISE, *head, program.integer.astype(np.int32))
    check(status, "passModel")


def basis_arrays(solver: Any, bound: BoundProgram, x: Floats) -> tuple[NDArray[np.int8], NDArray[np.int8]] | None:
    """Status of columns and rows as small integers (HighsBasisStatus), or None without a valid basis.

    From the list of basic variables and the values of columns and rows: reading HiGHS's own list of statuses takes as long as
    half a warm solve.
    """
    if not solver.getBasis().valid:
        return None
    status, basic = solver.getBasicVariables()
    if status != highspy.HighsStatus.kOk:
        return None
    basic = np.asarray(basic, dtype=np.int64)
    program = bound.program
    columns = _nonbasic(x, program.col_lower, program.col_upper)
    rows = _nonbasic(program.matrix @ x, bound.row_lower, bound.row_upper)
    columns[basic[basic >= 0]] = BASIC
    rows[-1 - basic[basic < 0]] = BASIC
    return columns, rows


def _nonbasic(value: Floats, lower: Floats, upper: Floats) -> NDArray[np.int8]:
    status = np.where(np.abs(value - lower) <= np.abs(upper - value), LOWER, UPPER).astype(np.int8)
    status[np.isinf(lower) & np.isinf(upper)] = ZERO
    return status


def set_basis(solver: Any, basis: tuple[NDArray[np.int8], NDArray[np.int8]]) -> None:
    """Start from `basis`: statuses of columns (n,) and rows (r,), as `solve` returns them."""
    given = highspy.HighsBasis()
    given.col_status = _STATUS_OF[basis[0]].tolist()
    given.row_status = _STATUS_OF[basis[1]].tolist()
    given.valid = True
    given.alien = False
    check(solver.setBasis(given), "setBasis")
