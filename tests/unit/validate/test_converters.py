"""One broken law of a hydrogen microgrid at a time: the gate says which law, and names the row."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import pyarrow as pa
import pytest

from pipeline.cases.case import Case
from pipeline.core.clock import DeliveryDay
from pipeline.schedule.read_out import day_ahead_tables
from pipeline.validate.context import Context
from pipeline.validate.gates import check_stage
from tests.unit.schedule.tiny_day import setting
from tests.unit.validate.test_laws import Change, changed


@dataclass(frozen=True)
class Planned:
    case: Case
    day: DeliveryDay
    tables: dict[str, pa.Table]
    context: Context


@cache
def planned() -> Planned:
    """A day-ahead schedule of the case, and what its gate is given."""
    hydrogen = setting("hydrogen_microgrids", "reference")
    truth = hydrogen.truth()
    values = {"expected": dict(zip(truth.series, truth.values, strict=True))}
    plan = hydrogen.plan()
    return Planned(hydrogen.case, hydrogen.day, day_ahead_tables(plan, "da-0000000000000001"),
                   Context(frozenset({"da-0000000000000001"}), values, objective=plan.objective))


def refusals(name: str, table: pa.Table) -> list[str]:
    made = planned()
    tables = {**made.tables, name: table}
    mistakes, _ = check_stage(made.case, tables, day=made.day, product="day_ahead", context=made.context, contracts=None)
    return [f"{mistake.place}: {mistake.message}" for mistake in mistakes]


def test_the_schedule_passes() -> None:
    assert not refusals("schedule", planned().tables["schedule"])


LAWS: list[tuple[list[Change], str, str]] = [
    ([("mg1_electrolyser", "active", "injection", -500.0)], "mg1_electrolyser", "is outside [0, 450]"),
    ([("mg1_electrolyser", "active", "power_kw", 1.0)], "mg1_electrolyser", "its injection makes"),
    ([("mg1_electrolyser", "hydrogen", "injection", 1.0)], "mg1_electrolyser", "its power makes"),
    ([("mg1_electrolyser", "heat", "injection", 1.0)], "mg1_electrolyser", "its power makes"),
    ([("mg1_fuel_cell", "hydrogen", "injection", 1.0)], "mg1_fuel_cell", "its power makes"),
    ([("mg1_boiler", "heat", "injection", 1.0)], "mg1_boiler", "its power makes"),
    ([("mg1_boiler", "heat", "vent_kwth", 1.0)], "mg1_boiler", "its power makes"),
    ([("mg1_boiler", "heat", "vent_kwth", 1e3)], "mg1_boiler", "is outside [0, 900]"),
    ([("mg1_electrolyser", "active", "injection", -5.0), ("mg1_fuel_cell", "active", "injection", 5.0)], "mg1_electrolyser", "it excludes"),
    ([("mg1_tank", "hydrogen", "energy_m3", 1.0)], "mg1_tank", "the step before and the power make"),
    ([("mg1_tank", "hydrogen", "energy_m3", 1e3)], "mg1_tank", "is outside [150, 1350]"),
    ([("mg1_tank", "hydrogen", "charge_m3h", 1.0)], "mg1_tank", "less charging"),
]


@pytest.mark.parametrize(("changes", "device", "words"), LAWS, ids=[f"{c[0][0]}.{c[0][1]}.{c[0][2]}{c[0][3]:+g}" for c, _, _ in LAWS])
def test_a_broken_law_is_named(changes: list[Change], device: str, words: str) -> None:
    said = refusals("schedule", changed(planned().tables["schedule"], changes, "expected"))
    assert any(f"device={device} " in one and "step=10," in one and words in one for one in said), said


def test_hydrogen_that_comes_from_nowhere_is_named() -> None:
    said = refusals("schedule", changed(planned().tables["schedule"], [("mg1_tank", "hydrogen", "injection", 0.5)], "expected"))
    assert any("network=mg1 carrier=hydrogen" in one and "injections sum to 0.5" in one for one in said)


def test_what_running_costs_is_recomputed() -> None:
    costs = planned().tables["costs"]
    terms = costs.column("term").to_pylist()
    value = costs.column("value").to_numpy().copy()
    value[terms.index("conversion_cost")] += 1.0
    said = refusals("costs", costs.set_column(costs.schema.get_field_index("value"), "value", pa.array(value)))
    assert any("term=conversion_cost" in one and "quantities times prices make" in one for one in said)
