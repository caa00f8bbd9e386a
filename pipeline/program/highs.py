"""Thin layer over highspy: every returned status is checked, options are fixed, nothing prints."""

from __future__ import annotations

from typing import Any

import highspy
import numpy as np
import scipy.sparse as sp
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


def keep_parallel_columns(solver: Any) -> None:
    """Presolve merges no parallel columns: HiGHS 1.15 reports undoing it on the terminal, although it is told to be quiet."""
    set_option(solver, "presolve_rule_off", 1 << 13)


def pass_bound(solver: Any, bound: BoundProgram) -> None:
    """Hand a bound program over in one call."""
    program = bound.program
    pass_arrays(solver, program.matrix, bound.cost, (program.col_lower, program.col_upper), (bound.row_lower, bound.row_upper),
                offset=bound.offset, integer=program.integer)


def pass_arrays(solver: Any, matrix: sp.csr_array, cost: Floats, columns: tuple[Floats, Floats], rows: tuple[Floats, Floats], *,
                offset: float = 0.0, integer: NDArray[np.bool_] | None = None) -> None:
    """The same for plain arrays: matrix (r, n), cost (n,), lower and upper bounds of columns (n,) and rows (r,)."""
    row_count, count = matrix.shape
    # One overload for LP and MIP: all-zero integrality is an LP.
    whole = np.zeros(count, dtype=np.int32) if integer is None else integer.astype(np.int32)
    status = solver.passModel(count, row_count, matrix.nnz, ROW_WISE, MINIMISE, offset, cost, *columns, *rows,
                              matrix.indptr.astype(np.int32), matrix.indices.astype(np.int32), matrix.data, whole)
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
