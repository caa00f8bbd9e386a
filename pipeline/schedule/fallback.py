"""When no program answers: the day-ahead schedule, projected on what the devices can do now."""

from __future__ import annotations

from pipeline.program.linear_program import Floats
from pipeline.schedule.close import close_interval
from pipeline.schedule.desk import Desk
from pipeline.schedule.plan import Held
from pipeline.schedule.state import State


def projected(desk: Desk, held: Held, state: State, inputs: Floats) -> Floats:
    """Columns (J,) of interval `state.step`: held set-points within limits and energies, balanced at the expected inputs (I,)."""
    columns, _, _ = close_interval(desk.roster, plain_set_points(desk, held, state.step), inputs, state.values,
                                   step_h=desk.program.step_h)
    return columns


def plain_set_points(desk: Desk, held: Held, step: int) -> Floats:
    """The day-ahead set-points of a step, without its slacks: what was shed or dumped on average is no instruction."""
    return without_slacks(desk, held.set_points[step - 1])


def without_slacks(desk: Desk, set_points: Floats) -> Floats:
    """Set-points (J,) with nothing shed or dumped."""
    columns: Floats = set_points.copy()
    demands = desk.roster.demands
    for entries in (demands.shed, demands.dump[demands.dump >= 0], desk.roster.heat_demands.shed):
        columns[entries] = 0.0
    return columns
