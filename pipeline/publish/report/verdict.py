"""The answer a person needs first: was the day good, what did it cost, what is the worst that was found, how fresh are the data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import pyarrow.compute as pc

from pipeline.core.clock import DeliveryDay, from_epoch
from pipeline.publish.ranking import worst_first
from pipeline.publish.report.axis import zone_name_of
from pipeline.publish.report.frames import DayTables, instants, records
from pipeline.publish.report.money import WORDS, costs, kpis, total, yardsticks

Grade = Literal["good", "degraded", "failed"]


@dataclass(frozen=True)
class RunInfo:
    """What the page says about the runs; all of it optional, nothing of it from a wall clock."""

    status: Grade | None = None  # None: read off the findings
    failure: str = ""  # words of the gate or of the missing schedule, when a run failed
    method: str = ""
    issued_at: int | None = None  # of the day-ahead run, UTC epoch seconds
    as_of: int | None = None  # nothing known later was read
    newest_observation: int | None = None  # newest instant known when the last run was issued
    last_issue: int | None = None  # issue time of the last run
    overrides: Sequence[dict[str, Any]] | None = None  # target, quantity, value, valid_from, valid_to, author, reason; None: not told


@dataclass(frozen=True)
class Card:
    """One number of the top of the page, with its unit and what it means."""

    title: str
    value: str
    note: str
    tone: Grade | Literal["plain"] = "plain"


@dataclass(frozen=True)
class Verdict:
    """Whether the day was good, in one headline and a few cards."""

    grade: Grade
    headline: str
    words: str
    cards: tuple[Card, ...]


def findings_of(day: DayTables) -> list[dict[str, Any]]:
    """Findings, worst first."""
    return worst_first(records(day.table("findings")))


def judge(day: DayTables, info: RunInfo) -> Verdict:
    """Grade and words. Failed: a run says so, or there is no schedule. Degraded: a run says so, or a warning was found."""
    findings = findings_of(day)
    warnings = [row for row in findings if row["severity"] == "warning"]
    scheduled = day.table("schedule").num_rows > 0
    grade: Grade = "failed" if info.status == "failed" or not scheduled else "degraded" if warnings or info.status == "degraded" else "good"
    headline = {"good": "Provisional" if unfinished(day) else "Good", "degraded": "Degraded", "failed": "Failed"}[grade]
    shown: Grade = "degraded" if headline == "Provisional" else grade
    return Verdict(shown, headline, _words(day, info, grade, warnings), _cards(day, info, findings, warnings))


def unsettled_count(day: DayTables) -> int:
    """Quarter-hours that were settled with forecasts, as the last run says."""
    found = [row["value"] for row in records(day.table("kpis")) if (row["stage"], row["kpi"]) == ("real_time", "unsettled_intervals")]
    return int(found[0]) if found else 0


def unfinished(day: DayTables) -> str:
    """What of a day in real time is still to come, in words; empty where all of it is dispatched and settled, or it has not begun."""
    steps, done, unsettled = len(day.quarters), day.dispatched_steps, unsettled_count(day)
    said = [f"{unsettled} of {steps} quarter-hours are not settled, so the cost is provisional"] if unsettled else []
    if 0 < done < steps:
        said.append(f"{steps - done} of {steps} quarter-hours are not re-dispatched")
    return " and ".join(said)


def _words(day: DayTables, info: RunInfo, grade: Grade, warnings: list[dict[str, Any]]) -> str:
    steps, done = len(day.quarters), day.dispatched_steps
    progress = f"all {steps} quarter-hours dispatched" if done == steps else f"{done} of {steps} quarter-hours dispatched so far"
    if grade == "failed":
        return info.failure or "There is no published schedule for this day."
    if not done:
        progress = "day-ahead schedule published, real time has not begun"
    if (open_ := unfinished(day)):
        progress = f"{open_}; {progress}"
    if grade == "good":
        return f"{_capital(progress)}; nothing {'else ' if open_ else ''}needs your attention."
    many = counted(len(warnings), "warning") if warnings else "a run was flagged"
    return f"{_capital(progress)}, with {many}. The schedule is published and usable; read the findings before relying on it."


def counted(count: int, thing: str) -> str:
    """`1 warning`, `2 warnings`."""
    return f"{count} {thing}{'' if count == 1 else 's'}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _cards(day: DayTables, info: RunInfo, findings: list[dict[str, Any]], warnings: list[dict[str, Any]]) -> tuple[Card, ...]:
    return (_cost_card(day), *_yardstick_cards(day), _finding_card(findings, warnings), _fresh_card(day, info), _run_card(day, info))


def _cost_card(day: DayTables) -> Card:
    settled, expected = (total(costs(day)[stage]) for stage in ("real_time", "day_ahead"))
    money = day.case.currency
    if settled is not None:
        so_far = "" if day.dispatched_steps == len(day.quarters) else " so far"
        so_far = f", {unsettled_count(day)} quarter-hours by forecast{so_far}" if unsettled_count(day) else f", settled{so_far}"
        note = f"{expected:,.2f} {money} expected the day before" if expected is not None else "no day-ahead expectation published"
        return Card(f"Cost of the day{so_far}", f"{settled:,.2f} {money}", note + _range(day), "degraded" if _strays(day) else "plain")
    if expected is not None:
        return Card("Cost of the day, expected", f"{expected:,.2f} {money}", "not yet settled")
    return Card("Cost of the day", "not known", "no costs were published")


def _range(day: DayTables) -> str:
    """What the schedule's scenarios would cost, in words; empty where it knew one forecast."""
    found = kpis(day)
    ends = [found.get(("day_ahead", name)) for name in ("scenario_cost_lowest", "scenario_cost_highest")]
    return f", its scenarios from {ends[0]:,.2f} to {ends[1]:,.2f}" if None not in ends else ""


