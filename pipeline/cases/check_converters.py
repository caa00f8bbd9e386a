"""Checks of converters: what they turn into what, and pairs that never run at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.cases.mistakes import Mistakes
from pipeline.cases.raw import nearest
from pipeline.equipment import Converter

if TYPE_CHECKING:
    from pipeline.cases.checks import Places


def check_converters(content: dict[str, Any], places: Places, mistakes: Mistakes) -> None:
    """Conversions that mean nothing, heat from nothing lost, and pairs with strangers."""
    units = {device.id: device for device in content["devices"] if isinstance(device, Converter)}
    for unit in units.values():

        def note(field: str, message: str, remedy: str, unit: Converter = unit) -> None:
            mistakes.note(places.of("devices", unit.id, field), f"converter '{unit.id}' {message}", remedy)

        if unit.input_carrier == unit.output_carrier:
            note("output_carrier", f"makes {unit.output_carrier} from {unit.input_carrier}", "give two carriers")
        elif unit.input_carrier == "fuel" and unit.output_carrier == "hydrogen":
            note("output_carrier", "makes hydrogen from fuel: neither side has a power in kW", "give active or heat on one side")
        if unit.waste_heat_share > 0 and unit.output_carrier == "heat":
            note("waste_heat_share", "recovers heat beside the heat that it makes", "put both into conversion_factor")
        elif unit.waste_heat_share > 0 and unit.conversion_factor > 1:
            note("waste_heat_share", "recovers heat though nothing is lost", "give conversion_factor <= 1, or waste_heat_share 0")
        if unit.exclusive_with is not None:
            _check_pair(unit, units, places, note)


def _check_pair(unit: Converter, units: dict[str, Converter], places: Places, note: Any) -> None:
    other = units.get(str(unit.exclusive_with))
    if other is None:
        if unit.exclusive_with not in places.ids("devices"):
            note("exclusive_with", f"excludes '{unit.exclusive_with}', which the case lacks", nearest(str(unit.exclusive_with), units))
        elif len(units) > 1:
            note("exclusive_with", f"excludes '{unit.exclusive_with}', which is no converter", nearest(str(unit.exclusive_with), units))
    elif other is unit:
        note("exclusive_with", "excludes itself", "name the other unit of the pair")
    elif other.exclusive_with == unit.id and unit.id > other.id:
        note("exclusive_with", f"and '{other.id}' name each other", "let one of the two name the other")
    elif "heat" in (unit.rated_carrier, other.rated_carrier):
        note("exclusive_with", f"or '{other.id}' has no electric side", "pair units that draw or feed power")
