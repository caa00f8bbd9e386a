"""What our way to a solution costs over HiGHS's own time on the same arrays. CPU seconds; ratios within one run on one machine."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.cases.case import Case
from pipeline.physics.horizon import Horizon
from pipeline.program.cached import compiled
from pipeline.program.highs import new_solver, pass_bound, set_option
from pipeline.program.linear_program import BoundProgram, Floats, LinearProgram
from pipeline.program.solve import LiveSolver, Solution, Status, solve

InputsOf = Callable[[LinearProgram], Floats]


@dataclass(frozen=True)
class Share:
    """CPU seconds of the whole and of HiGHS alone."""

    whole_s: float
    highs_s: float
    objective: float

    @property
    def ratio(self) -> float:
        return self.whole_s / self.highs_s


def first_solve(case: Case, horizon: Horizon, inputs_of: InputsOf) -> Share:
    """Build, compile, bind and solve, against HiGHS alone on the arrays that came out. Pyomo's import is not counted."""
    compiled(case, Horizon(1, horizon.step_h, horizon.rolling), cache_dir=None)  # imports, and code that runs for the first time
    started = time.process_time()
    program = compiled(case, horizon, cache_dir=None)
    bound = program.bind(inputs_of(program))
    found = solve(bound)
    whole_s = time.process_time() - started
    assert found.status is Status.optimal, found.status
    solver = new_solver(seed=0, threads=1)
    set_option(solver, "solver", "simplex")
    started = time.process_time()
    pass_bound(solver, bound)
    solver.run()
    return Share(whole_s, time.process_time() - started, found.objective)


def warm_steps(program: LinearProgram, steps: Sequence[Floats], *, given_basis: bool = True) -> Share:
    """Mean of a real-time step (bind, warm solve, read out), against the time inside HiGHS's run. The first step only warms up."""
    live = LiveSolver(program)
    clock = RunClock(live._solver)
    live._solver = clock
    last = live.solve(steps[0])
    clock.seconds = whole_s = 0.0
    for inputs in steps[1:]:
        started = time.process_time()
        last = _step(live, program, inputs, last, given_basis=given_basis)
        whole_s += time.process_time() - started
    count = max(1, len(steps) - 1)
    return Share(whole_s / count, clock.seconds / count, last.objective)


def _step(live: LiveSolver, program: LinearProgram, inputs: Floats, last: Solution, *, given_basis: bool) -> Solution:
    found = live.solve(inputs, basis=last.basis if given_basis else None)
    assert found.x is not None, found.status
    program.bind(inputs).readouts(found.x)
    return found


def cold_seconds(bound: BoundProgram) -> float:
    """CPU seconds that HiGHS takes on the arrays as they are, from nothing, by dual simplex with presolve."""
    solver = new_solver(seed=0, threads=1)
    set_option(solver, "solver", "simplex")
    pass_bound(solver, bound)
    started = time.process_time()
    solver.run()
    return time.process_time() - started


class RunClock:
    """A solver that adds up the CPU seconds of its runs."""

    def __init__(self, solver: Any) -> None:
        self._solver = solver
        self.seconds = 0.0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._solver, name)

    def run(self) -> Any:
        started = time.process_time()
        status = self._solver.run()
        self.seconds += time.process_time() - started
        return status
