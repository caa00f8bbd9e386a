"""The same two-stage problem through mpi-sppy's extensive form: a peer that builds a Pyomo model per scenario."""

from __future__ import annotations

import sys
import time
from importlib.util import find_spec
from itertools import pairwise
from typing import Any

import numpy as np

from pipeline.bench import Row
from pipeline.bench.two_stage import networked, two_stage
from pipeline.bench.worker import at_most
from pipeline.uncertainty.choose import decide
from pipeline.uncertainty.measure import Expectation
from pipeline.uncertainty.two_stage import TwoStage

SCENARIOS = 3
STEPS = 24


def peer_extensive() -> list[Row]:
    """10 microgrids, 24 steps, 3 scenarios: objective and total time, both from the arrays of the program to the solution."""
    name = "peer_extensive"
    if find_spec("mpisppy") is None:
        return [Row(name, "mpi-sppy is absent: nothing compared; install it with pip install 'feederflow[bench]'", 0.0, "")]
    given = two_stage(networked(10), steps=STEPS, scenarios=SCENARIOS)
    started = time.process_time()
    ours = decide(given, Expectation())
    own_s = time.process_time() - started
    peer_s, objective = _peer(given)
    return [
        at_most(name, "objective against the peer's: relative difference", abs(ours.objective / objective - 1), "", 1e-6),
        at_most(name, "total time over the peer's", own_s / peer_s, "", 1.0),
        Row(name, "total time, feederflow", own_s, "CPU s"), Row(name, "total time, mpi-sppy and HiGHS", peer_s, "CPU s"),
    ]


def _peer(given: TwoStage) -> tuple[float, float]:
    """CPU seconds of build and solve, and the objective."""
    sys.stdout, kept = sys.stderr, sys.stdout  # it greets on the terminal
    try:
        from mpisppy.opt.ef import ExtensiveForm

        started = time.process_time()
        names = [f"scenario{s}" for s in range(len(given.scenarios))]
        form = ExtensiveForm({"solver": "appsi_highs"}, names, scenario_model, scenario_creator_kwargs={"given": given},
                             suppress_warnings=True)
        form.solve_extensive_form(solver_options={"threads": 1})
        return time.process_time() - started, float(form.get_objective_value())
    finally:
        sys.stdout = kept


def scenario_model(name: str, *, given: TwoStage) -> Any:
    """One scenario's arrays as a Pyomo model, as mpi-sppy wants it: cheaper than the devices that they come from."""
    import pyomo.environ as pyo
    from mpisppy.utils import sputils
    from pyomo.core.expr import LinearExpression

    s = int(name.removeprefix("scenario"))
    bound, program = given.program.bind(given.scenarios[s]), given.program
    model, matrix = pyo.ConcreteModel(name), program.matrix
    limits = [(_number(low), _number(high)) for low, high in zip(program.col_lower, program.col_upper, strict=True)]
    model.x = pyo.Var(range(len(limits)), bounds=lambda _, j: limits[j])
    model.rows = pyo.Constraint(range(matrix.shape[0]))
    for row, (start, end) in enumerate(pairwise(matrix.indptr.tolist())):
        columns = [model.x[int(j)] for j in matrix.indices[start:end]]
        body = LinearExpression(constant=0, linear_coefs=matrix.data[start:end].tolist(), linear_vars=columns)
        low, high = _number(bound.row_lower[row]), _number(bound.row_upper[row])
        model.rows[row] = body == low if low is not None and low == high else (low, body, high)
    model.whole_cost = pyo.Objective(expr=LinearExpression(
        constant=bound.offset, linear_coefs=bound.cost.tolist(), linear_vars=list(model.x.values())))
    sputils.attach_root_node(model, 0.0, [model.x[int(j)] for j in given.first_stage])
    model._mpisppy_probability = float(given.weights[s])
    return model


def _number(bound: float) -> float | None:
    return float(bound) if np.isfinite(bound) else None
