"""Checks of EV aggregators and of the matrix of their connections."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from pipeline.cases.folder import Folder
from pipeline.cases.mistakes import Mistakes
from pipeline.cases.raw import nearest
from pipeline.equipment import EvAggregator, EvConnection

if TYPE_CHECKING:
    from pipeline.cases.checks import Places

SLOTS = 24


def check_connections(content: dict[str, Any], read: Folder, places: Places, mistakes: Mistakes) -> None:
    """Every aggregator against its own fields and its rows of ev_connections, every row against its aggregator."""
    aggregators = {device.id: device for device in content["devices"] if isinstance(device, EvAggregator)}
    written = {str(raw.value.get("id")) for raw in read.tables["devices"] if raw.value.get("kind") == "ev_aggregator"}
    rows: dict[str, list[EvConnection]] = {name: [] for name in aggregators}
    seen: dict[tuple[str, int, int], str] = {}
    for raw in read.tables["ev_connections"]:
        try:
            one = EvConnection.model_validate(raw.value)
        except ValidationError:
            continue  # said where the record is built
        key = (one.aggregator, one.connect_slot, one.dwell_h)
        if key in seen:
            mistakes.note(raw.place(()), f"slot {one.connect_slot} and stay {one.dwell_h} h of '{one.aggregator}' stand there twice:"
                          f" {seen[key]}", "add the vehicles up in one row")
        seen.setdefault(key, raw.place(()))
        if one.connect_slot > SLOTS:
            mistakes.note(raw.place(("connect_slot",)), f"connect_slot {one.connect_slot} is no slot of a day", "slots are 1 to 24")
        if one.aggregator not in written:
            mistakes.note(raw.place(("aggregator",)), f"vehicles connect at '{one.aggregator}', which is no ev_aggregator of the case",
                          nearest(one.aggregator, sorted(written)))
        elif one.aggregator in aggregators:
            device = aggregators[one.aggregator]
            rows[one.aggregator].append(one)
            if not device.dwell_min_h <= one.dwell_h <= device.dwell_max_h:
                mistakes.note(raw.place(("dwell_h",)), f"a stay of {one.dwell_h} h at '{device.id}' lies outside its dwell_min_h"
                              f" {device.dwell_min_h} to dwell_max_h {device.dwell_max_h}", "correct it, or widen the range of stays")
    for name, device in aggregators.items():
        _check_aggregator(device, rows[name], places, mistakes)


def _check_aggregator(device: EvAggregator, rows: list[EvConnection], places: Places, mistakes: Mistakes) -> None:
    def note(field: str | None, message: str, remedy: str) -> None:
        mistakes.note(places.of("devices", device.id, field), f"ev_aggregator '{device.id}' {message}", remedy)

    if not device.dwell_min_h <= device.dwell_max_h <= SLOTS:
        note("dwell_max_h", f"has stays of {device.dwell_min_h} to {device.dwell_max_h} h", "give dwell_min_h <= dwell_max_h <= 24")
        return
    if 2 * device.early_departure_h >= device.dwell_min_h:
        note("early_departure_h", f"lets vehicles leave {device.early_departure_h} h early after a stay of {device.dwell_min_h} h: a stay"
             " cut to half or less is an uncontrollable load", "give less than half of dwell_min_h")
    shares = ("energy_min_share", "departure_energy_share", "energy_max_share")
    for low, high in pairwise(shares):
        if getattr(device, low) > getattr(device, high):
            note(low, f"has {low} {getattr(device, low):g} above {high} {getattr(device, high):g}", "swap or correct them")
    if not device.energy_min_share <= device.arrival_energy_share <= device.energy_max_share:
        note("arrival_energy_share", f"has vehicles arrive with {device.arrival_energy_share:g}, outside energy_min_share to"
             " energy_max_share", "correct one of the three")
    if not rows:
        note(None, "has no row in ev_connections.csv", "give connect_slot, dwell_h and vehicle_count of its vehicles")
        return
    connected = connected_counts(rows)
    if max(connected) > device.vehicle_count:
        note("vehicle_count", f"has up to {max(connected)} vehicles connected at once, vehicle_count is {device.vehicle_count}",
             f"give at least {max(connected)}")
    least, most = (device.battery_kwh * share * connected[0] for share in (device.energy_min_share, device.energy_max_share))
    if not least - 1e-6 <= device.energy_initial_kwh <= most + 1e-6:
        note("energy_initial_kwh", f"begins with {device.energy_initial_kwh:g} kWh; the {connected[0]} vehicles connected then hold"
             f" {least:g} to {most:g} kWh", "give an energy between them")


def connected_counts(rows: list[EvConnection]) -> list[int]:
    """Vehicles usable in each of the 24 slots, of a cycle that repeats: slot k and stay d are usable in the d slots after k."""
    return [sum(one.vehicle_count for one in rows if (slot - one.connect_slot - 1) % SLOTS < one.dwell_h) for slot in range(1, SLOTS + 1)]
