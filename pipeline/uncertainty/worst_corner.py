"""The worst deviation inside a budgeted set, at a given first stage.

max over d of min over y is, by duality of the recourse, a maximum over d and prices together in which only products d_k v_k are not
linear, v_k = what one unit of d_k is worth. A convex cost is largest at an extreme point of the set: every d_k at a limit, but
at most one per group at the broken part of its budget. So d_k picks one of few values by binaries, and each product is McCormick's:
exact where v_k lies inside its interval, which follows from the bounds on prices (`dual_bounds`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp

from pipeline.program.linear_program import BoundProgram, Floats, Indices, LinearProgram
from pipeline.program.solve import SolveOptions, solve
from pipeline.uncertainty.deviations import Deviations
from pipeline.uncertainty.dual_bounds import DualBound, family_of
from pipeline.uncertainty.plain import plain_program

WHOLE = 1e-9  # a budget this near a whole number is one


@dataclass(frozen=True)
class Choices:
    """Values that a deviation may take at an extreme point: `value[c]` for deviation `deviation[c]`. (C,)

    broken[c]: the value is the broken part of its group's budget, which one deviation of a group may take.
    """

    deviation: Indices
    value: Floats
    broken: np.ndarray


@dataclass(frozen=True)
class Corner:
    """A deviation (K,), a proven upper limit of the cost over the set, and the prices (r,) at which it was found."""

    deviation: Floats
    bound: float
    prices: Floats


def choices_of(deviations: Deviations) -> Choices:
    """What an extreme point may hold; deviations that move nothing stay 0. Raises ValueError unless low is -1 or 0 and high 0 or 1."""
    if not (np.isin(deviations.low, (-1.0, 0.0)).all() and np.isin(deviations.high, (0.0, 1.0)).all()):
        raise ValueError("deviations are normalised: low -1 or 0, high 0 or 1")
    sizes = np.bincount(deviations.group, minlength=deviations.budget.size)
    budget = np.minimum(deviations.budget, sizes)
    part = np.where(np.abs(budget - np.round(budget)) <= WHOLE, 0.0, budget - np.floor(budget))
    moving = np.asarray(abs(deviations.directions).sum(axis=0)).ravel() > 0
    found: list[tuple[int, float, bool]] = []
    for k, group in enumerate(deviations.group):
        if not moving[k]:
            continue
        for limit in (deviations.high[k], deviations.low[k]):
            if limit and budget[group] >= 1 - WHOLE:
                found.append((k, float(limit), False))
            if limit and part[group]:
                found.append((k, float(limit * part[group]), True))
    place, value, broken = zip(*found, strict=True) if found else ((), (), ())
    return Choices(np.array(place, dtype=np.int64), np.array(value, dtype=float), np.array(broken, dtype=bool))


def greedy(deviations: Deviations, choices: Choices, worth: Floats) -> Floats:
    """(K,) the extreme point that gains most at worths (K,) of the deviations: the dearest of each group first."""
    found, gain = np.zeros(deviations.count), np.sign(choices.value) * worth[choices.deviation]  # per unit of budget
    whole = np.floor(np.minimum(deviations.budget, choices.deviation.size) + WHOLE)
    parts = np.ones(deviations.budget.size)
    # Whole before broken at the same gain: the broken part goes to the next dearest once the whole ones are spent.
    for c in np.lexsort((choices.broken, -gain)):
        k = choices.deviation[c]
        left = parts if choices.broken[c] else whole
        group = deviations.group[k]
        if gain[c] <= 0 or found[k] or left[group] < 1:
            continue
        found[k] = choices.value[c]
        left[group] -= 1
    return found


def search_corner(recourse: BoundProgram, slope: sp.csr_array, constant: Floats, deviations: Deviations, *, choices: Choices,
                  bounds: tuple[DualBound, ...], intervals: tuple[Floats, Floats], options: SolveOptions, relaxed: bool = False,
                  ) -> Corner | None:
    """The worst deviation of a recourse program (first stage in it), or only a limit of its cost (`relaxed`: no binaries).

    slope: (r, K) by which row bounds fall per unit of deviation; constant: (K,) cost per unit. choices: at least one.
    None where time ran out with nothing.
    """
    dual = _Dual.of(recourse, slope, bounds, intervals)
    program, offset = _bilinear(dual, recourse, slope, constant, deviations, choices)
    if relaxed:
        program = replace(program, integer=np.zeros(program.integer.size, dtype=bool))
    bound = BoundProgram(program, np.zeros(0), program.cost, offset, program.row_lower, program.row_upper)
    solution = solve(bound, replace(options, merge_parallel=False))
    if solution.x is None:
        return None
    deviation, picked = np.zeros(deviations.count), solution.x[dual.width: dual.width + choices.value.size]
    np.add.at(deviation, choices.deviation, choices.value * (picked if relaxed else np.round(picked)))
    return Corner(deviation, -solution.bound, dual.prices(solution.x))


@dataclass(frozen=True)
class _Dual:
    """The recourse's dual: columns are prices of finite row sides and reduced costs of finite column sides; rows are A'y + r = c."""

    cost: Floats  # (width,) of the maximum, negated
    matrix: sp.csr_array  # (n, width)
    lower: Floats
    upper: Floats
    to_price: sp.csr_array  # (r, width)

    @property
    def width(self) -> int:
        return int(self.cost.size)

    def prices(self, x: Floats) -> Floats:
        return np.asarray(self.to_price @ x[: self.width])

    @staticmethod
    def of(recourse: BoundProgram, slope: sp.csr_array, bounds: tuple[DualBound, ...], intervals: tuple[Floats, Floats]) -> _Dual:
        program, (rows, columns) = recourse.program, recourse.program.matrix.shape
        low, high = _price_limits(program, slope, bounds, intervals)
        equal = recourse.row_lower == recourse.row_upper
        above = np.flatnonzero(np.isfinite(recourse.row_lower))  # an equality has one free price
        below = np.flatnonzero(np.isfinite(recourse.row_upper) & ~equal)
        floor, ceiling = np.flatnonzero(np.isfinite(program.col_lower)), np.flatnonzero(np.isfinite(program.col_upper))
        split = np.concatenate([above, below])
        sign = np.concatenate([np.ones(above.size), -np.ones(below.size)])
        width = split.size + floor.size + ceiling.size
        to_price = sp.csr_array((sign, (split, np.arange(split.size))), shape=(rows, width))
        place = (np.concatenate([floor, ceiling]), np.arange(split.size, width))
        sides = sp.csr_array((np.repeat([1.0, -1.0], [floor.size, ceiling.size]), place), shape=(columns, width))
        gain = np.concatenate([recourse.row_lower[above], -recourse.row_upper[below],
                               program.col_lower[floor], -program.col_upper[ceiling]])
        lower, upper = np.zeros(width), np.full(width, np.inf)
        lower[: above.size] = np.where(equal[above], low[above], np.maximum(low[above], 0.0))
        upper[: above.size] = high[above]
        lower[above.size: split.size], upper[above.size: split.size] = np.maximum(-high[below], 0.0), -low[below]
        two = np.isin(split, np.intersect1d(above, below))  # the two sides of a range: their difference is the price
        lower[: split.size][two] = 0.0
        upper[: split.size][two] = np.maximum(np.abs(low), np.abs(high))[split[two]]
        return _Dual(-gain, sp.csr_array(program.matrix.T @ to_price + sides), lower, upper, to_price)


def _price_limits(program: LinearProgram, slope: sp.csr_array, bounds: tuple[DualBound, ...], intervals: tuple[Floats, Floats],
                  ) -> tuple[Floats, Floats]:
    """Interval of every row's price: what is provable; on rows that deviations move, also the bound of their family."""
    low, high = intervals[0].copy(), intervals[1].copy()
    limit = {bound.family: bound for bound in bounds}
    for row in np.flatnonzero(np.diff(slope.indptr)):
        bound = limit[family_of(program.row_names[row])]
        low[row], high[row] = min(max(low[row], bound.low), high[row]), max(min(high[row], bound.high), low[row])
    return low, high


