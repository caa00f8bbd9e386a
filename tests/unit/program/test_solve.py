"""Freeze, live solves, prices, statuses, export and explanation, on small programs whose answers are known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import highspy
import numpy as np
import pytest

from pipeline.core.errors import InputError
from pipeline.equipment import Branch, Bus, Chp, Demand, Generator, Network, Source, Store, Tie
from pipeline.program.duals import nodal_prices
from pipeline.program.explain import explain
from pipeline.program.freeze import freeze
from pipeline.program.linear_program import Floats, LinearProgram
from pipeline.program.solve import LiveSolver, SolveOptions, Status, solve
from pipeline.program.structure import block_structure, rows_longer_than
from tests.helpers import case_of, compiled_sample, inputs_of, market_tie

STORE = Store(id="b", bus="plate", charge_max_kw=100, discharge_max_kw=100, charge_efficiency_share=0.95,
              discharge_efficiency_share=0.95, energy_max_kwh=300, energy_initial_kwh=0, wear_cost_per_kwh=1e-4, cycle="none")
UNIT = Generator(id="g", bus="plate", power_max_kw=100, cost_linear_per_kwh=0.08, cost_quadratic_per_kw2h=0.001, segment_count=2)
LOAD = Demand(id="d", bus="plate", series="load")


def scheduled(positions: int = 4) -> tuple[LinearProgram, Floats]:
    """Battery, generator and load behind a tie with a day-ahead position."""
    program, _ = compiled_sample(case_of(STORE, UNIT, LOAD, ties=(market_tie(deviation_price_per_kwh=0.01),)), positions=positions)
    prices = 0.05 + 0.1 * (np.arange(positions) % 2)
    return program, inputs_of(program, {"d.load_kw": 40.0, "grid.price_per_kwh": prices, **dict.fromkeys(
        ("grid.deviation_up_price_per_kwh", "grid.deviation_down_price_per_kwh"), 0.01)})


def test_freezing_the_optimal_position_changes_nothing() -> None:
    program, inputs = scheduled()
    free = solve(program.bind(inputs))
    columns = program.columns_like(["*.schedule_kw"])
    frozen = freeze(program, columns)
    assert frozen.input_names[-4:] == tuple(f"grid.schedule_kw[{t}]" for t in range(1, 5))
    assert frozen.inputs["grid.schedule_kw"].role == "frozen"
    assert free.x is not None
    held = solve(frozen.bind(np.concatenate([inputs, free.x[columns]])))
    assert held.objective == pytest.approx(free.objective, rel=1e-9)
    moved = solve(frozen.bind(np.concatenate([inputs, free.x[columns] + 10])))
    assert moved.objective == pytest.approx(free.objective + 4 * 10 * 0.01), "10 kW off the position in four hours"


def test_the_constant_cost_of_a_frozen_column_stays_in_the_objective() -> None:
    program, inputs = scheduled()
    free = solve(program.bind(inputs))
    assert free.x is not None
    columns = program.columns_like(["b.charge_kw", "b.discharge_kw"])
    frozen = freeze(program, columns)
    assert solve(frozen.bind(np.concatenate([inputs, free.x[columns]]))).objective == pytest.approx(free.objective, rel=1e-9)


def test_freezing_a_column_with_a_price_is_refused() -> None:
    program, _ = scheduled()
    with pytest.raises(InputError, match=r"grid\.exchange_kw\[1\]: costs grid\.price_per_kwh\[1\] times itself"):
        freeze(program, program.columns_like(["grid.exchange_kw"]))


def test_a_live_solve_equals_a_cold_one() -> None:
    program, inputs = scheduled(12)
    live, rng = LiveSolver(program), np.random.default_rng(0)
    moving = np.concatenate([program.input_index[name] for name in ("d.load_kw", "grid.price_per_kwh", "b.energy_before_kwh")])
    for _ in range(20):
        inputs = inputs.copy()
        inputs[moving] = rng.uniform(0, 1, moving.size)
        warm, cold = live.solve(inputs), solve(program.bind(inputs))
        assert warm.status is cold.status is Status.optimal
        assert warm.objective == pytest.approx(cold.objective, abs=1e-9)


def test_with_a_basis_the_answer_does_not_depend_on_what_was_solved_before() -> None:
    program, inputs = scheduled(12)
    other = inputs.copy()
    other[program.input_index["grid.price_per_kwh"]] = np.linspace(0.2, 0.01, 12)
    first = LiveSolver(program)
    start = first.solve(inputs)
    one = first.solve(other, basis=start.basis)
    second = LiveSolver(program)
    second.solve(other)
    second.solve(inputs + 0.0)
    two = second.solve(other, basis=start.basis)
    three = LiveSolver(program).solve(other, basis=start.basis)
    for again in (two, three):
        assert one.x is not None
        assert again.x is not None
        assert np.array_equal(one.x, again.x)
    assert one.basis is not None
    assert LiveSolver(program).solve(other, basis=one.basis).iterations == 0, "the basis that is handed back is the optimal one"


@pytest.mark.parametrize("method", ["simplex", "ipm", "hipo"])
def test_every_method_finds_the_same_cost(method: Any) -> None:
    program, inputs = scheduled()
    expected = solve(program.bind(inputs)).objective
    found = solve(program.bind(inputs), SolveOptions(method=method, crossover=False))
    assert found.objective == pytest.approx(expected, rel=1e-6)
    assert (found.basis is None) == (method != "simplex")


def feeder() -> tuple[LinearProgram, Floats]:
    """A microgrid whose tie is full, behind a line without limits: its price is the generator's, the feeder's is the market's."""
    case = case_of(
        Demand(id="d", bus="mg", series="load"), Generator(id="g", bus="mg", power_max_kw=100, cost_linear_per_kwh=0.3, segment_count=1),
        Demand(id="h", bus="mg", carrier="heat", series="heat"),
        Chp(id="c", bus="mg", power_max_kw=20, heat_to_power_factor=0.8, fuel_cost_per_kwh=0.5),
        networks=(Network(id="feeder", kind="lindistflow", carriers=("active", "reactive"), base_kv=12.66, slack_bus="b1"),
                  Network(id="mg", kind="copper_plate", carriers=("active", "heat"))),
        buses=(Bus(id="b1", network="feeder"), Bus(id="b2", network="feeder"), Bus(id="mg", network="mg")),
        branches=(Branch(id="b1_b2", from_bus="b1", to_bus="b2", r_ohm=0.1, x_ohm=0.1),),
        ties=(market_tie(lower_bus="b1", reactive_max_kvar=100),
              Tie(id="t", upper_bus="b2", lower_bus="mg", exchange_min_kw=-20, exchange_max_kw=20)),
    )
    program, _ = compiled_sample(case, positions=2, step_h=0.25)
    return program, inputs_of(program, {"d.load_kw": [50, 10], "h.load_kwth": [8, 4], "grid.price_per_kwh": [0.1, 0.2]})


