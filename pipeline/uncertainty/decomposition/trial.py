"""From two-stage arrays to what is decomposed: folded, lazy columns eliminated, one scenario tried."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp

from pipeline.program.linear_program import Floats
from pipeline.uncertainty.decomposition.eliminate import ACTIVE_SHARE, Eliminated, eliminate, lazy_classes, recover
from pipeline.uncertainty.decomposition.family import Family, Mask
from pipeline.uncertainty.decomposition.fold import Soft, drop_redundant, fold_bounds, soften
from pipeline.uncertainty.decomposition.one_scenario import OneScenario

SAME_LAW = 1e-3  # laws that differ less share a trial
VIOLATED = 1e-7  # of a bound's size: a pool row beyond it counts as violated


@dataclass(frozen=True)
class Reduced:
    """What is decomposed, and the way back to the columns of the program."""

    family: Family
    lazy: Eliminated
    soft: Soft
    live: OneScenario
    law: Floats  # (S,) of the mean scenario
    trial: Floats  # (n,) its solution
    prices: Floats  # (r,) its duals

    def recover(self, x: Floats) -> Floats:
        """(S, n) columns of the reduced family -> (S, N) of the program."""
        whole = recover(self.lazy, self.soft.recover(x))
        whole[:, self.lazy.columns] = self.lazy.values(x)
        return whole

    def costs(self) -> Floats:
        """(S,) what each scenario costs by itself, to first order around the trial."""
        family, law = self.family, self.law
        rows = _moved(self.prices, family.row_lower, family.row_upper, law)
        reduced = _mean(family.cost, law) - family.matrix.T @ self.prices
        columns = _moved(reduced, family.col_lower, family.col_upper, law)
        return np.asarray(family.offset + family.cost @ self.trial + rows + columns)

    def under(self, law: Floats) -> Reduced:
        """The same with the mean scenario of another law, (S,). Raises TrialFailed."""
        if np.abs(law - self.law).max() <= SAME_LAW:
            return self
        x, dual = _solved(self.live, self.family, law)
        return replace(self, law=law, trial=x, prices=dual)


def reduce_family(family: Family, weights: Floats) -> Reduced:
    """Tried at the weights' mean. Lazy classes that the trial finds lively are put back, and tried again."""
    folded = fold_bounds(family)
    classes = lazy_classes(folded)
    while True:
        left, done = eliminate(folded, classes.mask)
        soft_family, soft = soften(left)
        done = replace(done, others=sp.csr_array(done.others + done.others @ soft.into))
        small = drop_redundant(soft_family)
        live = OneScenario(small.matrix)
        x, dual = _solved(live, small, weights)
        lively = _lively(done, done.mean_values(x, weights), classes.label, classes.count)
        if not lively.any():
            return Reduced(small, done, soft, live, weights, x, dual)
        classes = classes.without(lively)


def _lively(done: Eliminated, value: Floats, label: np.ndarray, count: int) -> Mask:
    """Classes of which more than a few members break their bounds when these are left out."""
    lower, upper = done.lower.max(axis=0), done.upper.min(axis=0)
    broken = (value < lower - VIOLATED * (1 + np.abs(lower))) | (value > upper + VIOLATED * (1 + np.abs(upper)))
    of = label[done.columns]
    number = np.bincount(of, minlength=count)
    return np.asarray(np.bincount(of, weights=broken, minlength=count) > ACTIVE_SHARE * np.maximum(number, 1))


def _solved(live: OneScenario, family: Family, law: Floats) -> tuple[Floats, Floats]:
    """A law's mean scenario: columns and duals."""
    numbers = (family.cost, family.col_lower, family.col_upper, family.row_lower, family.row_upper)
    return live.solve(*(_mean(some, law) for some in numbers))


def _mean(values: Floats, law: Floats) -> Floats:
    """(k,) from (S, k), scenarios without weight left out: their infinities would spoil it."""
    some = law > 0
    return np.asarray(law[some] @ values[some])


def _moved(dual: Floats, lower: Floats, upper: Floats, law: Floats) -> Floats:
    """(S,) worth of the bounds that hold the trial, beyond that of their mean."""
    bound = np.where(dual > 0, lower, upper)
    bound = np.where(np.isfinite(bound), bound, 0.0)
    return np.asarray((bound - law @ bound) @ dual)