def _bilinear(dual: _Dual, recourse: BoundProgram, slope: sp.csr_array, constant: Floats, deviations: Deviations, choices: Choices,
              ) -> tuple[LinearProgram, float]:
    """Columns: dual, one binary per choice, one product per choice. Rows: dual, McCormick above (two), one choice, budgets."""
    count, n = choices.value.size, dual.matrix.shape[0]
    worth = sp.csr_array(-(slope.T @ dual.to_price))[choices.deviation]  # v of each choice's deviation, (C, width)
    worth = sp.csr_array(sp.diags_array(np.sign(choices.value)) @ worth)
    least, most = _interval(worth, dual)
    one = sp.csr_array(sp.eye_array(count))
    blank = sp.csr_array((n, count))
    budget, room = _budget_rows(deviations, choices)
    # product <= most x binary;  product <= v - least x (1 - binary): the maximum needs no side from below.
    rows = sp.csr_array(sp.vstack([
        sp.hstack([dual.matrix, blank, blank]),
        sp.hstack([sp.csr_array((count, dual.width)), sp.csr_array(-sp.diags_array(most)), one]),
        sp.hstack([-worth, sp.csr_array(-sp.diags_array(least)), one]),
        sp.hstack([sp.csr_array((budget.shape[0], dual.width)), budget, sp.csr_array((budget.shape[0], count))]),
    ], format="csr"))
    cost = recourse.cost
    upper = np.concatenate([cost, np.zeros(count), -least, room])
    lower = np.concatenate([cost, np.full(2 * count + room.size, -np.inf)])
    # The first term: the constant cost of a deviation; the second: the product, in units of |value|.
    objective = np.concatenate([dual.cost, -choices.value * constant[choices.deviation], -np.abs(choices.value)])
    program = plain_program(
        objective, rows, row_lower=lower, row_upper=upper,
        col_lower=np.concatenate([dual.lower, np.zeros(count), np.minimum(least, 0.0)]),
        col_upper=np.concatenate([dual.upper, np.ones(count), np.maximum(most, 0.0)]),
        integer=np.concatenate([np.zeros(dual.width, dtype=bool), np.ones(count, dtype=bool), np.zeros(count, dtype=bool)]))
    return program, -recourse.offset


