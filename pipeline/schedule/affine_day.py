"""A day decided by affine rules: what the run settings say, put to the algebra."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.cases.settings import Affine
from pipeline.program.linear_program import Floats, Indices
from pipeline.program.positions import positions_of
from pipeline.program.solve import SolveOptions
from pipeline.schedule.desk import Desk
from pipeline.schedule.deviations import affine_deviations, column_entities, off_nominal_inputs
from pipeline.schedule.outlook import Outlook
from pipeline.uncertainty.affine import AffineDecision, affine
from pipeline.uncertainty.affine_roles import Information
from pipeline.uncertainty.coordination import coordinate
from pipeline.uncertainty.deviations import Deviations


@dataclass(frozen=True)
class AffineProblem:
    """What affine rules are asked to meet on one day. `limits`: see `uncertainty.affine_counterpart.counterpart`.

    ties: columns of the exchanges between networks; by_cuts: the networks are coordinated over them, each solved apart.
    """

    deviations: Deviations
    limits: Floats
    first_stage: Indices
    information: Information
    ties: Indices
    by_cuts: bool = False


def affine_problem(desk: Desk, outlook: Outlook, inputs: Floats, method: Affine, *, draws: Floats | None = None) -> AffineProblem:
    """inputs: (m,) the bound forecast with the rule of the day's end. draws: (D, S, T), for empirical half-widths."""
    entity = column_entities(desk) if method.information == "own" else None
    asked = desk.program.columns_like(desk.case.settings.first_stage)
    timeless = np.flatnonzero(positions_of(desk.program.column_names) < 0)  # the energy a day starts with: no rule of what comes later
    return AffineProblem(
        deviations=affine_deviations(desk, outlook, inputs, method, draws=draws), limits=off_nominal_inputs(desk, inputs),
        first_stage=np.union1d(asked, timeless), information=Information(method.memory_steps, entity),
        ties=desk.program.columns_like([f"{tie.id}.exchange_*" for tie in desk.case.ties if tie.upper_bus is not None]),
        by_cuts=method.solution == "cuts")


def affine_day(desk: Desk, problem: AffineProblem, options: SolveOptions | None = None) -> AffineDecision:
    """The cheapest policy. Raises InputError (uncertain prices, integer recourse, parts that cuts cannot take apart) and NoDecision."""
    if problem.by_cuts:
        found = coordinate(desk.program, problem.deviations, ties=problem.ties, first_stage=problem.first_stage,
                           information=problem.information, limits=problem.limits, options=options)
        return AffineDecision(found.decision, found.policy)
    return affine(desk.program, problem.deviations, first_stage=problem.first_stage, information=problem.information,
                  limits=problem.limits, options=options)
