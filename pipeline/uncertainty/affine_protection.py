"""Rows of a counterpart: each side of each row guarded by the dual of its largest shift over the budgeted set."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from pipeline.program.linear_program import BoundProgram, Floats, Indices, LinearProgram
from pipeline.uncertainty.affine_roles import Flags, Roles
from pipeline.uncertainty.affine_rows import Coefficients, shift
from pipeline.uncertainty.classes import Classes, classes_of
from pipeline.uncertainty.deviations import Deviations


@dataclass(frozen=True)
class _Uses:
    """Side `sign` (1 upper, -1 lower) of line `line` needs `scale` times protection `of`."""

    line: Indices
    sign: Indices
    of: Indices
    scale: Floats
    keys: Indices  # (P,) protection -> 2 x class of its vector + 1 where it is taken as it stands, + 0 where negated


@dataclass(frozen=True)
class _Duals:
    """cost: (P, duals) the value of each protection; rows: (q, V + duals) @ (rules, duals) >= rhs."""

    cost: sp.csr_array
    rows: sp.csr_array
    rhs: Floats
    names: tuple[str, ...]
    row_names: tuple[str, ...]


def guarded(program: LinearProgram, nominal: BoundProgram, held: BoundProgram, deviations: Deviations, roles: Roles, gains: Coefficients,
            active: Flags) -> BoundProgram:
    """The program over (x0, rules, duals) whose rows hold for every d. `nominal` and `held`: see `counterpart`."""
    lower = np.concatenate([held.row_lower, program.col_lower, [-np.inf]])
    upper = np.concatenate([held.row_upper, program.col_upper, [0.0]])
    equal = np.zeros(lower.size, dtype=bool)
    equal[: program.matrix.shape[0]] = (nominal.row_lower == nominal.row_upper) & (held.row_lower == held.row_upper)
    single = classes_of(gains.terms, signed=True)
    matched = single.members[np.unique(single.of[equal[gains.line]])]
    line, group, vector = _vectors(gains, single, deviations, ~equal[gains.line])
    shared = classes_of(vector, signed=True)
    needed = _needed(program, held, deviations, active, line, lower, upper)
    uses = _uses(line, shared, needed)
    duals = _duals(uses, shared, single, group, deviations, roles, gains)
    return _program(program, nominal, lower, upper, deviations, roles, uses, duals, matched)


def _vectors(gains: Coefficients, single: Classes, deviations: Deviations, kept: Flags) -> tuple[Indices, Indices, sp.csr_array]:
    """Per line and budget group the vector of its coefficients, as multiples of the single classes: lines, groups, (vectors, classes)."""
    groups = max(deviations.budget.size, 1)
    keys, row = np.unique(gains.line[kept] * groups + deviations.group[gains.deviation[kept]], return_inverse=True)
    vector = sp.csr_array((single.scale[kept], (row, single.of[kept])), shape=(keys.size, single.members.shape[0]))
    return keys // groups, keys % groups, vector


def _needed(program: LinearProgram, held: BoundProgram, deviations: Deviations, active: Flags, line: Indices, lower: Floats,
            upper: Floats) -> tuple[Flags, Flags]:
    """Which vectors need a guard above and below: a side that has a bound, and that the columns' own bounds do not imply."""
    rows = program.matrix.shape[0]
    positive, negative = sp.csr_array(program.matrix.maximum(0)), sp.csr_array(program.matrix.minimum(0))
    widest = abs(shift(program, deviations, active)) @ np.maximum(np.abs(deviations.high), np.abs(deviations.low))
    high = _total(positive, program.col_upper) + _total(negative, program.col_lower) + widest
    low = -_total(positive, -program.col_lower) - _total(negative, -program.col_upper) - widest
    implied_above, implied_below = np.zeros(lower.size, dtype=bool), np.zeros(lower.size, dtype=bool)
    implied_above[:rows], implied_below[:rows] = high <= held.row_upper + 1e-9, low >= held.row_lower - 1e-9
    return np.isfinite(upper[line]) & ~implied_above[line], np.isfinite(lower[line]) & ~implied_below[line]


def _total(matrix: sp.csr_array, values: Floats) -> Floats:
    """matrix @ values where a non-zero times an infinite value is +inf (which side of the bound is asked for: the open one)."""
    open_ = np.isinf(values)
    total = matrix @ np.where(open_, 0.0, values)
    touched = abs(matrix) @ open_.astype(float)
    return np.asarray(np.where(touched > 0, np.inf, total))


