"""Checks across records: references, topology, limits, series and sources. Each finds all its mistakes."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

import numpy as np

from pipeline.cases.check_balancing import check_balancing, check_wheeling
from pipeline.cases.check_connections import check_connections
from pipeline.cases.check_converters import check_converters
from pipeline.cases.check_devices import check_device
from pipeline.cases.check_sources import check_sources
from pipeline.cases.folder import Folder
from pipeline.cases.mistakes import Mistakes
from pipeline.cases.raw import Raw, nearest
from pipeline.cases.topology import check_network
from pipeline.core.clock import to_epoch, utc_offsets


class Places:
    """Where a record stands, by table and id."""

    def __init__(self, read: Folder) -> None:
        self.top = read.top
        self.folder = read.path
        self._raws: dict[tuple[str, str], Raw] = {}
        for table, records in read.tables.items():
            for raw in records:
                if isinstance(raw.value, dict):
                    self._raws.setdefault((table, str(raw.value.get("id"))), raw)

    def ids(self, table: str) -> list[str]:
        """Ids as written, those of refused records too: a reference to one is no second mistake."""
        return [name for known, name in self._raws if known == table]

    def of(self, table: str, name: str, field: str | None = None) -> str:
        raw = self._raws.get((table, name))
        return raw.place((field,) if field else ()) if raw else "case.yaml"


_NEEDED = {
    "buses": "write buses.csv: columns id and network, a row per bus",
    "ties": "a grid connection is a tie with a market; an island has none: split its buses into two networks and join them by a tie",
}


def check_case(content: dict[str, Any], read: Folder, data_dir: Path, mistakes: Mistakes) -> None:
    """Appends every mistake that shows only when records are seen together."""
    places = Places(read)
    _check_unique(read, mistakes)
    _check_clock(content, places, mistakes)
    for name in ("networks", "buses", "devices", "ties"):
        if not read.tables[name]:
            mistakes.note("case.yaml", f"the case has no {name}", _NEEDED.get(name, "a case needs at least one of each"))
    if not read.tables["buses"]:
        return  # nothing stands anywhere: every record would say so again
    networks = {network.id: network for network in content["networks"]}
    network_of_bus = {bus.id: bus.network for bus in content["buses"]}
    for bus in content["buses"]:
        if bus.network not in places.ids("networks"):
            place = places.of("buses", bus.id, "network")
            mistakes.note(
                place,
                f"bus '{bus.id}' lies in network '{bus.network}', which is not declared",
                nearest(bus.network, places.ids("networks")),
            )
    for network in content["networks"]:
        check_network(network, content, places, mistakes)
    _check_branches(content, network_of_bus, places, mistakes)
    for device in content["devices"]:
        network = networks.get(network_of_bus.get(device.bus, ""))
        check_device(device, network, content, read, places, mistakes)
    check_converters(content, places, mistakes)
    check_connections(content, read, places, mistakes)
    _check_ties(content, network_of_bus, places, mistakes)
    check_balancing(content, places, mistakes)
    check_sources(content, places, data_dir, mistakes)


def _check_unique(read: Folder, mistakes: Mistakes) -> None:
    """One name space for what owns rows (networks, devices, ties); buses, branches, and series with forecasts of them have their own."""
    spaces = {"rows": ("networks", "devices", "ties"), "buses": ("buses",), "branches": ("branches",),
              "series": ("series", "given_forecasts")}
    for tables in spaces.values():
        seen: dict[str, str] = {}
        for table in tables:
            for raw in read.tables[table]:
                name = str(raw.value.get("id", "")) if isinstance(raw.value, dict) else ""
                place = raw.place(("id",))
                if name and name in seen:
                    mistakes.note(place, f"the id '{name}' is taken: {seen[name]}", "give each its own")
                seen.setdefault(name, place)


def _check_clock(content: dict[str, Any], places: Places, mistakes: Mistakes) -> None:
    zone = content.get("time_zone")
    if zone is not None:
        try:
            ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            known = [*sorted(available_timezones())]
            mistakes.note(places.top.place(("time_zone",)), f"there is no time zone '{zone}'", nearest(zone, known))
            return
    start: time = content.get("day_start_local", time(0))
    if start.tzinfo is not None or start.second or start.microsecond or start.minute % 15:
        mistakes.note(places.top.place(("day_start_local",)), f"the day cannot start at {start}", "write a whole quarter-hour, 07:00")
    day: date | None = content.get("default_date")
    step_min = content["settings"].day_ahead_step_min
    if zone and day and _offsets_left_over(zone, day, 60 * step_min):
        mistakes.note(
            places.top.place(("settings", "day_ahead_step_min")),
            f"some days in {zone} are no whole number of steps of {step_min} min long: its clock changes by another amount",
            "give settings.day_ahead_step_min: 30, or 15",
        )


def _offsets_left_over(zone: str, day: date, step_s: int) -> bool:
    """Whether the clock of a zone changes by no multiple of a step, within a year of a day."""
    noon = to_epoch(datetime.combine(day, time(12), tzinfo=ZoneInfo(zone)))
    return bool(np.ptp(utc_offsets(noon + 86400 * np.arange(-360, 361, 30), zone) % step_s) > 0)


def _check_branches(content: dict[str, Any], network_of_bus: dict[str, str], places: Places, mistakes: Mistakes) -> None:
    kinds = {network.id: network.kind for network in content["networks"]}
    known = places.ids("buses")
    for branch in content["branches"]:
        ends = (("from_bus", branch.from_bus), ("to_bus", branch.to_bus))
        for field, bus in ends:
            if bus not in known:
                place = places.of("branches", branch.id, field)
                mistakes.note(place, f"branch '{branch.id}' ends at bus '{bus}', which the case lacks", nearest(bus, known))
        place = places.of("branches", branch.id)
        if branch.from_bus == branch.to_bus:
            mistakes.note(place, f"branch '{branch.id}' begins and ends at '{branch.to_bus}'", "give two buses")
        networks = [network_of_bus[bus] for _, bus in ends if bus in network_of_bus]
        if len(networks) == 2 and networks[0] != networks[1]:
            remedy = "a branch stays inside one network; make it a tie"
            mistakes.note(place, f"branch '{branch.id}' joins networks '{networks[0]}' and '{networks[1]}'", remedy)
        elif networks and kinds.get(networks[0]) == "copper_plate":
            mistakes.note(
                place, f"branch '{branch.id}' lies in '{networks[0]}', a copper plate", "remove it, or make the network lindistflow"
            )


def _check_ties(content: dict[str, Any], network_of_bus: dict[str, str], places: Places, mistakes: Mistakes) -> None:
    known = places.ids("buses")
    for tie in content["ties"]:
        place = places.of("ties", tie.id)
        ends: Iterable[tuple[str, str | None]] = (("upper_bus", tie.upper_bus), ("lower_bus", tie.lower_bus))
        for field, bus in ends:
            if bus is not None and bus not in known:
                mistakes.note(
                    places.of("ties", tie.id, field), f"tie '{tie.id}' ends at bus '{bus}', which the case lacks", nearest(bus, known)
                )
        if (tie.upper_bus is None) == (tie.market is None):
            what = "has neither an upper bus nor a market" if tie.market is None else "has an upper bus and a market"
            mistakes.note(place, f"tie '{tie.id}' {what}", "give one of the two")
        networks = [network_of_bus[bus] for _, bus in ends if bus in network_of_bus]
        if len(networks) == 2 and networks[0] == networks[1]:
            remedy = "a tie joins two networks; inside one, draw a branch"
            mistakes.note(place, f"both ends of tie '{tie.id}' lie in network '{networks[0]}'", remedy)
        if tie.exchange_min_kw > tie.exchange_max_kw:
            mistakes.note(
                place,
                f"tie '{tie.id}': exchange_min_kw {tie.exchange_min_kw:g} is above exchange_max_kw {tie.exchange_max_kw:g}",
                "swap them",
            )
        if tie.market is not None:
            _check_market(tie, places, mistakes)
        if tie.market is not None and tie.firm_price_series is not None:
            remedy = "use imbalance_buy_factor and imbalance_sell_factor"
            mistakes.note(place, f"tie '{tie.id}' has a market and a firm_price_series", remedy)
        for name in (None if tie.market is None else tie.market.price_series, tie.firm_price_series):
            if name is not None:
                _check_price(tie, name, content, places, mistakes)
        check_wheeling(tie, content, places, mistakes)


def _check_price(tie: Any, name: str, content: dict[str, Any], places: Places, mistakes: Mistakes) -> None:
    place = places.of("ties", tie.id)
    series = next((series for series in content["series"] if series.id == name), None)
    if series is None:
        if name not in places.ids("series"):
            mistakes.note(
                place, f"tie '{tie.id}' takes its price from series '{name}', which the case lacks", nearest(name, places.ids("series"))
            )
        return
    if series.kind != "price":
        prices = [series.id for series in content["series"] if series.kind == "price"]
        mistakes.note(place, f"tie '{tie.id}' takes its price from '{name}', a series of kind {series.kind}", nearest(name, prices))


def _check_market(tie: Any, places: Places, mistakes: Mistakes) -> None:
    place, market = places.of("ties", tie.id), tie.market
    if market.sell_price_factor > 1.0:
        mistakes.note(place, f"tie '{tie.id}': sell_price_factor {market.sell_price_factor:g} pays more than the price", "give 0 to 1")
    if market.imbalance_sell_factor > market.imbalance_buy_factor:
        mistakes.note(place, f"tie '{tie.id}': imbalance is sold dearer than bought", "give imbalance_sell_factor <= imbalance_buy_factor")
