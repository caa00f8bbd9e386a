"""What a case can carry to the loads of a series: tells watts from kilowatts where nothing is stored yet."""

from __future__ import annotations

from pipeline.cases.case import Case
from pipeline.cases.sources import Series
from pipeline.equipment import Chp, Converter, Demand, Generator, Source, Store


def carried_kw(case: Case, series: Series) -> float | None:
    """The most that ties, branches and own supply bring to the demands of a series, per unit of their summed share, in the series' unit.

    A network gets what its ties and its devices can give, a bus of a rated feeder no more than its branches can; None where no demand
    follows the series. An upper bound by far: losses, voltages and the other loads of the network are left out.
    """
    users = [device for device in case.devices if isinstance(device, Demand) and device.series == series.id]
    share = sum(device.series_share for device in users)
    if not share:
        return None
    carrier = users[0].carrier
    by_network: dict[str, list[str]] = {}
    for device in users:
        by_network.setdefault(case.network_of_bus[device.bus], []).append(device.bus)
    most = 0.0
    for network, buses in by_network.items():
        whole = _supply(case, [bus.id for bus in case.buses if bus.network == network], carrier)
        most += min(whole, sum(_brought(case, bus, carrier, whole) for bus in sorted(set(buses))))
    return most / share


def _brought(case: Case, bus: str, carrier: str, whole: float) -> float:
    """What the branches at one bus bring, where all are rated; otherwise whatever the network has."""
    ratings = [branch.rating_kva for branch in case.branches if bus in (branch.from_bus, branch.to_bus)]
    known = [rating for rating in ratings if rating is not None]
    return sum(known) + _supply(case, [bus], carrier) if ratings and len(known) == len(ratings) else whole


def _supply(case: Case, buses: list[str], carrier: str) -> float:
    """Ties (of either direction) and devices at these buses, for one carrier."""
    found = 0.0
    if carrier == "active":
        for tie in case.ties:
            if tie.lower_bus in buses or tie.upper_bus in buses:
                found += max(abs(tie.exchange_min_kw), abs(tie.exchange_max_kw))
    for device in case.devices:
        if device.bus not in buses:
            continue
        if isinstance(device, Store) and device.carrier == carrier:
            found += device.discharge_max_kw
        elif isinstance(device, Chp):
            found += device.power_max_kw * (1.0 if carrier == "active" else device.heat_to_power_factor)
        elif isinstance(device, Converter):
            found += device.power_max_kw * max(device.active_factor if carrier == "active" else device.heat_factor, 0.0)
        elif isinstance(device, Generator) and carrier == "active":
            found += device.power_max_kw
        elif isinstance(device, Source) and carrier == "active":
            found += device.series_share * (case.series_by_id[device.series].capacity_kw or 0.0)
    return found