def test_prices_are_the_cost_of_one_more_kwh() -> None:
    program, inputs = feeder()
    prices = nodal_prices(program, solve(program.bind(inputs)))
    assert prices["feeder", "b2", "active"] == pytest.approx([0.1, 0.2])
    assert prices["mg", "mg", "active"] == pytest.approx([0.3, 0.2])
    # Fuel less the electricity that comes with the heat.
    assert prices["mg", "mg", "heat"] == pytest.approx([(0.5 - 0.3) / 0.8, (0.5 - 0.2) / 0.8])
    for place, load in ((("mg", "mg", "active"), "d.load_kw"), (("mg", "mg", "heat"), "h.load_kwth")):
        for position, index in enumerate(program.input_index[load]):
            more = inputs.copy()
            more[index] += 1e-3
            rise = solve(program.bind(more)).objective - solve(program.bind(inputs)).objective
            assert prices[place][position] == pytest.approx(rise / (1e-3 * program.step_h), abs=1e-6)


def test_prices_of_a_program_with_binaries_are_those_with_the_integers_fixed() -> None:
    exclusive = STORE.model_copy(update={"exclusive": "always"})
    program, _ = compiled_sample(case_of(exclusive, LOAD), positions=2)
    inputs = inputs_of(program, {"d.load_kw": 40.0, "grid.price_per_kwh": [-0.05, 0.15]})
    found = solve(program.bind(inputs))
    assert found.status is Status.optimal
    assert found.x is not None
    charge, discharge = (found.x[program.column_index[f"b.{side}_kw"]] for side in ("charge", "discharge"))
    assert np.minimum(charge, discharge).max() < 1e-9
    assert nodal_prices(program, found)["plate", "plate", "active"] == pytest.approx([-0.05, 0.15])


def test_negative_prices_make_the_program_without_binaries_do_both_at_once() -> None:
    program, _ = compiled_sample(case_of(STORE), positions=1)
    found = solve(program.bind(inputs_of(program, {"grid.price_per_kwh": [-0.05]})))
    assert found.x is not None
    assert min(found.x[program.column_index[f"b.{side}_kw"]][0] for side in ("charge", "discharge")) >= 0


