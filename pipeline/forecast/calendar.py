"""Slots and day types: load, heat and price follow the local wall clock, PV and wind follow UTC."""

from __future__ import annotations

from datetime import UTC, date, datetime

import numpy as np
from numpy.typing import NDArray

from pipeline.core.clock import Instants, floor_local, local_seconds
from pipeline.core.errors import InputError, Mistake

Ints = NDArray[np.int64]

FOLLOWS_UTC = frozenset({"pv", "wind"})
WEEKLY = frozenset({"load", "price", "other"})  # kinds whose profile depends on the type of day
WORKDAY, SATURDAY, SUNDAY = 0, 1, 2
DAY_TYPES = 3

# Countries of the zones whose holidays we know without being told. A case may name its own.
COUNTRY_OF_ZONE = {
    "Europe/Berlin": "DE", "Europe/Vienna": "AT", "Europe/Zurich": "CH", "Europe/Paris": "FR", "Europe/Brussels": "BE",
    "Europe/Amsterdam": "NL", "Europe/Luxembourg": "LU", "Europe/Copenhagen": "DK", "Europe/Stockholm": "SE", "Europe/Oslo": "NO",
    "Europe/Helsinki": "FI", "Europe/Madrid": "ES", "Europe/Lisbon": "PT", "Europe/Rome": "IT", "Europe/London": "GB",
    "Europe/Dublin": "IE", "Europe/Warsaw": "PL", "Europe/Prague": "CZ", "Europe/Budapest": "HU", "Europe/Athens": "GR",
    "Europe/Bucharest": "RO", "Europe/Sofia": "BG", "America/New_York": "US", "America/Chicago": "US", "America/Denver": "US",
    "America/Los_Angeles": "US", "America/Toronto": "CA", "Australia/Sydney": "AU", "Asia/Tokyo": "JP", "Asia/Seoul": "KR",
    "Asia/Shanghai": "CN", "Asia/Hong_Kong": "HK", "Asia/Kolkata": "IN", "Asia/Tehran": "IR",
}


def country_of(time_zone: str, country: str | None = None) -> str | None:
    """The case's own country, else the zone's, else None (no holidays)."""
    return country if country is not None else COUNTRY_OF_ZONE.get(time_zone)


def holiday_dates(country: str | None, first: int, last: int) -> Ints:
    """Public holidays between two instants (UTC epoch seconds), as days since 1970. Empty without a country."""
    if not country:
        return np.zeros(0, dtype=np.int64)
    import holidays  # not on the way to a re-dispatch

    years = range(datetime.fromtimestamp(first, UTC).year - 1, datetime.fromtimestamp(last, UTC).year + 2)
    try:
        known = holidays.country_holidays(country, years=years)
    except NotImplementedError:
        raise InputError(Mistake(f"settings.forecast.holiday_country: {country}", "no holidays are known for this country",
                                 "give an ISO code such as DE, or leave it out")) from None
    days = sorted((day - date(1970, 1, 1)).days for day in known)
    return np.array([day for day in days if first // 86400 - 2 <= day <= last // 86400 + 2], dtype=np.int64)


def clock_of(starts: Instants, kind: str, time_zone: str) -> Ints:
    """Seconds of the clock that a kind of series follows."""
    return np.asarray(starts, dtype=np.int64) if kind in FOLLOWS_UTC else local_seconds(starts, time_zone)


def grid_start(moment: int, step_s: int, time_zone: str) -> int:
    """Start of the interval that holds a moment; intervals of series are counted on the local clock."""
    return int(floor_local(np.array([moment], dtype=np.int64), step_s, time_zone)[0])


def slots(starts: Instants, kind: str, time_zone: str, step_s: int) -> Ints:
    """Slot of the day 0.. for each interval; a repeated hour repeats its slots, a skipped one drops them."""
    return (clock_of(starts, kind, time_zone) % 86400) // step_s


def day_types(starts: Instants, kind: str, time_zone: str, holiday_days: Ints) -> Ints:
    """0 workday, 1 Saturday, 2 Sunday or holiday; always 0 for kinds without a weekly rhythm."""
    days = clock_of(starts, kind, time_zone) // 86400
    if kind not in WEEKLY:
        return np.zeros(len(days), dtype=np.int64)
    weekday = (days + 3) % 7  # 1970-01-01 was a Thursday
    types = np.where(weekday == 5, SATURDAY, np.where(weekday == 6, SUNDAY, WORKDAY))
    return np.where(np.isin(days, holiday_days), SUNDAY, types).astype(np.int64)
