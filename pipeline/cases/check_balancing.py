"""Where settlement lets a mismatch go, what ties cost and how flows are shared: checks across ties, chain and settings."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from pipeline.cases.mistakes import Mistakes
from pipeline.cases.raw import nearest
from pipeline.equipment import Converter, Generator, Store, Tie

if TYPE_CHECKING:
    from pipeline.cases.checks import Places

CHAIN_KINDS = ("generator", "converter", "store")
_DECIDED = ("on_share", "start_share", "stop_share")


def check_balancing(content: dict[str, Any], places: Places, mistakes: Mistakes) -> None:
    """The balancing tie, the chain before it, and the settings that commitments need."""
    _check_tie(content, places, mistakes)
    _check_chain(content, places, mistakes)
    _check_held(content, places, mistakes)
    if content.get("tie_flows") == "ptdf" and not content.get("balancing_chain"):
        what = "tie_flows is ptdf, and a mismatch would pass over one tie, whatever the reactances say"
        mistakes.note(places.top.place(("tie_flows",)), what, "give a balancing_chain: it moves all flows together")


def check_wheeling(tie: Tie, content: dict[str, Any], places: Places, mistakes: Mistakes) -> None:
    """Both prices exist and are prices; a tie to a market is paid by its market."""
    if tie.wheeling is None:
        return
    place = places.of("ties", tie.id)
    if tie.upper_bus is None:
        mistakes.note(place, f"tie '{tie.id}' leads to a market and has a wheeling price", "leave `wheeling` out: the market has the price")
    kinds = {series.id: series.kind for series in content["series"]}
    for name in (tie.wheeling.upper_price_series, tie.wheeling.lower_price_series):
        prices = [series for series, kind in kinds.items() if kind == "price"]
        if name not in places.ids("series"):
            what = f"tie '{tie.id}' takes its wheeling price from series '{name}', which the case lacks"
            mistakes.note(place, what, nearest(name, prices))
        elif kinds.get(name, "price") != "price":
            what = f"tie '{tie.id}' takes its wheeling price from '{name}', a series of kind {kinds[name]}"
            mistakes.note(place, what, nearest(name, prices))


def _check_tie(content: dict[str, Any], places: Places, mistakes: Mistakes) -> None:
    balancing = content.get("balancing_tie")
    place = places.top.place(("balancing_tie",))
    if balancing is None:
        if not content.get("balancing_chain"):
            mistakes.note(place, "nothing takes the mismatch between the schedule and what comes",
                          "name a tie with a market as balancing_tie, or devices as balancing_chain")
    elif balancing not in places.ids("ties"):
        mistakes.note(place, f"balancing_tie '{balancing}' is no tie of the case", nearest(balancing, places.ids("ties")))
    elif any(tie.id == balancing and tie.market is None for tie in content["ties"]):
        markets = [tie.id for tie in content["ties"] if tie.market is not None]
        mistakes.note(place, f"balancing_tie '{balancing}' has no market to settle at", nearest(str(balancing), markets))


def _check_chain(content: dict[str, Any], places: Places, mistakes: Mistakes) -> None:
    place = places.top.place(("balancing_chain",))
    devices = {device.id: device for device in content["devices"]}
    for name in content.get("balancing_chain", ()):
        if name in CHAIN_KINDS:
            if not any(device.kind == name and _can_balance(device) for device in devices.values()):
                mistakes.note(place, f"balancing_chain names the kind '{name}', and no {name} of the case can balance", _remedy())
        elif name not in places.ids("devices"):
            mistakes.note(place, f"balancing_chain names '{name}', which is no device of the case",
                          nearest(name, [*CHAIN_KINDS, *places.ids("devices")]))
        elif name in devices and not _can_balance(devices[name]):
            mistakes.note(place, f"balancing_chain names the {devices[name].kind} '{name}', which cannot balance", _remedy())


def _can_balance(device: Any) -> bool:
    match device:
        case Generator():
            return True
        case Converter():
            return device.feeds_bought_power
        case Store():
            return device.carrier == "active"
        case _:
            return False


def _remedy() -> str:
    return "name generators, converters from fuel to power, or stores of electricity"


def _check_held(content: dict[str, Any], places: Places, mistakes: Mistakes) -> None:
    """Commitments are decided day-ahead: real time takes them as they are."""
    units = [device.id for device in content["devices"] if isinstance(device, Generator) and device.commitment is not None]
    patterns = content["settings"].held_in_real_time
    loose = [unit for unit in units if not all(any(fnmatchcase(f"{unit}.{name}", one) for one in patterns) for name in _DECIDED)]
    if loose:
        mistakes.note(places.top.place(("settings", "held_in_real_time")),
                      f"held_in_real_time leaves the commitment of '{loose[0]}' open, and a re-dispatch decides none",
                      f"add {', '.join(f'*.{name}' for name in _DECIDED)}")