def _uses(line: Indices, shared: Classes, needed: tuple[Flags, Flags]) -> _Uses:
    parts = []
    for sign, wanted in ((1, needed[0]), (-1, needed[1])):
        at = np.flatnonzero(wanted)
        parts.append((line[at], np.full(at.size, sign), 2 * shared.of[at] + (sign * shared.scale[at] > 0), np.abs(shared.scale[at])))
    lines, signs, wanted_keys, scales = (np.concatenate(each) for each in zip(*parts, strict=True))
    keys, of = np.unique(wanted_keys, return_inverse=True)
    return _Uses(lines, signs, of.ravel(), scales, keys)


def _duals(uses: _Uses, shared: Classes, single: Classes, group: Indices, deviations: Deviations, roles: Roles,
           gains: Coefficients) -> _Duals:
    """min budget psi + bound'weight with weight + psi >= +-coefficient. psi only where the budget can bind."""
    visible, count = roles.pair_control.size, uses.keys.size
    deviation_of = np.zeros(single.members.shape[0], dtype=np.int64)
    deviation_of[single.of] = gains.deviation
    group_of = np.zeros(shared.members.shape[0], dtype=np.int64)
    group_of[shared.of] = group
    chosen = sp.coo_array(shared.members[uses.keys // 2])
    protection, member = chosen.coords[0].astype(np.int64), chosen.coords[1].astype(np.int64)
    factor = chosen.data * np.where(uses.keys % 2 == 1, 1.0, -1.0)[protection]
    which = deviation_of[member]
    width = np.maximum(deviations.high, -deviations.low)[which]
    budget = deviations.budget[group_of[uses.keys // 2]]
    binding = budget < np.bincount(protection, weights=width, minlength=count) - 1e-12
    lone = binding & (np.bincount(protection, minlength=count) == 1)  # one deviation alone: the budget is a bound
    psi_of = np.cumsum(binding & ~lone) - 1
    psi = np.flatnonzero(binding & ~lone)
    rows_p, rows_m, factors, bounds = [], [], [], []
    for direction, bound in ((1.0, deviations.high[which]), (-1.0, -deviations.low[which])):
        at = np.flatnonzero(bound > 0)
        rows_p.append(protection[at])
        rows_m.append(member[at])
        factors.append(direction * factor[at])
        bounds.append(np.where(lone[protection[at]], np.minimum(bound[at], budget[protection[at]]), bound[at]))
    p, m, f, bound = (np.concatenate(each) for each in (rows_p, rows_m, factors, bounds))
    terms = sp.csr_array(sp.diags_array(f) @ single.members[m]) if p.size else sp.csr_array((0, single.members.shape[1]))
    weight = sp.csr_array((np.ones(p.size), (np.arange(p.size), psi.size + np.arange(p.size))), shape=(p.size, psi.size + p.size))
    with_psi = np.flatnonzero(binding[p] & ~lone[p])
    common = sp.csr_array((np.ones(with_psi.size), (with_psi, psi_of[p[with_psi]])), shape=weight.shape)
    value = sp.csr_array((np.concatenate([budget[psi], bound]), (np.concatenate([psi, p]), np.arange(psi.size + p.size))),
                         shape=(count, psi.size + p.size))
    names = [f"guard{g}.budget" for g in psi] + [f"guard{g}.weight[{deviations.names[k]}]" for g, k in
                                                  zip(p.tolist(), deviation_of[m].tolist(), strict=True)]
    rows = sp.csr_array(sp.hstack([-terms[:, :visible], common + weight], format="csr"))
    return _Duals(value, rows, np.asarray(terms[:, visible:].sum(axis=1), dtype=float).ravel(), tuple(names),
                  tuple(f"{name}.covers" for name in names[psi.size :]))


def _program(program: LinearProgram, nominal: BoundProgram, lower: Floats, upper: Floats, deviations: Deviations, roles: Roles,
             uses: _Uses, duals: _Duals, matched: sp.csr_array) -> BoundProgram:
    """Columns: x0, rules, values of protections used more than once, duals."""
    rows, columns = program.matrix.shape
    visible, dual_count = roles.pair_control.size, duals.cost.shape[1]
    often = np.flatnonzero(np.bincount(uses.of, minlength=uses.keys.size) > 1)
    value_of = np.full(uses.keys.size, -1)
    value_of[often] = np.arange(often.size)
    here = np.arange(uses.of.size)
    taken = sp.csr_array((uses.scale, (here, uses.of)), shape=(here.size, uses.keys.size))
    once = sp.diags_array((value_of < 0).astype(float))
    pick = sp.csr_array((np.ones(often.size), (often, np.arange(often.size))), shape=(uses.keys.size, often.size))
    spent = sp.csr_array(sp.hstack([taken @ pick, taken @ once @ duals.cost], format="csr"))  # (uses, often + duals)
    side = uses.line * 2 + (uses.sign > 0)
    priced = uses.line == lower.size - 1
    sides, at = np.unique(side[~priced], return_inverse=True)
    gather = sp.csr_array((np.ones(at.size), (at, np.flatnonzero(~priced))), shape=(sides.size, here.size))
    line, above = sides // 2, sides % 2 == 1
    plain = sp.csr_array(sp.vstack([program.matrix, sp.eye_array(columns), sp.csr_array((1, columns))], format="csr"))[line]
    signs = sp.diags_array(np.where(above, 1.0, -1.0))
    robust = sp.hstack([plain, sp.csr_array((sides.size, visible)), signs @ gather @ spent], format="csr")
    extra = often.size + dual_count
    blocks = [
        sp.hstack([program.matrix, sp.csr_array((rows, visible + extra))], format="csr"), robust,
        sp.hstack([sp.csr_array((matched.shape[0], columns)), matched[:, :visible], sp.csr_array((matched.shape[0], extra))], format="csr"),
        sp.hstack([sp.csr_array((duals.rhs.size, columns)), duals.rows[:, :visible], sp.csr_array((duals.rhs.size, often.size)),
                   duals.rows[:, visible:]], format="csr"),
        sp.hstack([sp.csr_array((often.size, columns + visible)), sp.eye_array(often.size), -duals.cost[often]], format="csr"),
    ]
    zero = -np.asarray(matched[:, visible:].sum(axis=1)).ravel()
    nominal_lower, nominal_upper = _loosened(nominal, lower, upper, line, above)
    row_lower = np.concatenate([nominal_lower, np.where(above, -np.inf, lower[line]), zero, duals.rhs, np.zeros(often.size)])
    row_upper = np.concatenate([nominal_upper, np.where(above, upper[line], np.inf), zero, np.full(duals.rhs.size, np.inf),
                                np.full(often.size, np.inf)])
    names = (*program.row_names, *program.column_names)
    row_names = (*program.row_names, *(f"{names[i]}_robust_{'upper' if up else 'lower'}" for i, up in zip(line, above, strict=True)),
                 *(f"rules.match[{i + 1}]" for i in range(zero.size)), *duals.row_names, *(f"guard{g}.value" for g in often))
    cost = np.concatenate([nominal.cost, np.zeros(visible), np.asarray(spent[priced].sum(axis=0)).ravel()])
    rule_names = [f"{program.column_names[roles.controls[c]]}|{deviations.names[k]}"
                  for c, k in zip(roles.pair_control.tolist(), roles.pair_deviation.tolist(), strict=True)]
    return _bound(program, nominal, cost, sp.csr_array(sp.vstack(blocks, format="csr")), row_lower, row_upper, row_names,
                  (*program.column_names, *rule_names, *(f"guard{g}" for g in often), *duals.names), visible)


def _loosened(nominal: BoundProgram, lower: Floats, upper: Floats, line: Indices, above: Flags) -> tuple[Floats, Floats]:
    """Bounds of the rows of x0, open where a guarded side says the same and more."""
    rows = nominal.row_lower.size
    low, high = nominal.row_lower.copy(), nominal.row_upper.copy()
    below_line, above_line = line[~above & (line < rows)], line[above & (line < rows)]
    low[below_line] = np.where(lower[below_line] >= low[below_line], -np.inf, low[below_line])
    high[above_line] = np.where(upper[above_line] <= high[above_line], np.inf, high[above_line])
    return low, high


def _bound(program: LinearProgram, nominal: BoundProgram, cost: Floats, matrix: sp.csr_array, row_lower: Floats, row_upper: Floats,
           row_names: tuple[str, ...], column_names: tuple[str, ...], visible: int) -> BoundProgram:
    more = len(column_names) - program.matrix.shape[1]
    low = np.concatenate([program.col_lower, np.full(visible, -np.inf), np.zeros(more - visible)])
    whole = LinearProgram(
        cost=cost, cost_by_input=sp.csr_array((cost.size, 0)), offset=nominal.offset, offset_by_input=np.zeros(0),
        matrix=matrix, matrix_by_input=sp.csr_array((matrix.shape[0], 0)), row_lower=row_lower, row_upper=row_upper,
        col_lower=low, col_upper=np.concatenate([program.col_upper, np.full(more, np.inf)]),
        integer=np.concatenate([program.integer, np.zeros(more, dtype=bool)]), row_names=row_names, column_names=column_names,
        input_names=(), column_term=np.concatenate([program.column_term, np.full(more, -1, dtype=np.int16)]), terms=program.terms,
        readout=sp.csr_array((0, cost.size)), readout_by_input=sp.csr_array((0, 0)), readout_offset=np.zeros(0), readout_names=(),
        inputs={}, positions=program.positions, step_h=program.step_h, rolling=program.rolling,
    )
    return BoundProgram(whole, np.zeros(0), cost, nominal.offset, row_lower, row_upper)
