"""MPS export of a bound program, with the names of its rows and columns."""

from __future__ import annotations

from pathlib import Path

from pipeline.program.highs import check, new_solver, pass_bound
from pipeline.program.linear_program import BoundProgram


def write_mps(bound: BoundProgram, path: Path) -> None:
    """Write `path`, whose name must end in .mps: HiGHS chooses the format by it, and its LP format loses these names."""
    path = Path(path)
    if path.suffix != ".mps":
        raise ValueError(f"{path.name}: the name must end in .mps")
    solver = new_solver(seed=0, threads=1)
    pass_bound(solver, bound)
    for index, name in enumerate(bound.program.column_names):
        check(solver.passColName(index, name), f"column name {name}")
    for index, name in enumerate(bound.program.row_names):
        check(solver.passRowName(index, name), f"row name {name}")
    check(solver.writeModel(str(path)), f"writing {path}")
