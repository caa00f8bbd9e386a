"""What an evaluation study writes below `studies/<name>/`: never published, so no run id and no partition."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pipeline.core.numbers import told_apart
from pipeline.tables.contract import Column, Table

AGAINST = ("held_out", "realised")
_TREATMENT = (
    Column("treatment", "text", "name in the study's file"),
    Column("parameter", "text", "swept field of the treatment's record; empty where none is", nullable=True),
    Column("parameter_value", "number", "its value", nullable=True),
)
_DAY = Column("delivery_date", "text", "delivery day, YYYY-MM-DD")
_AGAINST = Column("against", "text", "scenarios drawn afresh, or what came", allowed=AGAINST)
_MONEY = "column:currency"
_CURRENCY = Column("currency", "text", "currency")


def _money(name: str, doc: str, *, nullable: bool = False) -> Column:
    return Column(name, "number", doc, unit=_MONEY, nullable=nullable)


EVALUATION = Table(
    name="evaluation",
    doc="Every plan met with every scenario that it was not made for.",
    columns=(
        *_TREATMENT, _DAY, _AGAINST,
        Column("scenario", "text", "number of the held-out scenario, or `realised`"),
        _money("cost", "first stage and best recourse"),
        _money("perfect_cost", "the same scenario with nothing decided before it: no plan is cheaper"),
        _money("penalty_cost", "part of the cost: everything elastic"),
        Column("shed_kwh", "number", "load and heat left unserved", unit="kWh", minimum=0.0),
        Column("unserved_kwh", "number", "energy that vehicles lack", unit="kWh", minimum=0.0),
        Column("other_slack_kwh", "number", "all other slack that is an energy", unit="kWh", minimum=0.0),
        _CURRENCY,
    ),
    key=("treatment", "parameter_value", "delivery_date", "against", "scenario"),
)

SUMMARY = Table(
    name="summary",
    doc="Treatments side by side, with confidence intervals.",
    columns=(
        *_TREATMENT, _AGAINST,
        Column("day_count", "integer", "days planned and met", minimum=1),
        Column("scenario_count", "integer", "scenarios met per day", minimum=1),
        Column("confidence_share", "number", "of every interval", minimum=0.0, maximum=1.0),
        _money("mean_cost", "mean over days and scenarios"),
        _money("mean_low_cost", "lower end of its interval", nullable=True),
        _money("mean_high_cost", "upper end of its interval", nullable=True),
        _money("difference_cost", "mean difference to the reference, scenario by scenario; null without common days", nullable=True),
        _money("difference_low_cost", "lower end of its interval", nullable=True),
        _money("difference_high_cost", "upper end of its interval", nullable=True),
        _money("q95_cost", "95 % quantile over days and scenarios"),
        _money("q95_low_cost", "lower end of its interval; null where there are too few days or scenarios for one", nullable=True),
        _money("q95_high_cost", "upper end of its interval; null where the quantile may lie beyond all that was met", nullable=True),
        _money("worst_cost", "dearest day and scenario"),
        _money("perfect_cost", "mean of the perfect-foresight bound over the same days and scenarios"),
        _money("penalty_cost", "mean of what is elastic"),
        Column("shed_kwh", "number", "mean per day", unit="kWh", minimum=0.0),
        Column("unserved_kwh", "number", "mean per day", unit="kWh", minimum=0.0),
        Column("other_slack_kwh", "number", "mean per day", unit="kWh", minimum=0.0),
        Column("starts_stops_count", "number", "starts and stops per day", minimum=0.0),
        Column("commitment_changes_count", "number", "units times steps per day, on here and off in the reference, or the other way",
               nullable=True, minimum=0.0),
        _money("planned_cost", "mean over days of the expected cost on the scenarios that were planned with"),
        _money("objective_cost", "mean over days of what the treatment minimised"),
        Column("gap_share", "number", "largest proven gap of a day; null where a day has no proven bound", nullable=True, minimum=0.0),
        Column("warning_count", "integer", "warnings of planning and of meeting over all days: rows of `warnings`", minimum=0),
        _CURRENCY,
    ),
    key=("treatment", "parameter_value", "against"),
)

STUDY_BOUNDS = Table(
    name="bounds",
    doc="Best bounds of the treatment's objective after each round, as a run publishes them.",
    columns=(
        *_TREATMENT, _DAY,
        Column("iteration", "integer", "round, from 1", minimum=1),
        _money("lower", "best proven lower bound so far", nullable=True),
        _money("upper", "cost of the best decision so far", nullable=True),
        Column("gap_share", "number", "(upper - lower) / |lower|", nullable=True, minimum=0.0),
        _CURRENCY,
    ),
    key=("treatment", "parameter_value", "delivery_date", "iteration"),
)

TIMINGS = Table(
    name="timings",
    doc="How long deciding took. The only table of a study that is not the same twice.",
    columns=(
        *_TREATMENT, _DAY,
        Column("way", "text", "how the first stage was found"),
        Column("cpu_s", "number", "processor time of deciding the day", minimum=0.0),
        Column("wall_s", "number", "time on the clock", minimum=0.0),
    ),
    key=("treatment", "parameter_value", "delivery_date"),
)

STUDY_WARNINGS = Table(
    name="warnings",
    doc="What was not as asked while planning a day or meeting its scenarios: a time limit, a treatment that fell back to another.",
    columns=(
        *_TREATMENT, _DAY,
        Column("stage", "text", "while planning, or while meeting what it was not made for", allowed=("planned", "met")),
        Column("place", "text", "of the schedule, or the scenario met"),
        Column("message", "text", "what to know"),
    ),
    key=("treatment", "parameter_value", "delivery_date", "stage", "place", "message"),
)

STUDY_TABLES: dict[str, Table] = {table.name: table for table in (EVALUATION, SUMMARY, STUDY_BOUNDS, TIMINGS, STUDY_WARNINGS)}


def name_of(row: Mapping[str, Any]) -> str:
    """What a treatment is called everywhere: `wasserstein radius_share=0.05`."""
    value = row["parameter_value"]
    return str(row["treatment"]) if value is None else f"{row['treatment']} {row['parameter']}={told_apart(value)}"


def same_days(timings: Iterable[Mapping[str, Any]]) -> bool:
    """Whether every treatment has the same days: their means compare."""
    days: dict[str, set[str]] = {}
    for row in timings:
        days.setdefault(name_of(row), set()).add(row["delivery_date"])
    return len(set(map(frozenset, days.values()))) <= 1
