"""Timetables that follow the market's clock: before each gate closure, and at the local issue time of the day-ahead schedule.

Airflow imports this file in every one of its processes, so it imports nothing but the standard library and Airflow's own.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pendulum
from airflow.plugins_manager import AirflowPlugin
from airflow.timetables.base import DagRunInfo, DataInterval, TimeRestriction, Timetable


class _MarketTimetable(Timetable):  # type: ignore[misc]  # Airflow ships no types
    """Issues in a strict order; a run's data interval starts at its issue.

    Airflow makes that moment the run's logical date, and holds a run whose logical date lies ahead: an interval that began with the
    delivery would start every re-dispatch after it had begun.
    """

    def issue_from(self, moment: datetime) -> datetime:
        """First issue at or after a moment."""
        raise NotImplementedError

    def end_of(self, issue: datetime) -> datetime:
        """Where the data interval of an issue ends."""
        raise NotImplementedError

    def info(self, issue: datetime) -> DagRunInfo:
        """The run of an issue: fired then, for the interval from then to the end of what it decides."""
        return DagRunInfo(run_after=_pendulum(issue), data_interval=DataInterval(_pendulum(issue), _pendulum(self.end_of(issue))))

    def first_now(self, now: datetime) -> datetime:
        """The issue to start with when missed ones are not caught up."""
        raise NotImplementedError

    def next_dagrun_info(self, *, last_automated_data_interval: DataInterval | None, restriction: TimeRestriction) -> DagRunInfo | None:
        """The next run; None once the DAG's end is passed or where it has no start."""
        candidates = []
        if last_automated_data_interval is not None:
            candidates.append(self.issue_from(last_automated_data_interval.start + timedelta(seconds=1)))
        elif restriction.earliest is not None:
            candidates.append(self.issue_from(restriction.earliest))
        elif restriction.catchup:
            return None
        if not restriction.catchup:
            candidates.append(self.first_now(datetime.now(UTC)))
        issue = max(candidates)
        if restriction.latest is not None and issue > restriction.latest:
            return None
        return self.info(issue)

    def infer_manual_data_interval(self, *, run_after: datetime) -> DataInterval:
        """A run started by hand stands for the next issue."""
        return self.info(self.issue_from(run_after)).data_interval

    @property
    def summary(self) -> str:
        return str(self.description)


class GateClosure(_MarketTimetable):
    """Fires `lead_min` before each delivery interval of `step_min`. The data interval goes from there to the end of the delivery.

    A gate that was missed is not run again: the next interval that has not begun is next, at once where its gate has just closed.
    """

    def __init__(self, lead_min: int = 5, step_min: int = 15) -> None:
        self.lead_min, self.step_min = lead_min, step_min
        self.description = f"{lead_min} min before each delivery interval of {step_min} min"

    def serialize(self) -> dict[str, Any]:
        return {"lead_min": self.lead_min, "step_min": self.step_min}

    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> GateClosure:
        return cls(int(data["lead_min"]), int(data["step_min"]))

    def validate(self) -> None:
        if self.step_min <= 0 or 60 % self.step_min or not 0 <= self.lead_min < 1440:
            raise _invalid(
                f"a gate {self.lead_min} min before each {self.step_min} min: the step must divide the hour, the lead must be 0 to 1439 min"
            )

    @property
    def lead(self) -> timedelta:
        return timedelta(minutes=self.lead_min)

    def issue_from(self, moment: datetime) -> datetime:
        step_s, first = 60 * self.step_min, (moment + self.lead).timestamp()
        return datetime.fromtimestamp(-(-first // step_s) * step_s, UTC) - self.lead

    def first_now(self, now: datetime) -> datetime:
        """That of the next interval that has not begun, be its gate closed just now."""
        return self.issue_from(now - self.lead)

    def end_of(self, issue: datetime) -> datetime:
        return issue + self.lead + timedelta(minutes=self.step_min)


class DayAheadIssue(_MarketTimetable):
    """Fires once a day at a wall-clock time of the market; logical date is that moment, and the delivery day is the next local date.

    A time that the spring change skips fires when the clock has jumped; a time that occurs twice in autumn fires at its first occurrence.
    """

    def __init__(self, time_zone: str = "Europe/Berlin", issue_local: str = "11:00") -> None:
        self.time_zone, self.issue_local = time_zone, issue_local
        self.description = f"daily at {issue_local}, {time_zone}"

    def serialize(self) -> dict[str, Any]:
        return {"time_zone": self.time_zone, "issue_local": self.issue_local}

    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> DayAheadIssue:
        return cls(str(data["time_zone"]), str(data["issue_local"]))

    def validate(self) -> None:
        try:
            ZoneInfo(self.time_zone)
            time.fromisoformat(self.issue_local)
        except (KeyError, ValueError) as error:  # an unknown zone is a KeyError
            raise _invalid(f"daily at {self.issue_local}, {self.time_zone}: {error}") from error

    def issue_from(self, moment: datetime) -> datetime:
        today = self._date_of(moment)
        return next(issue for issue in (self._on(today + timedelta(days=days)) for days in range(3)) if issue >= moment)

    def _date_of(self, moment: datetime) -> date:
        """The local date of a moment. A day is added to dates alone: Airflow's moments are pendulum's, and those fall back to UTC."""
        return datetime.fromtimestamp(moment.timestamp(), ZoneInfo(self.time_zone)).date()

    def _on(self, day: date) -> datetime:
        return datetime.combine(day, time.fromisoformat(self.issue_local), ZoneInfo(self.time_zone)).astimezone(UTC)

    def first_now(self, now: datetime) -> datetime:
        """Today's issue even when it is some hours late: tomorrow still needs its schedule."""
        today = self._on(self._date_of(now))
        return today if today <= now else self.issue_from(now - timedelta(days=1))

    def end_of(self, issue: datetime) -> datetime:
        return issue


def _pendulum(moment: datetime) -> pendulum.DateTime:
    return pendulum.instance(moment.astimezone(UTC), tz="UTC")


def _invalid(message: str) -> Exception:
    from airflow.exceptions import AirflowTimetableInvalid

    error: Exception = AirflowTimetableInvalid(message)
    return error


class MarketClockPlugin(AirflowPlugin):  # type: ignore[misc]  # Airflow ships no types
    name = "market_clock"
    timetables = (GateClosure, DayAheadIssue)
