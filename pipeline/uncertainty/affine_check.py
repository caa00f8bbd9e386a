"""A policy held against deviations: random extreme points of the budgeted set, and the exact worst of every row."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from pipeline.program.linear_program import Floats, LinearProgram
from pipeline.uncertainty.affine_policy import AffinePolicy
from pipeline.uncertainty.deviations import Deviations


@dataclass(frozen=True)
class PolicyCheck:
    """What S deviations did to a policy.

    worst_violation: largest violation of a row or column bound as a share of max(1, |bound|), at `worst_place`. violated_share: of the
    deviations, those with a violation above the tolerance. costs: (S,).
    """

    worst_violation: float
    worst_place: str
    violated_share: float
    costs: Floats


def extreme_points(deviations: Deviations, count: int, *, seed: int = 0) -> Floats:
    """(count, K) random extreme points: per budget group deviations at their ends, in random order, until the budget is used up."""
    random = np.random.default_rng(seed)
    points = np.zeros((count, deviations.count))
    sign = np.where(random.random((count, deviations.count)) < 0.5, -1.0, 1.0)
    width = np.where(sign > 0, deviations.high, -deviations.low)
    other = np.where(sign > 0, -deviations.low, deviations.high)
    sign, width = np.where(width > 0, sign, -sign), np.where(width > 0, width, other)
    order = random.random((count, deviations.count))
    for group, budget in enumerate(deviations.budget):
        mine = np.flatnonzero(deviations.group == group)
        ranked = mine[np.argsort(order[:, mine], axis=1)]
        wide = np.take_along_axis(width, ranked, axis=1)
        used = np.clip(budget - (np.cumsum(wide, axis=1) - wide), 0.0, wide)
        np.put_along_axis(points, ranked, used * np.take_along_axis(sign, ranked, axis=1), axis=1)
    return points


def check_policy(program: LinearProgram, policy: AffinePolicy, deviations: Deviations, points: Floats, *, limits: Floats | None = None,
                 tolerance: float = 1e-6) -> PolicyCheck:
    """Hold a policy against deviations (S, K). limits: as in `counterpart`; the nominal rows are held against the centre."""
    held = program.bind(deviations.centre if limits is None else limits)
    nominal = program.bind(deviations.centre)
    shifts = (program.matrix_by_input @ deviations.directions @ points.T).T
    x = policy.evaluate(points)
    worst = [_violations(program, program.matrix @ policy.nominal, policy.nominal, nominal.row_lower, nominal.row_upper)]
    worst += [_violations(program, program.matrix @ one + shift, one, held.row_lower, held.row_upper)
              for one, shift in zip(x, shifts, strict=True)]
    largest = np.array([each.max(initial=0.0) for each in worst])
    at = int(largest.argmax())
    names = (*program.row_names, *program.column_names)
    missed = float((largest[1:] > tolerance).mean()) if len(x) else 0.0
    costs = x @ nominal.cost + nominal.offset + points @ (program.offset_by_input @ deviations.directions)
    return PolicyCheck(float(largest[at]), names[int(worst[at].argmax())], missed, costs)


def worst_point(deviations: Deviations, gain: Floats) -> Floats:
    """(K,) the deviation of the set that `gain` (K,) values most: greedy by group, which is exact for a budget."""
    up = np.where(gain >= 0, deviations.high, -deviations.low)
    value, sign = np.abs(gain), np.where(gain >= 0, 1.0, -1.0)
    point = np.zeros(gain.size)
    order = np.argsort(-value, kind="stable")
    left = deviations.budget.copy()
    for k in order.tolist():
        if value[k] == 0:
            break
        used = min(up[k], left[deviations.group[k]])
        point[k] = sign[k] * used
        left[deviations.group[k]] -= used
    return point


def worst_points(program: LinearProgram, policy: AffinePolicy, deviations: Deviations) -> Floats:
    """(rows and bounds that move, K): for each side of each row and column that the policy moves, the deviation that strains it most."""
    moved = sp.csr_array(program.matrix @ policy.rule + program.matrix_by_input @ deviations.directions)
    gains = sp.csr_array(sp.vstack([moved, policy.rule], format="csr"))
    rows = np.flatnonzero(np.diff(gains.indptr))
    dense = np.asarray(gains[rows].todense())
    found = np.array([worst_point(deviations, sign * gain) for gain in dense for sign in (1.0, -1.0)]).reshape(-1, deviations.count)
    return np.unique(np.round(found, 12), axis=0)


def _violations(program: LinearProgram, activity: Floats, x: Floats, lower: Floats, upper: Floats) -> Floats:
    """(r + n,) violation of each row and column bound as a share of max(1, |bound|)."""
    value = np.concatenate([activity, x])
    low, high = np.concatenate([lower, program.col_lower]), np.concatenate([upper, program.col_upper])
    found = np.zeros(value.size)
    for bound, sign in ((low, -1.0), (high, 1.0)):
        at = np.flatnonzero(np.isfinite(bound))
        found[at] = np.maximum(found[at], sign * (value[at] - bound[at]) / np.maximum(1.0, np.abs(bound[at])))
    return found