def _strays(day: DayTables) -> bool:
    """Whether a warning says that the settled cost is not what the schedule reckoned with."""
    return any((row["check"], row["severity"]) == ("cost_range", "warning") for row in records(day.table("findings")))


def _yardstick_cards(day: DayTables) -> list[Card]:
    found = yardsticks(day)
    money = day.case.currency
    if "rolling" not in found or len(found) < 2:
        return [Card("Against perfect foresight", "not known yet", "computed when the day is complete")]
    cards = []
    done = found["rolling"]
    for name in ("perfect", "none"):
        if name in found:
            gap = done - found[name]
            share = f" ({100 * gap / abs(found[name]):+.1f} %)" if abs(gap) < abs(found[name]) else ""  # else it says nothing
            if abs(gap) < 0.005:
                value, share = "equal", ""
            else:
                value = f"{abs(gap):,.2f} {money} {'more' if gap > 0 else 'less'}"
            cards.append(Card(f"Against {WORDS[name]}", value, f"{WORDS[name]}: {found[name]:,.2f} {money}{share}"))
    return cards


def _finding_card(findings: list[dict[str, Any]], warnings: list[dict[str, Any]]) -> Card:
    infos = len(findings) - len(warnings)
    if not findings:
        return Card("Worst finding", "none", "every check passed", "good")
    worst = findings[0]
    note = f"{worst['message']} ({worst['place']})"
    if not warnings:
        return Card("Worst finding", "for information only", f"{infos} in all; first: {note}", "good")
    return Card(
        "Worst finding",
        worst["check"].replace("_", " "),
        f"{note}. In all {counted(len(warnings), 'warning')}, {infos} for information.",
        "degraded",
    )


def _fresh_card(day: DayTables, info: RunInfo) -> Card:
    """How old the newest observation was when the last run was issued; else when the forecasts were made."""
    stale = sum("stale" in row["check"] and row["severity"] == "warning" for row in records(day.table("findings")))
    tone: Grade | Literal["plain"] = "degraded" if stale else "plain"
    words = f"{stale} stale series: see the findings" if stale else "no series was stale"
    first, last = issue_time(day, info), last_issue(day, info)
    if last is None:
        return Card("Data freshness", "not known", "no issue time was published")
    if info.newest_observation is None:
        note = f"day ahead issued {moment(first, day.day)}; {words}" if first not in (None, last) else words
        return Card("Newest forecast issued", moment(last, day.day), note, tone)
    age_min = max(0, last - info.newest_observation) // 60
    age = f"{age_min // 60} h {age_min % 60:02d} min" if age_min >= 60 else f"{age_min} min"
    return Card("Newest observation", moment(info.newest_observation, day.day), f"{age} old when the last run was issued; {words}", tone)


def last_issue(day: DayTables, info: RunInfo) -> int | None:
    """Issue time of the last run: as told, or the newest forecast's."""
    if info.last_issue is not None:
        return info.last_issue
    table = day.table("forecasts")
    return int(instants(table, "issued_at").max()) if table.num_rows else issue_time(day, info)


def issue_time(day: DayTables, info: RunInfo) -> int | None:
    """Issue time of the day-ahead forecast: as told, or as published with it."""
    if info.issued_at is not None:
        return info.issued_at
    table = day.table("forecasts")
    table = table.filter(pc.equal(table["stage"], "day_ahead"))
    return int(instants(table, "issued_at").max()) if table.num_rows else None


def moment(instant: int, day: DeliveryDay) -> str:
    """`21 Mar 2016, 11:00 CET`."""
    local = from_epoch(instant).astimezone(day.zone)
    return f"{local.day} {local:%b %Y, %H:%M} {zone_name_of(local)}"


def run_ids(day: DayTables) -> dict[str, list[str]]:
    """Runs that wrote the rows, per product, in order of their first interval."""
    found: dict[str, list[str]] = {}
    for product, name in (("day-ahead", "schedule"), ("real time", "dispatch")):
        ids = day.table(name).sort_by("step")["run_id"].to_pylist() if day.table(name).num_rows else []
        found[product] = list(dict.fromkeys(ids))
    return found


def _run_card(day: DayTables, info: RunInfo) -> Card:
    ids = run_ids(day)
    count = len(ids["real time"])
    value = ids["day-ahead"][0] if ids["day-ahead"] else "no day-ahead run"
    note = f"real time: {ids['real time'][-1]}" + (f" (last of {count})" if count > 1 else "") if count else "real time: none yet"
    return Card("Runs", value, f"{note}{'; ' + _method(day, info) if info.method else ''}")


def _method(day: DayTables, info: RunInfo) -> str:
    """The treatment, and what is proven of its decision, where the run says so."""
    known = {row["kpi"]: row["value"] for row in records(day.table("kpis")) if row["stage"] == "day_ahead"}
    gap = known.get("proven_gap")
    if gap is not None:
        return f"method {info.method}, gap {100 * gap:.2g} % proven"
    return f"method {info.method}" + (", gap not proven" if "treatment_objective" in known else "")
