"""One broken law at a time: the gate says which law, and names the row."""

from __future__ import annotations

import ast
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from pipeline.equipment import Branch
from pipeline.validate.ac import AcResult, ac_check, power_flow
from pipeline.validate.balances import check_network_sums, voltage_findings
from pipeline.validate.context import Bound
from pipeline.validate.findings import CHECKS
from pipeline.validate.frame import frame
from pipeline.validate.gates import check_stage
from pipeline.validate.radial import feeder, feeders
from tests.unit.validate.synthetic import Day, make_day

Change = tuple[str, str, str, float]  # device, carrier, quantity, added at step 10


@cache
def day() -> Day:
    return make_day()


def changed(table: pa.Table, changes: list[Change], scenario: str) -> pa.Table:
    value = table.column("value").to_numpy().copy()
    columns = [table.column(name).to_pylist() for name in ("scenario", "device", "carrier", "quantity", "step")]
    at = {key: row for row, key in enumerate(zip(*columns, strict=True))}
    for device, carrier, quantity, added in changes:
        value[at[scenario, device, carrier, quantity, 10]] += added
    return table.set_column(table.schema.get_field_index("value"), "value", pa.array(value))


LAWS: list[tuple[list[Change], str, str]] = [
    ([("f01_b02_load", "active", "injection", 1.0)], "f01_b02_load", "load and shedding make"),
    ([("f01_b02_load", "reactive", "injection", 1.0)], "f01_b02_load", "load and shedding make"),
    ([("mg_f01_b04_heat_load", "heat", "shed_kwth", 1e3)], "mg_f01_b04_heat_load", "is outside"),
    ([("f01_wind", "active", "injection", 1e3)], "f01_wind", "is outside"),
    ([("f01_wind", "active", "curtailed_kw", 1.0)], "f01_wind", "less curtailed"),
    ([("f01_generator", "active", "injection", 90.0)], "f01_generator", "is outside [0, 100]"),
    ([("f01_generator", "reactive", "injection", 90.0)], "f01_generator", "is outside [0, 100]"),
    ([("mg_f01_b04_chp", "active", "injection", 300.0)], "mg_f01_b04_chp", "is outside [0, 150]"),
    ([("mg_f01_b04_chp", "heat", "injection", 5.0)], "mg_f01_b04_chp", "less vented"),
    ([("f01_battery", "active", "charge_kw", 5.0)], "f01_battery", "less charging"),
    ([("f01_battery", "active", "charge_kw", 500.0)], "f01_battery", "is outside [0, 100]"),
    ([("f01_battery", "active", "discharge_kw", 1.0)], "f01_battery", "at once"),
    ([("f01_battery", "active", "energy_kwh", 1.0)], "f01_battery", "the step before and the power make"),
    ([("f01_battery", "active", "energy_kwh", 500.0)], "f01_battery", "is outside [0, 300]"),
    ([("mg_f01_b04_heat_store", "heat", "energy_kwhth", 0.5)], "mg_f01_b04_heat_store", "the step before and the power make"),
    ([("f01_ev", "active", "injection", -99.0)], "f01_ev", "is outside [-13.2, 0]"),
    ([("f01_ev", "active", "charge_kw[1]", 1.0)], "f01_ev", "its cohorts charge"),
    ([("f01_ev", "active", "energy_kwh[2]", 1.0)], "f01_ev", "the step before and the power make"),
    ([("grid", "active", "injection", 1e4)], "grid", "is outside [-500, 500]"),
    ([("grid", "active", "exchange_kw", 1.0)], "grid", "injection at the lower end"),
    ([("mg_f01_b04_tie", "active", "injection", 1.0)], "mg_f01_b04_tie", "are not opposite"),
    ([("f01_wind", "active", "curtailed_kw", -50.0)], "f01_wind", "is negative"),
]


@pytest.mark.parametrize(("changes", "device", "words"), LAWS, ids=[f"{c[0][0]}.{c[0][2]}{c[0][3]:+g}" for c, _, _ in LAWS])
def test_a_broken_law_is_named(changes: list[Change], device: str, words: str) -> None:
    made = day()
    tables = {**made.tables["real_time"], "dispatch": changed(made.tables["real_time"]["dispatch"], changes, "settled")}
    mistakes, _ = check_stage(made.case, tables, day=made.day, product="real_time", context=made.context["real_time"], contracts=None)
    named = [mistake for mistake in mistakes if f"device={device} " in mistake.place and words in mistake.message]
    assert named, [str(mistake) for mistake in mistakes]
    assert "step=10," in named[0].place


def test_a_network_that_does_not_sum_to_zero_is_named_with_its_step() -> None:
    made = day()
    tables = {"dispatch": changed(made.tables["real_time"]["dispatch"], [("f01_b02_load", "active", "injection", 0.5)], "settled")}
    mistakes, _ = check_stage(made.case, tables, day=made.day, product="real_time", contracts=None)
    assert [mistake.message for mistake in mistakes] == ["injections sum to 0.5, not to zero"]
    assert "network=distribution carrier=active scenario=settled quantity=injection step=10" in mistakes[0].place


