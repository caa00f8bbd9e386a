"""Every conversion ends in a unit that is its own; names carry their unit."""

from __future__ import annotations

import pytest

from pipeline.core.units import CARRIER_UNITS, CONVERSIONS, has_unit


@pytest.mark.parametrize("unit", sorted(CONVERSIONS))
def test_a_canonical_unit_converts_to_itself(unit: str) -> None:
    canonical, factor = CONVERSIONS[unit]
    assert CONVERSIONS[canonical] == (canonical, 1.0)
    assert factor > 0


def test_every_carrier_has_a_canonical_unit() -> None:
    assert all(CONVERSIONS[unit] == (unit, 1.0) for unit in CARRIER_UNITS.values())


@pytest.mark.parametrize(("name", "carries"), [
    ("power_max_kw", True), ("price_per_kwh", True), ("loading_share", True), ("power", False), ("kw_power", False),
])
def test_a_name_carries_its_unit(name: str, carries: bool) -> None:
    assert has_unit(name) is carries
