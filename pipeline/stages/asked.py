"""What is asked for: case, variant, day, method, knowledge, steps. Parsed once, every mistake named."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from pipeline.cases.case import Case
from pipeline.cases.load import list_cases, load_case
from pipeline.cases.settings import Affine, BoxRobust, Cvar, Deterministic, Method, Settings, Stochastic, Wasserstein
from pipeline.core.clock import QUARTER_S, from_epoch, to_epoch
from pipeline.core.errors import InputError, Mistake

METHODS: dict[str, type[Deterministic | Stochastic | Cvar | Wasserstein | BoxRobust | Affine]] = {
    "deterministic": Deterministic, "stochastic": Stochastic, "cvar": Cvar, "wasserstein": Wasserstein, "box_robust": BoxRobust,
    "affine": Affine,
}


def shared_fields(case: Case, kind: str) -> dict[str, Any]:
    """What the case's own method says of the fields that a method of this kind has too."""
    own = case.settings.method
    return {name: getattr(own, name) for name in METHODS[kind].model_fields if name != "kind" and name in own.model_fields_set}


def with_method(case: Case, kind: str) -> Case:
    """The case under another method: what it shares with the case's own (draws, representatives, half-widths) is kept."""
    if kind == case.settings.method.kind:
        return case
    method: Method = METHODS[kind](**shared_fields(case, kind))
    return case.model_copy(update={"settings": case.settings.model_copy(update={"method": method})})


@dataclass(frozen=True)
class Request:
    """A run that somebody asks for. `as_of` in UTC epoch seconds; `steps` inclusive, from 1, None for the whole day."""

    case: str
    date: date
    variant: str | None = None
    method: str | None = None
    as_of: int | None = None
    steps: tuple[int, int] | None = None
    replace: bool = False
    independent: bool = False  # a day of a study: nothing of the day before enters
    catch_up: bool = False  # with the steps before the range that nobody dispatched
    issued: int | None = None  # UTC epoch seconds at which a day-ahead run is issued; None: at its nominal time, see `opening.issue_of`
    treatment: str | None = None  # of a study: run settings as JSON, in place of the case's own; such a run is never published

    def load(self) -> Case:
        """The case, with the method of this request in its settings."""
        case = load_case(self.case, variant=self.variant)
        if self.treatment is not None:
            settings = case.settings.model_dump(mode="json") | json.loads(self.treatment)
            return case.model_copy(update={"settings": Settings.model_validate(settings)})
        return case if self.method is None else with_method(case, self.method)

    def native_method(self) -> str:
        """The variant's own method."""
        return load_case(self.case, variant=self.variant).settings.method.kind

    def published_variant(self, case: Case) -> str:
        """`<variant>~<method>` when the method is not the variant's own."""
        if self.treatment is not None:
            return f"{case.variant}~study"
        return case.variant if case.settings.method.kind == self.native_method() else f"{case.variant}~{case.settings.method.kind}"


def request(parameters: Mapping[str, Any], dag_run: Any = None) -> Request:
    """From a command line or a DAG's configuration. A scheduled DAG run without a date is for the delivery day after its own."""
    mistakes: list[Mistake] = []
    case = load_case(str(parameters["case"]), variant=parameters.get("variant"))
    fired = _fired_at(dag_run)
    following = None if fired is None else _local(fired, case) + timedelta(days=1)
    return _request(parameters, case, following or case.default_date, mistakes)


def next_quarter(parameters: Mapping[str, Any], dag_run: Any = None) -> Request:
    """The same for real time: a scheduled DAG run without a date is for the quarter-hour that starts the case's lead after its issue."""
    mistakes: list[Mistake] = []
    case = load_case(str(parameters["case"]), variant=parameters.get("variant"))
    fired = _fired_at(dag_run)
    if fired is None or parameters.get("date"):
        return _request(parameters, case, case.default_date, mistakes)
    first = delivery_of(to_epoch(fired), case)
    local = _local(from_epoch(first), case)
    day = next(day for day in (case.day(local), case.day(local - timedelta(days=1))) if day.start <= first < day.end)
    step = (first - day.start) // QUARTER_S + 1
    # A gate that was missed leaves a hole, and a step cannot start from a state that nobody has: the next run fills it.
    return replace(_request({**parameters, "steps": f"{step}:{step}"}, case, day.date, mistakes), catch_up=True)