@pytest.mark.parametrize(("published", "refused"), [(2.0, False), (1.9, True), (0.0, True)])
def test_what_nothing_could_take_is_allowed_once_and_not_in_every_network(published: float, refused: bool) -> None:
    made = day()
    changes = [("f01_b02_load", "active", "injection", 1.0), ("mg_f01_b04_heat_load", "heat", "injection", 1.0)]
    table = changed(made.tables["real_time"]["dispatch"], changes, "settled")
    mistakes = check_network_sums(made.case, frame("dispatch", table), {10: published})
    named = [("network=distribution" in one.place, "carrier=heat" in one.place) for one in mistakes]
    assert named == [(True, False), (False, True)] * refused


def test_a_missing_row_and_a_missing_step() -> None:
    made = day()
    for product, name, words in (("real_time", "dispatch", "row is missing"), ("day_ahead", "schedule", "row is missing")):
        table = made.tables[product][name]
        quantity = table.column("quantity").to_pylist()
        gone = quantity.index("injection") + 3
        tables = {name: pa.concat_tables([table.slice(0, gone), table.slice(gone + 1)])}
        mistakes, _ = check_stage(made.case, tables, day=made.day, product=product, contracts=None)
        assert words in mistakes[0].message
    schedule = made.tables["day_ahead"]["schedule"]
    short = schedule.filter(pa.compute.less(schedule.column("step"), 24))
    mistakes, _ = check_stage(made.case, {"schedule": short}, day=made.day, product="day_ahead", contracts=None)
    assert mistakes[0].message == "holds 23 steps, the day has 24"


def test_a_position_that_knows_its_scenario_is_refused() -> None:
    made = day()
    tables = dict(made.tables["day_ahead"])
    tables["schedule"] = changed(tables["schedule"], [("grid", "active", "schedule_kw", 1.0)], "2")
    mistakes, _ = check_stage(made.case, tables, day=made.day, product="day_ahead", contracts=None)
    assert any("differs between scenarios" in mistake.message for mistake in mistakes)


def test_envelopes_of_the_sessions_bind() -> None:
    made = day()
    cohorts = 2
    none = np.zeros((cohorts, 96))
    context = replace(made.context["real_time"], envelopes={"f01_ev": (none, none, none, none)})
    mistakes, _ = check_stage(made.case, made.tables["real_time"], day=made.day, product="real_time", context=context, contracts=None)
    assert {"device=f01_ev" in mistake.place and "is outside [0, 0]" in mistake.message for mistake in mistakes} == {True}


def test_the_state_before_a_chain_binds_its_first_step() -> None:
    made = day()
    context = replace(made.context["real_time"], before={("f01_battery", "energy_kwh"): 10.0})
    mistakes, _ = check_stage(made.case, made.tables["real_time"], day=made.day, product="real_time", context=context, contracts=None)
    assert all("quantity=energy_kwh step=1," in mistake.place for mistake in mistakes)
    assert mistakes


def test_where_a_person_spoke_the_device_is_not_held_against_its_series() -> None:
    made = day()
    tables = {
        **made.tables["real_time"],
        "dispatch": changed(made.tables["real_time"]["dispatch"], [("f01_wind", "active", "curtailed_kw", 1.0)], "settled"),
    }
    start = int(made.day.starts()[9])
    context = replace(made.context["real_time"], overrides=(Bound("f01_wind", "limit_high_kw", 5.0, start, start + 900),))
    mistakes, _ = check_stage(made.case, tables, day=made.day, product="real_time", context=context, contracts=None)
    assert not any("less curtailed" in mistake.message for mistake in mistakes)


def test_an_objective_that_the_costs_do_not_make() -> None:
    made = day()
    context = replace(made.context["day_ahead"], objective=1.0)
    mistakes, _ = check_stage(made.case, made.tables["day_ahead"], day=made.day, product="day_ahead", context=context, contracts=None)
    assert ["the program's objective is 1" in mistake.message for mistake in mistakes] == [True]


def test_slack_that_moved_is_a_warning() -> None:
    made = day()
    tables = {"dispatch": changed(made.tables["real_time"]["dispatch"], [("f01_b02_load", "active", "shed_kw", 0.5)], "settled")}
    _, findings = check_stage(made.case, tables, day=made.day, product="real_time", contracts=None)
    assert [(f.severity, f.check, f.place, f.value) for f in findings] == [
        ("warning", "slack_used", "f01_b02_load shed_kw step 10", 0.5),
        ("warning", "room_left", "distribution: load is shed", 0.5),  # the tie to the grid could have brought it
    ]


