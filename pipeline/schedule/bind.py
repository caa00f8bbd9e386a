"""Numbers into a program: a plan made once per (case, program), then a few array assignments per interval."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pipeline.cases.case import Case
from pipeline.core.clock import Instants, local_hour
from pipeline.core.errors import InputError, Mistake
from pipeline.program.linear_program import Floats, Indices, LinearProgram
from pipeline.schedule import instructions as words
from pipeline.schedule.commit import Purpose, commit, let_go
from pipeline.schedule.filling import cohorts_of, cycled_of, filling_of, scalars_of, state_default
from pipeline.schedule.instructions import Instruction
from pipeline.schedule.layout import Layout, layout_of
from pipeline.schedule.outlook import CONNECTION, Outlook
from pipeline.schedule.state import State
from pipeline.schedule.units import ramps_of, units_of


class Binder:
    """Fills the inputs of one program of one case. Holds index arrays only."""

    def __init__(self, case: Case, program: LinearProgram, layout: Layout | None = None) -> None:
        self.case, self.program = case, program
        self.layout = layout_of(program) if layout is None else layout
        self.axis = self.layout.inputs
        self.plan = filling_of(case, program, self.axis)
        self.scalars = scalars_of(program, self.axis)
        self.state_names = tuple(program.input_names[i] for i in self.scalars.state)
        self.frozen_labels = tuple(self.axis.labels[j] for j in self.plan.frozen_entry)
        self._stores = cycled_of(case, self.axis, self.state_names)
        self._cohort_state, self.cohort_names = cohorts_of(self.axis, self.plan, self.state_names)
        self.units = units_of(case, self.layout, self.state_names)
        self.ramps = ramps_of(case, self.layout, self.state_names, program.step_h, self.units)
        self._step_s = round(program.step_h * 3600)

    def fill(self, outlook: Outlook, starts: Instants, *, overrides: Sequence[Instruction] = (), settling: bool = False) -> Floats:
        """Inputs of each interval, shape (K, J), for K = len(starts) intervals of any window or day. No state enters here."""
        plan = self.plan
        rows = self._rows(outlook)
        values = outlook.values
        if values.shape[1] != len(starts):
            raise ValueError(f"outlook of {values.shape[1]} intervals for {len(starts)} starts")
        filled = np.repeat(plan.default[None, :], len(starts), axis=0)
        hours = local_hour(starts, self.case.time_zone)
        found = values[rows[plan.series_row]] * plan.series_factor[:, hours]
        filled[:, plan.series_entry] = np.maximum(found, plan.series_least[:, None]).T
        if plan.price_entry.size:
            price = np.where(plan.price_row[:, None] >= 0, values[rows[plan.price_row]], 0.0)
            filled[:, plan.price_entry] = (plan.price_fixed[:, None] + plan.price_factor[:, None] * price
                                           + plan.price_factor_abs[:, None] * np.abs(price)).T
        if plan.fleets:
            parts = [outlook.vehicles(fleet) for fleet in plan.fleets]
            for which, entry in enumerate(plan.envelope_entry):
                filled[:, entry] = np.concatenate([part[which] for part in parts]).T
        if plan.aggregators:
            counts = np.stack([outlook.connections[name] for name in plan.aggregators])
            filled[:, plan.connection_entry] = counts[plan.connection_row[0], plan.connection_row[1]].T
        if overrides:
            words.apply(self.case, self.axis, filled, starts=starts, step_s=self._step_s,
                        instructions=words.followed(self.case, overrides), settling=settling)
        return filled

    def assemble(self, filled: Floats, state: State, *, active: int | None = None, day_ends: bool = False,
                 frozen: Floats | None = None, reference: Floats | None = None, terminal_price: float = 0.0,
                 reserve: tuple[Indices, Indices, Floats] | None = None, purpose: Purpose = "window") -> Floats:
        """The input vector (m,) of a window that starts in `state`.

        filled: (T, J) of `fill`. active: intervals inside the delivery day, the rest is zeroed. day_ends: the last active
        interval ends the day. frozen: (T, n) in the order of `frozen_labels`. reference: energy at the window's end per store.
        reserve: entries of low and high energies and what to keep above the low ones, (T, n), as far as the high ones let it.
        purpose: what the vector is for, where ramps ask (see commit.py).
        """
        program, plan = self.program, self.plan
        active = program.positions if active is None else active
        filled = filled.copy()
        if frozen is not None:
            filled[:, plan.frozen_entry] = frozen
        self._fit_envelopes(filled, state)
        if day_ends:
            self._end_day(filled[active - 1], state)
        if reserve is not None:
            low, high, kept = reserve
            filled[:, low] = np.minimum(filled[:, low] + kept, np.maximum(filled[:, low], filled[:, high]))
        self._commit(filled[:active], state, purpose)
        if active < program.positions:
            filled[active:, plan.past_entry] = plan.past_value
            for cumulative in plan.envelope_entry[2:]:
                filled[active:, cumulative] = filled[active - 1, cumulative]
            self._stay_connected(filled, active)
        self._reserve_at_end(filled, active)
        inputs = np.zeros(len(program.input_names))
        inputs[self.axis.index] = filled
        inputs[self.scalars.state] = state.values
        if self.scalars.reference.size:
            inputs[self.scalars.reference] = 0.0 if reference is None else reference
            inputs[self.scalars.terminal] = terminal_price
        return inputs

    def interval(self, row: Floats, state: State) -> Floats:
        """One interval (I,) of `fill` as it meets a state: its envelopes hold what is not yet lost, its units follow as they can."""
        fitted = row[None, :].copy()
        self._fit_envelopes(fitted, state)
        self._commit(fitted, state, "interval")
        return np.asarray(fitted[0])

    def whole_day(self, filled: Floats, state: State, frozen: Floats) -> Floats:
        """(N, I) of `fill` over a day, with the frozen positions and the rule of the day's end."""
        filled = filled.copy()
        filled[:, self.plan.frozen_entry] = frozen
        self._end_day(filled[-1], state)
        return filled

    def prices(self, filled: Floats) -> Floats:
        """Market prices among the inputs, (K, n): what the value of stored energy is measured by."""
        market = np.array([self.axis.labels[j].quantity == "price_per_kwh" for j in self.plan.price_entry], dtype=bool)
        plain = market & (self.plan.price_factor != 0) & (self.plan.price_row >= 0)
        return np.asarray(filled[:, self.plan.price_entry[plain]])

    def initial_state(self) -> State:
        """The state before the first interval of a day that starts from the case's own initial values."""
        values = np.array([state_default(self.program, label) for label in self.axis.scalars
                           if self.program.inputs[f"{label.device}.{label.quantity}"].role == "state"])
        return State(step=1, names=self.state_names, values=values, start=values.copy(), lost_names=self.cohort_names,
                     lost_kwh=np.zeros(len(self.cohort_names)))

    def _fit_envelopes(self, filled: Floats, state: State) -> None:
        """Take out what is already lost, and never ask for less than what is already stored."""
        _, low, high, _ = self.plan.envelope_entry
        if not low.size:
            return
        stored = state.values[self._cohort_state]
        filled[:, high] = np.maximum(filled[:, high] - state.lost_kwh, stored)
        filled[:, low] = np.minimum(np.maximum(filled[:, low] - state.lost_kwh, 0.0), filled[:, high])

    def _commit(self, filled: Floats, state: State, purpose: Purpose) -> None:
        """Commitments and ramps as the state lets them be. In place."""
        if not self.units.names and not self.ramps.names:
            return
        on = commit(self.units, filled, state.values, self.program.step_h)
        if self.ramps.names:
            let_go(self.ramps, filled, state.values, state.values[self.units.on_before] > 0.5, on, purpose)

    def _end_day(self, row: Floats, state: State) -> None:
        """The day's last interval: energy equal to, or at least, what the day began with. In place."""
        cycled = self._stores
        if cycled.low.size:
            start = state.start[cycled.state]
            row[cycled.low] = np.maximum(row[cycled.low], start)
            row[cycled.high[cycled.equal]] = start[cycled.equal]

    def _reserve_at_end(self, filled: Floats, active: int) -> None:
        """What vehicles need afterwards is kept at the end of the day, or of the window. In place."""
        entries = [self.axis.one(name, CONNECTION[4]) for name in self.plan.aggregators]
        for entry in entries:
            if entry >= 0:
                filled[: active - 1, entry] = 0.0

    def _stay_connected(self, filled: Floats, active: int) -> None:
        """Past the end of the day vehicles keep what they hold: as many as at its end, all of whose power may fall away. In place."""
        for name in self.plan.aggregators:
            arrivals, departures, connected = (self.axis.one(name, quantity) for quantity in CONNECTION[:3])
            last = filled[active - 1]
            filled[active:, connected] = last[connected] + last[arrivals] - last[departures]
            withdrawn = self.axis.one(name, CONNECTION[3])
            if withdrawn >= 0:
                filled[active:, withdrawn] = last[connected]

    def _rows(self, outlook: Outlook) -> Indices:
        place = {name: row for row, name in enumerate(outlook.series)}
        missing = [name for name in self.plan.series if name not in place]
        missing += [fleet for fleet in self.plan.fleets if fleet not in outlook.envelopes]
        missing += [name for name in self.plan.aggregators if name not in outlook.connections]
        if missing:
            raise InputError([Mistake(f"outlook of case {self.case.name}", f"nothing is known of '{name}'",
                                      "forecast or import it") for name in missing])
        return np.array([place[name] for name in self.plan.series], dtype=np.int64)
