"""From two-stage arrays to what is decomposed: folded, lazy columns eliminated, one scenario tried."""

from __future__ import annotations

from dataclasses import dataclass, replace

import highspy
import numpy as np
import scipy.sparse as sp

from pipeline.program.highs import check, new_solver, set_option
from pipeline.program.linear_program import Floats
from pipeline.uncertainty.decomposition.eliminate import ACTIVE_SHARE, Eliminated, eliminate, lazy_classes, recover
from pipeline.uncertainty.decomposition.family import Family, Mask
from pipeline.uncertainty.decomposition.fold import Soft, drop_redundant, fold_bounds, soften

VIOLATED = 1e-7  # of a bound's size: a pool row beyond it counts as violated


@dataclass(frozen=True)
class Reduced:
    """What is decomposed, and the way back to the columns of the program."""

    family: Family
    lazy: Eliminated
    soft: Soft
    trial: Floats  # (n,) solution of the mean scenario
    prices: Floats  # (r,) its duals

    def recover(self, x: Floats) -> Floats:
        """(S, n) columns of the reduced family -> (S, N) of the program."""
        whole = recover(self.lazy, self.soft.recover(x))
        whole[:, self.lazy.columns] = self.lazy.values(x)
        return whole


class TrialFailed(Exception):
    """One scenario alone has no optimum: carries the solver's word."""


def reduce_family(family: Family) -> Reduced:
    """Lazy classes that the trial finds lively are put back, and tried again."""
    folded = fold_bounds(family)
    classes = lazy_classes(folded)
    while True:
        left, done = eliminate(folded, classes.mask)
        soft_family, soft = soften(left)
        done = replace(done, others=sp.csr_array(done.others + done.others @ soft.into))
        small = drop_redundant(soft_family)
        x, dual = _solved(small)
        lively = _lively(done, x, classes.label, classes.count)
        if not lively.any():
            return Reduced(small, done, soft, x, dual)
        classes = classes.without(lively)


def _lively(done: Eliminated, x: Floats, label: np.ndarray, count: int) -> Mask:
    """Classes of which more than a few members break their bounds when these are left out."""
    lower, upper = done.lower.max(axis=0), done.upper.min(axis=0)
    value = done.mean_values(x)
    broken = (value < lower - VIOLATED * (1 + np.abs(lower))) | (value > upper + VIOLATED * (1 + np.abs(upper)))
    of = label[done.columns]
    number = np.bincount(of, minlength=count)
    return np.asarray(np.bincount(of, weights=broken, minlength=count) > ACTIVE_SHARE * np.maximum(number, 1))


def _solved(family: Family) -> tuple[Floats, Floats]:
    """The mean scenario without integrality: columns and duals."""
    solver = new_solver(seed=0, threads=1)
    set_option(solver, "solver", "simplex")
    matrix = family.matrix
    rows, columns = matrix.shape
    status = solver.passModel(
        columns, rows, matrix.nnz, 2, 1, 0.0, family.cost.mean(axis=0), _mean(family.col_lower), _mean(family.col_upper),
        _mean(family.row_lower), _mean(family.row_upper), matrix.indptr.astype(np.int32), matrix.indices.astype(np.int32), matrix.data,
        np.zeros(columns, dtype=np.int32),
    )
    check(status, "passModel")
    check(solver.run(), "run")
    status = solver.getModelStatus()
    if status != highspy.HighsModelStatus.kOptimal:
        raise TrialFailed(f"the mean scenario ended as {solver.modelStatusToString(status)}")
    found = solver.getSolution()
    return np.array(found.col_value), np.array(found.row_dual)


def _mean(values: Floats) -> Floats:
    return np.asarray(values.mean(axis=0))
