"""What a case holds, as data and in words."""

from __future__ import annotations

from collections import Counter
from typing import Any

from pipeline.cases.case import Case
from pipeline.cases.load import variants
from pipeline.equipment import AnyDevice, Chp, Converter, Generator, Source, Store


def summary(case: Case) -> dict[str, Any]:
    """Counts, sizes and choices of one variant, ready for JSON."""
    kinds = Counter(device.kind for device in case.devices)
    series = Counter(series.kind for series in case.series)
    distribution = [network.id for network in case.networks if network.kind == "lindistflow"]
    counted = [bus for bus in case.buses if bus.network in distribution]
    return {
        "name": case.name,
        "title": case.title,
        "variant": case.variant,
        "variants": variants(case.folder) if case.folder else ["default"],
        "folder": str(case.folder) if case.folder else None,
        "currency": case.currency,
        "time_zone": case.time_zone,
        "day_start_local": case.day_start_local.isoformat("minutes"),
        "default_date": case.default_date.isoformat(),
        "feeder_bus_count": len(counted),
        "branch_count": len(case.branches),
        "microgrid_count": sum(network.kind == "copper_plate" for network in case.networks),
        "device_count": dict(sorted(kinds.items())),
        "tie_count": len(case.ties),
        "series_count": dict(sorted(series.items())),
        "synthetic_series": sorted(one.id for one in case.series if one.synthetic),
        "generation_max_kw": sum(_generation_kw(device) for device in case.devices),
        "renewables_max_kw": _renewables(case),
        "storage_kwh": sum(device.energy_max_kwh for device in case.devices if isinstance(device, Store) and device.carrier == "active"),
        "method": case.settings.method.kind,
        "forecast_model": case.settings.forecast.model,
        "sources": [f"{source.kind} {source.id}" for source in case.sources],
        "digest": case.digest,
    }


def _generation_kw(device: AnyDevice) -> float:
    """Power from fuel; what comes out of a store is not generated."""
    if isinstance(device, Generator | Chp):
        return device.power_max_kw
    fed = isinstance(device, Converter) and device.input_carrier == "fuel" and device.output_carrier == "active"
    return device.power_max_kw if isinstance(device, Converter) and fed else 0.0


def _renewables(case: Case) -> float:
    capacity = {series.id: series.capacity_kw or 0.0 for series in case.series}
    return sum(capacity[device.series] * device.series_share for device in case.devices if isinstance(device, Source))


def describe(case: Case) -> str:
    """The summary as lines for a person."""
    found = summary(case)
    devices = ", ".join(f"{count} {kind}" for kind, count in found["device_count"].items())
    series = ", ".join(f"{count} {kind}" for kind, count in found["series_count"].items())
    synthetic = found["synthetic_series"]
    marked = "all" if len(synthetic) == len(case.series) else ", ".join(synthetic[:4]) + (", .." if len(synthetic) > 4 else "")
    lines = [
        f"{found['name']}: {found['title']}" if found["title"] else found["name"],
        f"variant    {found['variant']} (of {', '.join(found['variants'])})",
        f"system     {found['feeder_bus_count']} feeder buses, {found['branch_count']} branches, "
        f"{found['microgrid_count']} microgrids, {found['tie_count']} ties",
        f"devices    {devices}",
        f"sizes      {found['generation_max_kw']:g} kW generation, {found['renewables_max_kw']:g} kW renewables, "
        f"{found['storage_kwh']:g} kWh batteries",
        f"series     {series}" + (f"; synthetic: {marked}" if synthetic else ""),
        f"sources    {', '.join(found['sources']) or 'none'}",
        f"time       {found['time_zone']}, days start at {found['day_start_local']}, default date {found['default_date']}",
        f"method     {found['method']} on {found['forecast_model']} forecasts, money in {found['currency']}",
        f"folder     {found['folder']}",
    ]
    return "\n".join(lines)