def infeasible() -> tuple[LinearProgram, Floats]:
    program, _ = compiled_sample(case_of(UNIT, LOAD), positions=3)
    return program, inputs_of(program, {"d.load_kw": [10, 20, 30], "g.power_low_kw": [0, 80, 0], "grid.exchange_low_kw": -50,
                                        "grid.price_per_kwh": 0.1})


def test_statuses_are_values() -> None:
    program, inputs = infeasible()
    found = solve(program.bind(inputs))
    assert found.status is Status.infeasible
    assert found.x is None
    program, inputs = scheduled()
    assert solve(program.bind(inputs), SolveOptions(time_limit_s=0.0, presolve=False)).status is Status.time_limit


def test_a_time_limit_counts_each_run_anew() -> None:
    program, inputs = scheduled(400)
    rng, prices = np.random.default_rng(0), program.input_index["grid.price_per_kwh"]
    live, limit_s = LiveSolver(program, SolveOptions(time_limit_s=0.3)), 0.3
    while live._solver.getRunTime() < 1.2 * limit_s:
        inputs = inputs.copy()
        inputs[prices] = rng.uniform(0, 1, prices.size)
        assert live.solve(inputs).status is Status.optimal


def test_an_infeasible_program_names_what_conflicts() -> None:
    program, inputs = infeasible()
    conflict = explain(program.bind(inputs))
    assert conflict.irreducible
    assert {row.name for row in conflict.rows} == {"g.power_limits_low[2]", "grid.exchange_limits_low[2]", "plate.active_balance[2]"}
    assert conflict.inputs == {"g.power_low_kw[2]": 80.0, "grid.exchange_low_kw[2]": -50.0, "d.load_kw[2]": 20.0}
    assert [bound.name for bound in conflict.bounds] == ["d.shed_kw[2]"]
    text = str(conflict)
    assert "g: power limits low at [2]: g.segment_kw[2,1] + g.segment_kw[2,2] >= 80   (given g.power_low_kw[2] = 80)" in text


def test_leaving_out_any_part_of_the_conflict_makes_it_feasible() -> None:
    program, inputs = infeasible()
    for name in explain(program.bind(inputs)).inputs:
        milder = inputs.copy()
        milder[program.input_names.index(name)] = {"g": 0.0, "grid": -1000.0, "d": 100.0}[name.split(".")[0]]
        assert solve(program.bind(milder)).status is Status.optimal, name


def test_a_feasible_program_has_no_conflict() -> None:
    program, inputs = scheduled()
    assert str(explain(program.bind(inputs))) == "nothing conflicts: the program is feasible"


def test_an_exported_program_read_back_costs_the_same(tmp_path: Path) -> None:
    program, inputs = scheduled()
    path = tmp_path / "program.mps"
    program.bind(inputs).write(path)
    reader = highspy.Highs()
    reader.setOptionValue("output_flag", False)
    assert reader.readModel(str(path)) == highspy.HighsStatus.kOk
    reader.run()
    assert reader.getInfo().objective_function_value == pytest.approx(solve(program.bind(inputs)).objective, rel=1e-9)
    assert "g.power_limits_high[2]" in path.read_text()
    with pytest.raises(ValueError, match=r"must end in \.mps"):
        program.bind(inputs).write(tmp_path / "program.txt")


def test_inputs_that_are_no_numbers_are_refused_by_name() -> None:
    program, inputs = scheduled()
    inputs[program.input_index["d.load_kw"][2]] = np.nan
    with pytest.raises(ValueError, match=r"d\.load_kw\[3\] is nan"):
        program.bind(inputs)


def test_blocks_are_found_once_the_linking_rows_are_left_out() -> None:
    case = case_of(
        Source(id="s", bus="plate", series="wind"), STORE,
        LOAD.model_copy(update={"bus": "other"}), UNIT.model_copy(update={"bus": "other"}),
        networks=(Network(id="plate", kind="copper_plate"), Network(id="other", kind="copper_plate")),
        buses=(Bus(id="plate", network="plate"), Bus(id="other", network="other")),
        ties=(Tie(id="t", upper_bus="plate", lower_bus="other", exchange_min_kw=-9, exchange_max_kw=9),),
    )
    program, _ = compiled_sample(case, positions=2)
    whole = block_structure(program, linking_rows=np.zeros(0, dtype=np.int64))
    linking = program.row_index["other.active_balance"]
    parts = block_structure(program, linking_rows=linking)
    own = {name: set(parts.column_block[index]) for name, index in program.column_index.items()}
    assert parts.count > whole.count
    assert own["t.exchange_kw"] <= own["b.charge_kw"], "the tie stays with the plate"
    assert not own["g.segment_kw"] & own["b.charge_kw"]
    assert (parts.row_block[linking] == -1).all()
    assert set(rows_longer_than(program, 3)) >= set(linking)
