"""Affine counterpart of a program: x = x0 + X d, every row for every d of the budgeted set, by the exact dual of each row.

    min c'x0 + max_d (c'X) d   s.t.   a_i'x0 + max_d (a_i'X + b_i) d <= upper_i,   a_i'x0 - max_d -(a_i'X + b_i) d >= lower_i

    max { a'd : low <= d <= high, sum |d| <= budget } = min { budget psi + high'up - low'down : up + psi >= a, down + psi >= -a }

An equality holds for every d: its coefficients vanish. Ben-Tal, Goryashko, Guslitzer, Nemirovski, 2004; budget: Bertsimas, Sim, 2004.
Coefficients that are multiples of one another share one protection, so that a store's rows grow with its steps, not with their square.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from pipeline.program.linear_program import BoundProgram, Floats, Indices, LinearProgram
from pipeline.uncertainty.affine_protection import guarded
from pipeline.uncertainty.affine_roles import Flags, Information, Roles, roles_of
from pipeline.uncertainty.affine_rows import Follow, anticipating, coefficients, follow
from pipeline.uncertainty.deviations import Deviations
from pipeline.uncertainty.refusals import check_certain_prices


@dataclass(frozen=True)
class Counterpart:
    """`bound` has the program's columns first (x0), then V rules, then what protects its rows. cost: (n,) of x0 at the centre."""

    bound: BoundProgram
    cost: Floats
    roles: Roles
    found: Follow
    deviations: Deviations

    def rules(self, x: Floats) -> sp.csr_array:
        """(n, K) coefficients of all columns at a solution of `bound`."""
        roles, start = self.roles, self.found.by_control.shape[0]
        values = x[start : start + roles.pair_control.size]
        own = sp.csr_array((values, (roles.pair_control, roles.pair_deviation)), shape=(roles.controls.size, self.deviations.count))
        own.eliminate_zeros()
        return sp.csr_array(self.found.by_control @ own + self.found.by_deviation)


def active_of(deviations: Deviations) -> Flags:
    """(K,) deviations that can move at all."""
    return np.asarray((deviations.budget[deviations.group] > 0) & ((deviations.high > 0) | (deviations.low < 0)))


def counterpart(program: LinearProgram, deviations: Deviations, *, first_stage: Indices, information: Information,
                limits: Floats | None = None) -> Counterpart:
    """The counterpart as one bound program.

    limits: inputs (m,) whose row bounds hold under deviations, where those of `deviations.centre` are meant for the nominal
    trajectory alone (a store that ends the day where it began). None: the centre's, everywhere.
    """
    _check(program, deviations)
    nominal = program.bind(deviations.centre)
    held = nominal if limits is None else program.bind(limits)
    active = active_of(deviations)
    roles, found = _followed(program, deviations, active, np.asarray(first_stage, dtype=np.int64), information)
    gains = coefficients(program, deviations, roles, found, nominal.cost, active)
    bound = guarded(program, nominal, held, deviations, roles, gains, active)
    return Counterpart(bound, nominal.cost, roles, found, deviations)


def _followed(program: LinearProgram, deviations: Deviations, active: Flags, first_stage: Indices,
              information: Information) -> tuple[Roles, Follow]:
    """Roles and what follows from them, without a column that knows what is yet to come: such a one has a rule of its own."""
    barred = np.zeros(program.matrix.shape[1], dtype=bool)
    while True:
        roles = roles_of(program, deviations, active, first_stage, information, barred=barred)
        found = follow(program, deviations, roles, active)
        early = anticipating(program, deviations, roles, found)
        if not early.size:
            return roles, found
        barred[early] = True


def _check(program: LinearProgram, deviations: Deviations) -> None:
    """Raises InputError where a price is uncertain; ValueError where the set does not hold its own centre."""
    if (deviations.low > 0).any() or (deviations.high < 0).any() or (deviations.budget < 0).any():
        raise ValueError("low <= 0 <= high and budget >= 0: the centre belongs to the set")
    moved = np.unique(sp.coo_array(deviations.directions[:, active_of(deviations)]).coords[0]).astype(np.int64)
    check_certain_prices(program, moved, treatment="an affine rule")
