"""Every conversion ends in a unit that is its own; names carry their unit."""

from __future__ import annotations

import pytest

from pipeline.core.units import (
    AMOUNTS,
    CARRIER_UNITS,
    CONVERSIONS,
    conversion,
    has_unit,
    known_units,
    measured_in,
    thousandth,
    units_becoming,
)


@pytest.mark.parametrize("unit", sorted({*CONVERSIONS, "CHF/MWh", "EUR/kWh"}))
def test_a_canonical_unit_converts_to_itself(unit: str) -> None:
    found = conversion(unit)
    assert found is not None
    assert conversion(found[0]) == (found[0], 1.0)
    assert found[1] > 0


def test_prices_may_be_in_any_currency() -> None:
    assert [conversion(unit) for unit in ("CHF/MWh", "GBP/kWh", "ct/kWh")] == [("CHF/kWh", 1e-3), ("GBP/kWh", 1.0), ("EUR/kWh", 1e-2)]
    assert [conversion(unit) for unit in ("chf/MWh", "CHF/GWh", "SFR./kWh", "FRANC/kWh")] == [None] * 4
    assert {"CHF/kWh", "CHF/MWh", "kW"} <= set(known_units("CHF"))
    assert not {"USD/kWh", "EUR/kWh", "ct/kWh"} & set(known_units("CHF"))


def test_every_carrier_has_a_canonical_unit() -> None:
    assert all(CONVERSIONS[unit] == (unit, 1.0) for unit in CARRIER_UNITS.values())


@pytest.mark.parametrize(("name", "carries"), [
    ("power_max_kw", True), ("price_per_kwh", True), ("loading_share", True), ("power", False), ("kw_power", False),
])
def test_a_name_carries_its_unit(name: str, carries: bool) -> None:
    assert has_unit(name) is carries


@pytest.mark.parametrize(("unit", "of", "found"), [
    ("MW", 1, "kW"), ("kW", 1, "W"), ("W", 1, None), ("kW", -1, "MW"), ("kWh", 1, "Wh"), ("Wh", -1, "kWh"), ("MWth", 1, "kWth"),
    ("EUR/kWh", 1, "EUR/MWh"), ("EUR/MWh", -1, "EUR/kWh"), ("EUR/MWh", 1, None), ("m/s", 1, None), ("nonsense", 1, None),
])
def test_the_unit_a_thousand_times_smaller_or_larger(unit: str, of: int, found: str | None) -> None:
    assert thousandth(unit, of=of, currency="EUR") == found


def test_amounts_become_means_in_a_canonical_unit() -> None:
    assert all(conversion(unit) == (unit, 1.0) for unit, _ in AMOUNTS.values())
    assert not set(AMOUNTS) & set(CONVERSIONS)
    assert measured_in("MWh") == "kW" and measured_in("m3") == "m3/h" and measured_in("degC") == "degC" and measured_in("kUh") is None
    assert units_becoming("kWth", "EUR") == ("kWth", "MWth", "Wth", "Whth", "kWhth", "MWhth", "MJth", "GJth")
