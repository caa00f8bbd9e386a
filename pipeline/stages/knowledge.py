"""What was known: observations, vehicle sessions and overrides as of one moment, with the hash of the rows actually read."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from pipeline.cases.case import Case
from pipeline.core.clock import DeliveryDay
from pipeline.core.ids import canonical_json, digest
from pipeline.equipment import EvFleet
from pipeline.stages.home import Home
from pipeline.store.measured import MeasuredState
from pipeline.store.observations import Observations
from pipeline.store.overrides import Override, in_force
from pipeline.store.sessions import NEVER, Sessions

SESSION_DAYS = 17  # 14 past delivery days, and the days on either side that reach into them


@dataclass(frozen=True)
class Knowledge:
    """Everything read for one run: all versions and all words, so that an earlier moment can still be asked for."""

    history: Observations
    session_versions: Sessions
    words: tuple[Override, ...]
    measured: tuple[MeasuredState, ...] = ()  # every version, of the day and of the one before
    given: Observations | None = None  # forecasts of others, where the case has any

    @cached_property
    def sessions(self) -> Sessions:
        """The latest version of every session."""
        return self.session_versions.latest()

    @cached_property
    def overrides(self) -> tuple[Override, ...]:
        """What is in force in the end."""
        return tuple(in_force(self.words))

    @property
    def digest(self) -> str:
        # Author and reason of an override are read by people, not by the run.
        words = [[o.target, o.quantity, o.value, o.valid_from, o.valid_to, o.known_at, o.withdrawn] for o in self.words]
        states = [[m.device, m.quantity, m.measured_at, m.value, m.known_at, m.withdrawn] for m in self.measured]
        given = () if self.given is None else (self.given.digest(),)
        return digest(self.history.digest(), self.session_versions.digest(), canonical_json(words), canonical_json(states), *given)

    @property
    def newest_known_at(self) -> int:
        """When the last of these words was said; 0 when there is none."""
        told = [one.known_at for one in self.words] + [one.known_at for one in self.measured]
        given = () if self.given is None else (self.given.known_at,)
        ended = self.session_versions.superseded_at  # by a word that may lie outside of what is read, or by a withdrawal
        spoken = (self.history.known_at, self.session_versions.known_at, ended[ended != NEVER], np.array(told, dtype=np.int64), *given)
        return max(int(moments.max(initial=0)) for moments in spoken)

    def dearest_price_per_kwh(self, case: Case) -> float:
        """The largest size of a price that was read, currency per kWh; 0 without any. It was read as of the issue, so it was known."""
        kinds = {series.id: series.kind for series in case.series}
        prices = np.array([kinds.get(name) == "price" for name in self.history.series], dtype=bool)
        read = self.history.value[prices[self.history.series_index]]
        return float(np.abs(read[np.isfinite(read)]).max(initial=0.0))

    def overrides_known_at(self, moment: int) -> tuple[Override, ...]:
        """What was in force then: a word that was withdrawn later still bound."""
        return tuple(in_force(one for one in self.words if one.known_at <= moment))


def read_knowledge(home: Home, case: Case, *, day: DeliveryDay, start: int, as_of: int, measured: bool = True) -> Knowledge:
    """Rows of [start, end of day) known at `as_of`; of sessions and overrides, those that touch the days in question.

    measured: with the measured states of the day and of the one before; a day of a study begins without them.
    """
    names = tuple(series.id for series in case.series)
    fleets = tuple(device.id for device in case.devices if isinstance(device, EvFleet))
    warehouse = home.warehouse
    others = tuple(one.id for one in case.given_forecasts)
    return Knowledge(
        history=warehouse.observations(case.name, names, start, day.end, as_of),
        session_versions=warehouse.sessions(case.name, fleets, day.shifted(-SESSION_DAYS).start, day.end, as_of, versions=True,
                                            past_before=day.shifted(-1).start),
        words=tuple(warehouse.words(case.name, day.start, day.end, as_of)),
        measured=tuple(warehouse.measured_states(case.name, day.shifted(-1).start, day.end, as_of)) if measured else (),
        given=warehouse.observations(case.name, others, start, day.end, as_of) if others else None,
    )


