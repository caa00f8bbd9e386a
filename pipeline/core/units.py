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
    "degC": ("degC", 1.0), "K": ("K", 1.0), "degF": ("degF", 1.0),
    "m/s": ("m/s", 1.0), "km/h": ("m/s", 1 / 3.6), "kn": ("m/s", 1852 / 3600),
    "W/m2": ("W/m2", 1.0), "kW/m2": ("W/m2", 1e3),
    "hPa": ("hPa", 1.0), "mbar": ("hPa", 1.0), "Pa": ("hPa", 1e-2), "kPa": ("hPa", 10.0),
    "%": ("%", 1.0), "mm": ("mm", 1.0), "deg": ("deg", 1.0), "Hz": ("Hz", 1.0), "V": ("V", 1.0), "kV": ("V", 1e3), "A": ("A", 1.0),
}

# Amount per interval, or on a meter's counter -> (unit of the mean over the interval, factor to that unit times hours).
AMOUNTS: dict[str, tuple[str, float]] = {
    "Wh": ("kW", 1e-3), "kWh": ("kW", 1.0), "MWh": ("kW", 1e3), "GWh": ("kW", 1e6),
    "Whth": ("kWth", 1e-3), "kWhth": ("kWth", 1.0), "MWhth": ("kWth", 1e3),
    "MJth": ("kWth", 1 / 3.6), "GJth": ("kWth", 1e3 / 3.6), "kvarh": ("kvar", 1.0), "Mvarh": ("kvar", 1e3), "m3": ("m3/h", 1.0),
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


def amount(unit: str) -> tuple[str, float] | None:
    """Unit of the mean that an amount per interval becomes, and the factor to that unit times hours; None for what is no amount."""
    return AMOUNTS.get(unit)


def measured_in(unit: str) -> str | None:
    """The canonical unit of what is measured in `unit`, as a mean or as an amount per interval; None for a unit nobody knows."""
    known = conversion(unit) or amount(unit)
    return None if known is None else known[0]


def thousandth(unit: str, *, of: int = 1, currency: str) -> str | None:
    """The unit that is a thousandth (`of=1`) or a thousand times (`of=-1`) of this one and measures the same; None where there is none."""
    known = conversion(unit) or amount(unit)
    if known is None:
        return None
    wanted = known[1] * 1000.0**-of
    for other in units_becoming(known[0], currency):
        own = conversion(other) if amount(unit) is None else amount(other)
        if own is not None and abs(own[1] / wanted - 1) < 1e-9:
            return other
    return None


def is_price(unit: str) -> bool:
    """True for money per energy."""
    return unit == "ct/kWh" or _PRICE.fullmatch(unit) is not None


def known_units(currency: str) -> tuple[str, ...]:
    """What a series of a case in this currency may be measured in: other currencies are no suggestion to anybody."""
    prices = (f"{currency}/kWh", f"{currency}/MWh")
    return (*(unit for unit in CONVERSIONS if unit != "ct/kWh" or currency == "EUR"), *prices)


def units_becoming(canonical: str, currency: str) -> tuple[str, ...]:
    """Units of a source that can be converted to this canonical one, amounts per interval included."""
    return tuple(unit for unit in (*known_units(currency), *AMOUNTS) if measured_in(unit) == canonical)


def has_unit(name: str) -> bool:
    """True when a numeric name ends in a known unit suffix."""
    return name.endswith(SUFFIXES)
