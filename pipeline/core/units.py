"""The unit is part of a name. Conversions happen in ingest and nowhere else."""

from __future__ import annotations

# Longest match wins: `_usd_per_kwh` is caught by `_per_kwh`.
SUFFIXES: tuple[str, ...] = (
    "_per_kwh", "_per_kw2h", "_per_pu_h", "_per_m3", "_per_h", "_per_kw", "_kvar_per_kw",
    "_kwth", "_kwhth", "_kwh", "_kvarh", "_kw", "_kvar", "_kva", "_m3h", "_m3",
    "_pu", "_ohm", "_kv", "_h", "_min", "_s", "_share", "_factor", "_count", "_steps", "_days", "_seed",
)

# unit -> (canonical unit, factor to canonical)
CONVERSIONS: dict[str, tuple[str, float]] = {
    "W": ("kW", 1e-3), "kW": ("kW", 1.0), "MW": ("kW", 1e3), "GW": ("kW", 1e6),
    "kWth": ("kWth", 1.0), "MWth": ("kWth", 1e3), "Wth": ("kWth", 1e-3),
    "kvar": ("kvar", 1.0), "Mvar": ("kvar", 1e3),
    "USD/kWh": ("USD/kWh", 1.0), "USD/MWh": ("USD/kWh", 1e-3),
    "EUR/kWh": ("EUR/kWh", 1.0), "EUR/MWh": ("EUR/kWh", 1e-3), "ct/kWh": ("EUR/kWh", 1e-2),
    "m3/h": ("m3/h", 1.0), "p.u.": ("p.u.", 1.0), "1": ("1", 1.0),
}

CARRIER_UNITS: dict[str, str] = {"active": "kW", "reactive": "kvar", "heat": "kWth", "hydrogen": "m3/h"}


def has_unit(name: str) -> bool:
    """True when a numeric name ends in a known unit suffix."""
    return name.endswith(SUFFIXES)
