"""Findings: what a person should know. A warning makes the run degraded."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import pyarrow as pa

from pipeline.tables import TABLES

Severity = Literal["info", "warning"]


# Every check that writes findings, in whichever room: the vocabulary of the table and of docs/gates.md.
CHECKS: dict[str, str] = {
    "slack_used": "a priced slack moved: load shed, energy or power beyond a limit, vehicles unserved",
    "voltage_limit": "a voltage of the decision model is outside its limits",
    "cycle": "a store does not end the day where its cycle rule wants it",
    "ac_voltage_lowest": "lowest voltage of the AC power flow",
    "ac_voltage_highest": "highest voltage of the AC power flow",
    "ac_voltage_limit": "an AC voltage breaks its limit by more than the margin",
    "ac_loading": "a branch is loaded above its rating in the AC power flow",
    "ac_loss": "mean loss of the AC power flow",
    "ac_gap": "largest distance between the decided and the AC voltage",
    "ac_converged": "an interval whose AC power flow did not converge: its AC columns are empty",
    "ev_unserved": "the least that vehicles can lack with what their fleets charged, against their need",
    "ev_unserved_fleet": "the same of a single fleet, where it misses more than the share that all may",
    "fallback": "no program answered: a schedule or dispatch that was decided otherwise stands in, held within the limits",
    "time_limit": "the solver met its time limit: its incumbent is used",
    "gap_left": "the search for a decision ended before its gap was proven, with time left: the best found is used",
    "unbalanced": "power that no device or tie could take",
    "room_left": "heat or load was shed, or power burnt, while a device of its network had room for less",
    "simultaneous_charging": "no schedule without charging and discharging at once was found in time",
    "provisional": "realised values of intervals are not known: forecasts stand in for them, and the cost is provisional",
    "cost_range": "the settled cost lies outside those of the schedule's scenarios, or far above the expected one",
    "state_jump": "a measured state differs from the computed one, which it replaces: the difference is booked nowhere",
    "state_outside": "a store was measured outside its limits of energy: it is brought back as fast as its power lets it",
    "set_point": "an override asks for more than its device can do",
    "yardstick": "a figure to compare the day with could not be computed; the dispatch stands",
    "slack_price": "slack costs more than the case has it, because energy is as dear",
    "way": "how the schedule was decided, and the bound that is proven for it, or that none is",
    "mean_positions": "what is best for the mean forecast leaves a scenario without a schedule: no value of the stochastic solution",
    "dual_bound": "the bound on dual prices of a family of rows, in which the search for the worst corner is exact",
    "stale_data": "the newest observation of a series is older than the case allows",
    "late_issue": "the schedule was issued after its time; or what it knew, no decision before it could know",
    "given_forecast": "a forecast of others had nothing for some of the day when the schedule was issued",
    "idle_fleet": "the last 14 days knew no vehicle of a fleet: older ones, or its law, stand in for them",
    "standing_meter": "a measured series stands at one value, or rests at zero, for longer than it ever did",
    "short_history": "a series was forecast from less history than its window asks for",
}


@dataclass(frozen=True, order=True)
class Finding:
    """One thing found. `place` names device, bus, branch or series, and the step where there is one."""

    severity: Severity
    check: str
    place: str
    message: str
    value: float | None = None
    limit: float | None = None


def findings_table(findings: Iterable[Finding], *, run_id: str, stage: str) -> pa.Table:
    """Table `findings` of one run. The key is (stage, severity, check, place): the first of equal ones stays."""
    unique: dict[tuple[str, str, str], Finding] = {}
    for finding in findings:
        unique.setdefault((finding.severity, finding.check, finding.place), finding)
    rows = [unique[key] for key in sorted(unique)]
    return TABLES["findings"].build(
        {
            "run_id": [run_id] * len(rows),
            "stage": [stage] * len(rows),
            "severity": [f.severity for f in rows],
            "check": [f.check for f in rows],
            "place": [f.place for f in rows],
            "message": [f.message for f in rows],
            "value": [f.value for f in rows],
            "limit": [f.limit for f in rows],
        }
    )