def _interval(worth: sp.csr_array, dual: _Dual) -> tuple[Floats, Floats]:
    """Least and most of worth @ dual columns over the columns' bounds. Rows of one price with both sides are finite by their families."""
    positive, negative = worth.maximum(0), worth.minimum(0)
    with np.errstate(invalid="ignore"):
        upper, lower = np.nan_to_num(dual.upper, posinf=0.0), np.nan_to_num(dual.lower, neginf=0.0)
    return np.asarray(positive @ lower + negative @ upper), np.asarray(positive @ upper + negative @ lower)


def _budget_rows(deviations: Deviations, choices: Choices) -> tuple[sp.csr_array, Floats]:
    """One value per deviation; per group, whole ones up to the whole part of its budget and one broken part."""
    count, groups = choices.value.size, deviations.budget.size
    group = deviations.group[choices.deviation]
    every = np.arange(count)
    single = sp.csr_array((np.ones(count), (choices.deviation, every)), shape=(deviations.count, count))
    whole = sp.csr_array((~choices.broken * 1.0, (group, every)), shape=(groups, count))
    part = sp.csr_array((choices.broken * 1.0, (group, every)), shape=(groups, count))
    rows = sp.csr_array(sp.vstack([single, whole, part], format="csr"))
    room = np.concatenate([np.ones(deviations.count), np.floor(deviations.budget + WHOLE), np.ones(groups)])
    useful = np.asarray(rows.sum(axis=1)) > room
    return sp.csr_array(rows[useful]), room[useful]
