"""Checks of one device against its network, its series and its own limits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.cases.folder import Folder
from pipeline.cases.mistakes import Mistakes
from pipeline.cases.raw import nearest
from pipeline.core.units import conversion
from pipeline.equipment import AnyDevice, Chp, Commitment, Converter, Demand, EvFleet, Generator, Network, Source, Store
from pipeline.equipment.ev_fleet import EvSampling, EvWindow

if TYPE_CHECKING:
    from pipeline.cases.checks import Places

_UNITS = {"load": "kW", "pv": "kW", "wind": "kW", "heat": "kWth"}


def check_device(
    device: AnyDevice, network: Network | None, content: dict[str, Any], read: Folder, places: Places, mistakes: Mistakes
) -> None:
    """Bus, carriers, series and limits of one device."""
    name = f"{device.kind} '{device.id}'"

    def note(field: str | None, message: str, remedy: str) -> None:
        mistakes.note(places.of("devices", device.id, field), f"{name} {message}", remedy)

    known = places.ids("buses")
    if device.bus not in known:
        note("bus", f"sits on bus '{device.bus}', which the case lacks", nearest(device.bus, known))
    for carrier in sorted(_carriers(device)):
        if network is not None and carrier not in network.carriers:
            note(None, f"needs carrier {carrier}, which network '{network.id}' lacks", "add the carrier to the network, or move the device")
    if isinstance(device, Demand | Source):
        _check_series(device, content, places, note)
    for low, high in _ordered(device):
        if getattr(device, low) > getattr(device, high):
            note(low, f"has {low} {getattr(device, low):g} above {high} {getattr(device, high):g}", "swap or correct them")
    if isinstance(device, Demand) and device.kvar_profile is not None and device.kvar_profile not in read.profiles:
        note(
            "kvar_profile",
            f"follows profile '{device.kvar_profile}', which profiles.csv lacks",
            nearest(device.kvar_profile, read.profiles),
        )
    if isinstance(device, Generator) and device.commitment is not None:
        _check_commitment(device, device.commitment, note)
    if isinstance(device, EvFleet):
        _check_fleet(device, content, note)


def _carriers(device: AnyDevice) -> set[str]:
    match device:
        case Demand():
            return {device.carrier} | ({"reactive"} if device.kvar_per_kw or device.kvar_profile else set())
        case Generator():
            return {"active"} | ({"reactive"} if device.reactive_max_kvar or device.reactive_min_kvar else set())
        case Chp():
            return {"active", "heat"}
        case Converter():
            factors = {"active": device.active_factor, "heat": device.heat_factor, "hydrogen": device.hydrogen_factor}
            return {carrier for carrier, factor in factors.items() if factor}
        case Store():
            return {device.carrier}
        case _:
            return {"active"}


def _ordered(device: AnyDevice) -> list[tuple[str, str]]:
    """Pairs of fields that must not fall."""
    match device:
        case Store():
            return [
                ("energy_min_kwh", "energy_max_kwh"),
                ("energy_min_kwh", "energy_initial_kwh"),
                ("energy_initial_kwh", "energy_max_kwh"),
            ]
        case Generator():
            return [("power_min_kw", "power_max_kw"), ("reactive_min_kvar", "reactive_max_kvar"), ("power_initial_kw", "power_max_kw")]
        case Chp():
            return [("power_min_kw", "power_max_kw")]
        case Converter():
            return [("power_min_kw", "power_max_kw"), ("power_initial_kw", "power_max_kw")]
        case _:
            return []


def _check_series(device: Demand | Source, content: dict[str, Any], places: Places, note: Any) -> None:
    series = next((series for series in content["series"] if series.id == device.series), None)
    if series is None:
        if device.series not in places.ids("series"):
            note("series", f"follows series '{device.series}', which the case lacks", nearest(device.series, places.ids("series")))
        return
    kinds = ("pv", "wind") if isinstance(device, Source) else ("heat",) if device.carrier == "heat" else ("load",)
    if series.kind not in (*kinds, "other"):
        fitting = [known.id for known in content["series"] if known.kind in kinds]
        note("series", f"follows series '{device.series}' of kind {series.kind}, not {' or '.join(kinds)}", nearest(device.series, fitting))
    elif (conversion(series.unit) or ("", 0.0))[1] == 1.0 and _UNITS.get(series.kind, series.unit) != series.unit:
        note("series", f"follows series '{device.series}' in {series.unit}", f"keep it in {_UNITS[series.kind]}; sources convert")


def _check_commitment(unit: Generator, commitment: Commitment, note: Any) -> None:
    if unit.reactive_min_kvar or unit.reactive_max_kvar:
        note("commitment", "goes on and off and has reactive power, which does not go with it", "leave one of the two out")
    if not commitment.on_initially and unit.power_initial_kw > 0:
        note("power_initial_kw", f"is off at first and gives {unit.power_initial_kw:g} kW", "give power_initial_kw 0, or on_initially true")
    elif commitment.on_initially and unit.ramp_kw_per_h is not None and unit.power_initial_kw < unit.power_min_kw:
        message = f"is on at first and gives {unit.power_initial_kw:g} kW, less than power_min_kw {unit.power_min_kw:g}"
        note("power_initial_kw", message, "give what it runs at before the first interval: its ramp starts there")


def _check_fleet(fleet: EvFleet, content: dict[str, Any], note: Any) -> None:
    start = content["day_start_local"].hour if "day_start_local" in content else 0
    hours = [(hour - start) % 24 or 24 for hour in fleet.departure_hours]
    if not hours:
        note("departure_hours", "has no departure_hours", "give the local hours at which cohorts leave: 6 7")
    elif any(not 0 <= hour <= 24 for hour in fleet.departure_hours):
        note("departure_hours", "has departure_hours that are no hours", "give 0 to 24")
    elif sorted(set(hours)) != hours:
        note(
            "departure_hours",
            f"has departure_hours {list(fleet.departure_hours)} that do not rise from the day's start",
            "sort them, each once",
        )
    law = fleet.sessions
    if isinstance(law, EvSampling):
        for name in ("arrival_h", "departure_h", "arrival_energy_share"):
            normal = getattr(law, name)
            if not normal.low < normal.high or not normal.low <= normal.mean <= normal.high:
                note(
                    "sessions",
                    f"has {name} with low {normal.low:g}, mean {normal.mean:g}, high {normal.high:g}",
                    "give low <= mean <= high",
                )
        if law.departure_energy_share < law.arrival_energy_share.high:
            note("sessions", "may arrive fuller than it is to leave", "give arrival_energy_share.high <= departure_energy_share")
    if isinstance(law, EvWindow):
        span = (law.last_hour - start) % 24 - (law.first_hour - start) % 24 + 1
        if span < 1:
            note(
                "sessions",
                f"has a window from hour {law.first_hour} to {law.last_hour} across the day's start",
                "keep it inside one delivery day",
            )
        elif span * fleet.charger_kw * fleet.charge_efficiency_share < law.need_kwh:
            note(
                "sessions", f"needs {law.need_kwh:g} kWh in {span} h, more than its charger can give", "widen the window or lower the need"
            )