@pytest.mark.parametrize(("voltage", "severity"), [(0.945, "info"), (0.93, "warning"), (1.055, "info"), (1.07, "warning")])
def test_decided_voltages_outside_their_limits(voltage: float, severity: str) -> None:
    table = day().tables["real_time"]["bus_state"]
    values = table.column("voltage_pu").to_numpy().copy()
    values[7] = voltage
    bent = table.set_column(table.schema.get_field_index("voltage_pu"), "voltage_pu", pa.array(values))
    (finding,) = voltage_findings(day().case, bent, stage="real_time")
    assert (finding.severity, finding.check, finding.value) == (severity, "voltage_limit", voltage)
    assert finding.place == f"{table.column('bus')[7].as_py()} step 8"


# ------------------------------------------------------------------ AC power flow


def test_a_busbar_tie_without_impedance_and_branches_drawn_upwards() -> None:
    """A tie is a link of the power flow; a branch may point towards the slack bus."""
    made = day()
    lines = made.case.branches
    bent = (
        Branch(id=lines[0].id, from_bus=lines[0].from_bus, to_bus=lines[0].to_bus, r_ohm=0.0, x_ohm=0.0),
        Branch(
            id=lines[1].id, from_bus=lines[1].to_bus, to_bus=lines[1].from_bus, r_ohm=lines[1].r_ohm, x_ohm=lines[1].x_ohm, rating_kva=100.0
        ),
        lines[2],
    )
    case = made.case.model_copy(update={"branches": bent})
    (tree,) = feeders(case)
    load = np.zeros((4, 1))
    load[tree.index["f01_b04"]] = -90.0
    result = power_flow(tree, load, np.zeros((4, 1)))
    assert result.voltage_pu[tree.index["f01_b02"], 0] == pytest.approx(1.0, abs=1e-9)
    assert result.loss_kw[0, 0] == 0.0
    assert tree.flows(load)[1, 0] == pytest.approx(-90.0)
    sweep = tree.voltages_pu(tree.flows(load), np.zeros((3, 1)))
    assert result.voltage_pu[:, 0] == pytest.approx(sweep[:, 0], abs=1e-5)
    assert result.apparent_kva[1, 0] == pytest.approx(90.0, rel=1e-2)


def test_an_interval_that_does_not_converge_is_a_warning_and_leaves_its_cells_empty() -> None:
    made = day()
    tables = dict(made.tables["real_time"])
    tables["dispatch"] = changed(tables["dispatch"], [("f01_b04_load", "active", "injection", -1e9)], "settled")
    done, findings = ac_check(made.case, tables, stage="real_time")
    assert [f.place for f in findings if f.check == "ac_converged" and f.severity == "warning"] == ["distribution step 10"]
    assert done["bus_state"].column("voltage_ac_pu").null_count == 4
    assert done["branch_state"].column("loss_ac_kw").null_count == 3


def test_ac_figures_are_warnings_only_beyond_their_margins() -> None:
    from pipeline.validate.ac import _findings
    from pipeline.validate.frame import frame

    made = day()
    (tree,) = feeders(made.case)
    long = frame("dispatch", made.tables["real_time"]["dispatch"])
    voltage, none = np.ones((4, 96)), np.zeros((3, 96))
    voltage[2, 5], voltage[3, 6] = 0.945, 0.93
    loading = np.full((3, 96), np.nan)
    loading[0], loading[1] = 1.02, 1.05
    found = _findings(
        tree, long, AcResult(voltage, none, none, np.zeros(96, dtype=bool)), loading, made.tables["real_time"]["bus_state"], "real_time"
    )
    assert [(f.check, f.place) for f in found if f.severity == "warning"] == [
        ("ac_voltage_limit", f"{tree.buses[3]} step 7"),
        ("ac_loading", f"{tree.branches[1].id} step 1"),
    ]


def test_a_feeder_that_is_no_tree_is_refused() -> None:
    made = day()
    ring = (*made.case.branches, Branch(id="ring", from_bus="f01_b01", to_bus="f01_b04", r_ohm=0.1, x_ohm=0.1))
    case = made.case.model_copy(update={"branches": ring})
    with pytest.raises(ValueError, match="is no tree"):
        feeder(case, case.networks[0])


# ------------------------------------------------------------------ vocabulary


def test_every_finding_of_the_source_is_in_the_vocabulary_and_in_the_docs() -> None:
    root = Path(__file__).resolve().parents[3]
    said: set[str] = set()
    for path in (root / "pipeline").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Finding":
                # Those of the deciding side begin with the stage; then come severity, check and place.
                words = [arg.value for arg in node.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
                known = ("info", "warning", "day_ahead", "real_time")
                said |= set([word for word in words if word not in known and word.isidentifier()][:1])
            if (
                isinstance(node, ast.Call)
                and getattr(node.func, "attr", "") == "warn"
                and node.args
                and isinstance(node.args[0], ast.Constant)
            ):
                said.add(str(node.args[0].value))
    assert said - set(CHECKS) == set()
    text = (root / "docs" / "gates.md").read_text()
    assert [name for name in CHECKS if f"`{name}`" not in text] == []
