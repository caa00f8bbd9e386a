"""A fleet's charging handed out to its vehicles: does the aggregate keep what it promised each of them?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.cases.case import Case
from pipeline.core.clock import DeliveryDay, Instants, local_hour
from pipeline.equipment import EvFleet
from pipeline.equipment.ev_fleet import EvWindow
from pipeline.validate.context import Bound
from pipeline.validate.ev_bound import STEP_S, least_unserved_kwh, most_kw
from pipeline.validate.findings import Finding, Severity
from pipeline.validate.frame import Floats, frame

UNSERVED_SHARE = 0.005  # of a fleet's need: what aggregation may cost
UNPRICED_SHOWN = 0.005  # of the currency: less is rounding


@dataclass(frozen=True)
class FleetSessions:
    """Sessions of one fleet, all (n,). Instants UTC epoch seconds, `need_kwh` is stored energy wanted by the departure.

    `left_at`: the departure itself, where `departure` is cut at the end of a day.
    """

    arrival: Instants
    departure: Instants
    need_kwh: Floats
    charger_kw: Floats
    left_at: Instants


def sessions_by_fleet(
    fleet_names: list[str], arrival: Instants, departure: Instants, need_kwh: Floats, charger_kw: Floats
) -> dict[str, FleetSessions]:
    """Sessions as the warehouse gives them (one fleet name per session) by fleet."""
    names = np.array(fleet_names, dtype=np.str_)
    return {
        str(name): FleetSessions(*(part[names == name] for part in (arrival, departure, need_kwh, charger_kw, departure)))
        for name in np.unique(names)
    }


def window_sessions(fleet: EvFleet, window: EvWindow, day: DeliveryDay, time_zone: str) -> FleetSessions:
    """The books' sum row as sessions: every vehicle stays for the whole window and needs the same. Where none is in the day, nobody."""
    starts = day.starts()
    inside = _in_window(local_hour(starts, time_zone), window)
    first, last = starts[inside][0], starts[inside][-1] + STEP_S
    n = fleet.vehicle_count
    return FleetSessions(np.full(n, first), np.full(n, last), np.full(n, window.need_kwh), np.full(n, fleet.charger_kw), np.full(n, last))


def _in_window(hours: NDArray[np.int64], window: EvWindow) -> NDArray[np.bool_]:
    if window.first_hour <= window.last_hour:
        return np.asarray((hours >= window.first_hour) & (hours <= window.last_hour))
    return np.asarray((hours >= window.first_hour) | (hours <= window.last_hour))


def hours_present(sessions: FleetSessions, starts: Instants, step_s: int = STEP_S) -> Floats:
    """(n, T) hours of each step in which a vehicle is there."""
    present = np.minimum(sessions.departure[:, None], starts + step_s) - np.maximum(sessions.arrival[:, None], starts)
    return np.asarray(np.clip(present, 0, None) / 3600)


def ev_check(
    case: Case, dispatch: pa.Table, sessions: Mapping[str, FleetSessions], *, day: DeliveryDay, words: Sequence[Bound] = ()
) -> tuple[list[Finding], dict[str, float | None]]:
    """Findings per fleet and the figures `ev_need_kwh`, `ev_unserved_kwh`, `ev_unreachable_kwh`, `ev_unserved_share` and
    `ev_unpriced_cost` of the settled day.

    Unserved is the least that vehicles can lack with what their fleet drew in each step, whoever it was handed to: the largest flow from
    steps to vehicles. The cost of a day counts what settlement found lacking; what vehicles lack beyond that is not in it, and
    `ev_unpriced_cost` is what it would come to, at the same price. Unreachable is what no dispatch could have served. The share over all
    fleets is what must stay small; single fleets above it are named. It is None where nobody needed anything. words: what persons said
    of the fleets.
    """
    long = frame("dispatch", dispatch)
    if "settled" not in long.scenarios or len(long.steps) != day.steps():
        return [], {}
    s = long.scenarios.index("settled")
    findings: list[Finding] = []
    need_kwh = unserved_kwh = bound_kwh = unpriced = 0.0
    for fleet in (device for device in case.devices if isinstance(device, EvFleet)):
        power = long.get(fleet.id, fleet.bus, "active", "injection")
        mine = day_sessions(fleet, sessions, day, case.time_zone)
        if power is None or mine is None or not len(mine.need_kwh):
            continue
        stored_share_h = fleet.charge_efficiency_share * STEP_S / 3600
        room = hours_present(mine, day.starts()) * mine.charger_kw[:, None] * fleet.charge_efficiency_share
        need = float(mine.need_kwh.sum())
        bound = least_unserved_kwh(mine.need_kwh, room, most_kw(case, fleet, words, day) * stored_share_h)
        unserved = max(bound, least_unserved_kwh(mine.need_kwh, room, np.maximum(-power[s], 0.0) * stored_share_h))
        need_kwh, unserved_kwh, bound_kwh = need_kwh + need, unserved_kwh + unserved, bound_kwh + bound
        price = case.settings.slack_price_per_kwh if fleet.unserved_price_per_kwh is None else fleet.unserved_price_per_kwh
        priced = float(long.zero_or(fleet.id, fleet.bus, "active", "unserved_kwh")[s, -1])
        unpriced += price * max(unserved - priced, 0.0)
        if unserved > UNSERVED_SHARE * need:
            message = _words(unserved, need, bound)
            findings.append(Finding("info", "ev_unserved_fleet", fleet.id, message, unserved / need, UNSERVED_SHARE))
    share = unserved_kwh / need_kwh if need_kwh else None
    if share is not None:
        severity: Severity = "warning" if share > UNSERVED_SHARE else "info"
        said = _words(unserved_kwh, need_kwh, bound_kwh)
        if unpriced > UNPRICED_SHOWN:
            said += f"; {unpriced:.2f} {case.currency} of it are not in the settled cost, which counts what settlement found lacking"
        findings.append(Finding(severity, "ev_unserved", "all fleets", said, share, UNSERVED_SHARE))
    return findings, {
        "ev_need_kwh": need_kwh, "ev_unserved_kwh": unserved_kwh, "ev_unreachable_kwh": bound_kwh, "ev_unserved_share": share,
        "ev_unpriced_cost": unpriced}


def _words(unserved: float, need: float, bound: float) -> str:
    return f"{unserved:.3f} of {need:.1f} kWh not served, and no dispatch could have left less than {bound:.3f} kWh"


def day_sessions(fleet: EvFleet, sessions: Mapping[str, FleetSessions], day: DeliveryDay, time_zone: str) -> FleetSessions | None:
    """A fleet's sessions cut to the day; None where nothing is known of it.

    Of one that reaches over an end of the day, the need is split by the time present; one that leaves as it comes needs all on that day.
    """
    if isinstance(fleet.sessions, EvWindow):
        return window_sessions(fleet, fleet.sessions, day, time_zone)
    mine = sessions.get(fleet.id)
    if mine is None:
        return None
    begin, end = np.clip(mine.arrival, day.start, day.end), np.clip(mine.departure, day.start, day.end)
    at_once = (mine.departure == mine.arrival) & (mine.arrival >= day.start) & (mine.arrival < day.end)
    need_kwh = np.where(at_once, mine.need_kwh, mine.need_kwh * (end - begin) / np.maximum(mine.departure - mine.arrival, 1))
    keep = (end > begin) | at_once
    return FleetSessions(begin[keep], end[keep], need_kwh[keep], mine.charger_kw[keep], mine.left_at[keep])
