"""The unit is part of a name. Conversions happen in ingest and nowhere else."""

from __future__ import annotations

import re

# Longest match wins: `_usd_per_kwh` is caught by `_per_kwh`.
SUFFIXES: tuple[str, ...] = (
    "_per_kwh", "_per_kw2h", "_per_pu_h", "_per_m3", "_per_h", "_per_kw", "_kvar_per_kw",
    "_kwth", "_kwhth", "_kwh", "_kvarh", "_kw", "_kvar", "_kva", "_m3h", "_m3",
    "_pu", "_ohm", "_kv", "_h", "_min", "_s", "_share", "_factor", "_count", "_steps", "_days", "_seed",
)

# unit -> (canonical unit, factor to canonical). Prices in whole units of a currency: `conversion`.
CONVERSIONS: dict[str, tuple[str, float]] = {
    "W": ("kW", 1e-3), "kW": ("kW", 1.0), "MW": ("kW", 1e3), "GW": ("kW", 1e6),
    "kWth": ("kWth", 1.0), "MWth": ("kWth", 1e3), "Wth": ("kWth", 1e-3),
    "kvar": ("kvar", 1.0), "Mvar": ("kvar", 1e3),
    "ct/kWh": ("EUR/kWh", 1e-2),
    "m3/h": ("m3/h", 1.0), "p.u.": ("p.u.", 1.0), "1": ("1", 1.0),
}

CARRIER_UNITS: dict[str, str] = {"active": "kW", "reactive": "kvar", "heat": "kWth", "hydrogen": "m3/h"}

CURRENCY = re.compile(r"[A-Z]{3}")  # a code of ISO 4217
_PRICE = re.compile(r"([A-Z]{3})/([kM])Wh")


def conversion(unit: str) -> tuple[str, float] | None:
    """Canonical unit and the factor to it; None for a unit nobody knows. Prices may be in any currency's `CUR/kWh` or `CUR/MWh`."""
    price = _PRICE.fullmatch(unit)
    if price:
        return f"{price[1]}/kWh", 1.0 if price[2] == "k" else 1e-3
    return CONVERSIONS.get(unit)


def is_price(unit: str) -> bool:
    """True for money per energy."""
    return unit == "ct/kWh" or _PRICE.fullmatch(unit) is not None


def known_units(currency: str) -> tuple[str, ...]:
    """What a case in this currency may measure in: other currencies are no suggestion to anybody."""
    prices = (f"{currency}/kWh", f"{currency}/MWh")
    return (*(unit for unit in CONVERSIONS if unit != "ct/kWh" or currency == "EUR"), *prices)


def has_unit(name: str) -> bool:
    """True when a numeric name ends in a known unit suffix."""
    return name.endswith(SUFFIXES)