def delivery_of(issued_at: int, case: Case) -> int:
    """Start of the first quarter-hour that can be decided at an issue time with the case's lead; UTC epoch seconds."""
    return -(-(issued_at + 60 * case.settings.real_time_lead_min) // QUARTER_S) * QUARTER_S


def _local(moment: datetime, case: Case) -> date:
    """The local date of a moment. Airflow's are pendulum's: a day added to one of another zone falls back to UTC."""
    return datetime.fromtimestamp(moment.timestamp(), case.day(case.default_date).zone).date()


def _fired_at(dag_run: Any) -> datetime | None:
    """Logical date of a scheduled or backfilled DAG run; a run that a person triggers has no meaning in its own date."""
    if dag_run is None or str(getattr(dag_run.run_type, "value", dag_run.run_type)) not in ("scheduled", "backfill"):
        return None
    fired = dag_run.logical_date or dag_run.run_after
    return fired if isinstance(fired, datetime) else None


def _request(parameters: Mapping[str, Any], case: Case, default: date, mistakes: list[Mistake]) -> Request:
    day = _date(parameters.get("date"), default, mistakes)
    method = parameters.get("method")
    if method is not None and method not in METHODS:
        mistakes.append(Mistake("--method", f"'{method}' is no method", f"take one of {', '.join(METHODS)}"))
    as_of = moment(parameters.get("as_of"), "--as-of", mistakes, zone=case.day(case.default_date).zone)
    issued = int(time.time()) if parameters.get("issued") == "now" else moment(
        parameters.get("issued"), "--issued", mistakes, zone=case.day(case.default_date).zone)
    steps = _steps(parameters.get("steps"), mistakes)
    if mistakes:
        raise InputError(mistakes)
    return Request(
        case=_case_name(str(parameters["case"]), case), date=day, variant=parameters.get("variant"), method=method, as_of=as_of,
        steps=steps, issued=issued,
        replace=bool(parameters.get("replace")),
    )


def _case_name(given: str, case: Case) -> str:
    """The name of a case that is found by name; of one given by its folder, the whole path, which holds in any working folder."""
    return given if given in list_cases() or case.folder is None else str(case.folder.resolve())


def _date(text: str | None, default: date, mistakes: list[Mistake]) -> date:
    if not text:
        return default
    try:
        return date.fromisoformat(text)
    except ValueError:
        mistakes.append(Mistake("--date", f"'{text}' is no date", "write YYYY-MM-DD"))
        return default


def moment(text: str | None, place: str, mistakes: list[Mistake], *, zone: Any = UTC) -> int | None:
    """ISO text to UTC epoch seconds; naive text is read in `zone`."""
    if not text:
        return None
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        mistakes.append(Mistake(place, f"'{text}' is no time", "write it as 2016-06-15T10:00+02:00"))
        return None
    if parsed.tzinfo:
        return to_epoch(parsed)
    local = parsed.replace(tzinfo=zone)
    shown = local.astimezone(UTC).astimezone(zone)
    if shown.replace(tzinfo=None) != parsed:
        mistakes.append(Mistake(place, f"{text} never shows on the clock: it is put forward there",
                                f"write {shown.isoformat(timespec='minutes')}, or the time that is meant"))
        return None
    return to_epoch(local)


def _steps(text: str | None, mistakes: list[Mistake]) -> tuple[int, int] | None:
    if not text:
        return None
    first, _, last = text.partition(":")
    if not (first.isdigit() and (last or first).isdigit()) or not 1 <= int(first) <= int(last or first):
        mistakes.append(Mistake("--steps", f"'{text}' is no range of steps", "write A:B with 1 <= A <= B, both inclusive"))
        return None
    return int(first), int(last or first)
