"""Realised values meet the held dispatch, interval by interval; the state that comes out is where the next step starts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from pipeline.program.linear_program import Floats
from pipeline.schedule.charging import as_met, charged
from pipeline.schedule.close import close_interval
from pipeline.schedule.complete import complete
from pipeline.schedule.desk import Desk
from pipeline.schedule.dispatch import Settled
from pipeline.schedule.findings import Finding
from pipeline.schedule.instructions import Instruction
from pipeline.schedule.outlook import Outlook
from pipeline.schedule.state import State
from pipeline.schedule.turning import turning_range

UNMET_KW = 1e-4

# Per quarter-hour from the day's first on: the words that it was dispatched with. Shorter than the day: the rest had none.
Told = Sequence[Sequence[Instruction]]


@dataclass(frozen=True)
class Reality:
    """What came, for a whole delivery day: (N, I) inputs of each quarter-hour, with the frozen positions.

    rows: as intervals meet it (limits of the devices). judged: the same with the rule of the day's end, as costs see it. came: the
    values, with the vehicles one by one.
    """

    rows: Floats
    judged: Floats
    came: Outlook


def realised_inputs(desk: Desk, realised: Outlook, told: Told = ()) -> Floats:
    """(N, I) inputs of the day's intervals as they came, each under the words that it was dispatched with."""
    starts = desk.starts()
    rows = desk.binder.fill(realised, starts, settling=True)
    spoken = [tuple(words) for words in told]
    for words in dict.fromkeys(words for words in spoken if words):
        at = [k for k, mine in enumerate(spoken) if mine == words]
        rows[at] = desk.binder.fill(realised, starts, overrides=words, settling=True)[at]
    return rows


def reality_of(desk: Desk, realised: Outlook, frozen: Floats, state: State, *, told: Told = ()) -> Reality:
    """Bind the realised values of the whole day (N quarter-hours) once. `state`: any state of the day, for its start."""
    rows = realised_inputs(desk, realised, told)
    rows[:, desk.binder.plan.frozen_entry] = frozen
    return Reality(rows, desk.binder.whole_day(rows, state, frozen), realised)


def settle(desk: Desk, set_points: Floats, state: State, reality: Reality) -> tuple[Settled, State]:
    """Meet interval `state.step`. Returns it as realised and the state in which the next one starts.

    Set-points of stores, generators, units and ties inside are held; sources feed what came less what was curtailed; loads draw
    what came; vehicles are clipped to presence and headroom; heat goes to its store, then to what makes it; the rest passes over each
    network's tie and ends at the case's balancing tie. Load is shed, surplus dumped, and a store kept off the rule of the day's end
    only where nothing else in reach has room for less.
    """
    inputs, judged = (desk.binder.interval(as_met(desk, rows[state.step - 1], reality.came, state), state)
                      for rows in (reality.rows, reality.judged))
    turning = None if desk.roster.chain is None else turning_range(
        desk.roster.stores, desk.roster.ramps, reality.judged[state.step - 1 :], judged, state.values)
    columns, values, unmet = close_interval(desk.roster, set_points, inputs, state.values, step_h=desk.program.step_h, wanted=judged,
                                            turning=turning)
    cohorts = desk.roster.cohorts
    lost = state.lost_kwh + columns[cohorts.unserved]
    columns[cohorts.unserved] = lost + inputs[cohorts.unreachable]
    after = replace(state, step=state.step + 1, values=values, lost_kwh=lost, stored_kwh=charged(desk, columns, reality.came, state))
    return Settled(state.step, columns, inputs, unmet, state), after


@dataclass(frozen=True)
class SettledDay:
    """Intervals first..first+K-1 of a day, settled. costs: (K, terms) at realised prices."""

    first: int
    columns: Floats  # (K, J)
    inputs: Floats  # (K, I) realised, with the rule of the day's end
    costs: Floats
    terms: tuple[str, ...]
    unmet: Floats  # (K,) kW, kWth, m3/h and kvar together that nothing could take
    before: State  # the first interval's

    @property
    def total(self) -> float:
        return float(self.costs.sum())


def settled_day(desk: Desk, settled: Sequence[Settled], reality: Reality) -> SettledDay:
    """Flows, voltages and costs of settled intervals, in one sweep. The first one's state says what was lost before."""
    first = settled[0].step
    judged = _as_followed(desk, reality.judged[first - 1 : first - 1 + len(settled)], settled)
    columns, reactive = complete(desk, np.array([each.columns for each in settled]), judged)
    final = desk.ledger.final
    before = np.zeros((1, len(final)))
    cohorts = desk.roster.cohorts
    unreachable = reality.rows[first - 2, cohorts.unreachable] if first > 1 else np.zeros(len(cohorts.unserved))
    lost = dict(zip(cohorts.unserved.tolist(), settled[0].before.lost_kwh + unreachable, strict=True))
    for i, entry in enumerate(final.tolist()):
        before[0, i] = lost[entry]
    grown = np.diff(np.vstack([before, columns[:, final]]), axis=0)
    costs = desk.ledger.by_term(columns, judged, grown)
    unmet = np.array([each.unmet.sum() for each in settled]) + reactive
    return SettledDay(first, columns, judged, costs, desk.program.terms, unmet, settled[0].before)


def _as_followed(desk: Desk, judged: Floats, settled: Sequence[Settled]) -> Floats:
    """(K, I) with the commitments that units could follow, and the ramps they were let go from."""
    units, ramps = desk.roster.units, desk.roster.ramps
    entries = np.concatenate([*((units.on, units.start, units.stop) if units.decided else ()), ramps.release, ramps.excess_high])
    if entries.size:
        judged = judged.copy()
        judged[:, entries] = [each.inputs[entries] for each in settled]
    return judged


def unbalanced(day: SettledDay, *, stage: Literal["day_ahead", "real_time"]) -> list[Finding]:
    """A finding per interval in which power is left that nothing could take."""
    return [Finding(stage, "warning", "unbalanced", f"step {day.first + k}", f"{day.unmet[k]:.6g} that no device or tie could take, in kW, "
                    "kWth, m3/h and kvar", float(day.unmet[k]), 0.0)
            for k in np.flatnonzero(day.unmet > UNMET_KW)]
