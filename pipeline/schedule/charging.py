"""Vehicles known one by one: what each has stored so far moves its fleet's envelopes, and what a cohort stores is handed out to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from pipeline.physics.vehicles import FleetEnvelopes, Stays, cohort_envelopes, first_interval, handed_out
from pipeline.program.linear_program import Floats, Indices
from pipeline.schedule.desk import Desk
from pipeline.schedule.outlook import Outlook
from pipeline.schedule.state import State


def as_charged(desk: Desk, outlook: Outlook, state: State) -> Outlook:
    """A window in which vehicles that have come want what they still lack: sums forget who of a cohort is full already.

    Energies go on from what their cohort has stored and lost since the start of the day. What can no longer be reached is counted when
    it is settled, so it is none here. Whoever is known by a sum alone keeps off the latest charging by `ev_laxity_share`.
    """
    envelopes = {fleet: _with_laxity(desk, of_sum) for fleet, of_sum in outlook.envelopes.items()}
    for fleet, stays in outlook.stays.items():
        still = cohort_envelopes(stays.left(_stored(stays, state, fleet)))
        so_far = (state.values[_before(desk, fleet)] + state.lost_kwh[_places(desk, fleet)])[:, None]
        later = envelopes[fleet]
        envelopes[fleet] = FleetEnvelopes(
            later.power_high_kw + still.power_high_kw, later.energy_low_kwh + still.energy_low_kwh + so_far,
            later.energy_high_kwh + still.energy_high_kwh + so_far, later.unreachable_kwh)
    return replace(outlook, envelopes=envelopes, stays={})


def _with_laxity(desk: Desk, of_sum: FleetEnvelopes) -> FleetEnvelopes:
    """At the lower envelope of a sum every single vehicle would have to be at its own: a share of the way up leaves room for who is full.

    Vehicles known one by one need none. Nor could they keep any: their envelopes begin anew with each step, and a share of what a
    charger can give would be charged in every one, whatever it costs.
    """
    share, low, high = desk.case.settings.ev_laxity_share, of_sum.energy_low_kwh, of_sum.energy_high_kwh
    return of_sum._replace(energy_low_kwh=low + share * np.maximum(high - low, 0.0))


def as_met(desk: Desk, row: Floats, came: Outlook, state: State) -> Floats:
    """One interval (I,) of the day as its vehicles can meet it, with what they have stored.

    came: the day, with the vehicles that came one by one in `stays` and of those yet unknown the envelopes. Limits of a person stay.
    """
    row, cohorts, k = row.copy(), desk.roster.cohorts, np.array([state.step - 1])
    for fleet, stays in came.stays.items():
        at, now = _places(desk, fleet), _from_now(stays, state, fleet)
        least, most = first_interval(now)
        so_far, rest = state.values[_before(desk, fleet)] + state.lost_kwh[at], came.envelopes[fleet].at(k)
        power = _summed(now, most) / (now.efficiency_share * now.step_h)
        row[cohorts.power_high[at]] = np.minimum(row[cohorts.power_high[at]], power + rest.power_high_kw[:, 0])
        row[cohorts.energy_low[at]] = so_far + _summed(now, least) + rest.energy_low_kwh[:, 0]
        row[cohorts.energy_high[at]] = so_far + _summed(now, most) + rest.energy_high_kwh[:, 0]
    return row


def charged(desk: Desk, columns: Floats, came: Outlook, state: State) -> Mapping[str, Mapping[str, float]]:
    """What every vehicle has stored after the interval, by fleet and session."""
    found = dict(state.stored_kwh)
    for fleet, stays in came.stays.items():
        cohorts, at, now = desk.roster.cohorts, _places(desk, fleet), _from_now(stays, state, fleet)
        given = handed_out(now, columns[cohorts.charge[at]] * cohorts.gain[at])
        before = found.get(fleet, {})
        gained = {now.names[v]: before.get(now.names[v], 0.0) + float(given[v]) for v in np.flatnonzero(given > 0).tolist()}
        found[fleet] = {**before, **gained}
    return found


def _from_now(stays: Stays, state: State, fleet: str) -> Stays:
    return stays.window(state.step - 1, stays.present_h.shape[1] - state.step + 1).left(_stored(stays, state, fleet))


def _stored(stays: Stays, state: State, fleet: str) -> Floats:
    mine = state.stored_kwh.get(fleet, {})
    return np.array([mine.get(name, 0.0) for name in stays.names], dtype=float)


def _summed(stays: Stays, energy_kwh: Floats) -> Floats:
    """(cohorts,) sums over the vehicles of each."""
    return np.bincount(stays.cohort, weights=energy_kwh, minlength=stays.cohorts).astype(float)


def _places(desk: Desk, fleet: str) -> Indices:
    """Where a fleet's cohorts stand among all."""
    return np.flatnonzero([name.partition("[")[0] == fleet for name in desk.binder.cohort_names])


def _before(desk: Desk, fleet: str) -> Indices:
    return np.asarray(desk.roster.cohorts.before[_places(desk, fleet)])
