"""Compiling: names, inputs, ranges, costs by term and read-outs agree with Pyomo's own evaluation; products are refused."""

from __future__ import annotations

import gc
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyomo.environ as pyo
import pytest
from pyomo.repn.plugins.standard_form import LinearStandardFormCompiler

from pipeline.core.errors import InputError
from pipeline.equipment import Demand, Network
from pipeline.physics.assemble import assemble
from pipeline.physics.block import Setting, add_column, add_law, declare_input, offer_of
from pipeline.physics.horizon import Horizon
from pipeline.program.cached import compiled
from pipeline.program.compile import compile_model
from pipeline.program.linear_program import LinearProgram
from tests.helpers import case_of, everything


@pytest.fixture(scope="module", params=[False, True], ids=["day", "rolling"])
def model_and_program(request: pytest.FixtureRequest) -> tuple[Any, LinearProgram]:
    model = assemble(everything(), Horizon(4, 0.25, rolling=request.param))
    return model, compile_model(model)


@pytest.fixture
def at_a_point(model_and_program: tuple[Any, LinearProgram]) -> tuple[Any, LinearProgram, Any, Any]:
    """The Pyomo model with random values in its variables, and the same values as x and u."""
    model, program = model_and_program
    rng = np.random.default_rng(1)
    x, u = rng.normal(size=len(program.column_names)), rng.normal(size=len(program.input_names))
    columns, inputs = iter(x), iter(u)
    for variable in model.component_objects(pyo.Var, descend_into=True):
        source = inputs if variable.name in program.inputs else columns
        for data in variable.values():
            data.set_value(float(next(source)), skip_validation=True)
    return model, program, x, u


def test_rows_equal_pyomos_own_compiler(at_a_point: Any) -> None:
    model, program, x, u = at_a_point
    model.nothing = pyo.Objective(expr=0)
    found = LinearStandardFormCompiler().write(model, mixed_form=True)
    model.del_component("nothing")
    values = np.array([variable.value for variable in found.columns])
    activity = found.A @ values
    place = {name: row for row, name in enumerate(program.row_names)}
    ours = program.matrix @ x + program.matrix_by_input @ u
    seen = set()
    for entry, pyomo_activity, rhs in zip(found.rows, activity, found.rhs, strict=True):
        component, index = entry.constraint.parent_component(), entry.constraint.index()
        row = place[_name(component, index)]
        seen.add(row)
        # Pyomo may write a >= as the negated <=: compare the distance to the limit.
        limits = {0: [program.row_lower[row]], 1: [program.row_upper[row], program.row_lower[row]], -1: [program.row_lower[row]]}
        distances = [abs(ours[row] - limit) for limit in limits[entry.bound_type] if np.isfinite(limit)]
        assert min(abs(d - abs(pyomo_activity - rhs)) for d in distances) < 1e-9, entry.constraint.name
    assert seen == set(range(len(program.row_names)))


def _name(component: Any, index: Any) -> str:
    offer = getattr(component.parent_block(), "offer", None)
    labels = offer.labels if offer is not None else {}
    if index is None:
        return str(component.name)
    parts = index if isinstance(index, tuple) else (index,)
    texts = []
    for subset, part in zip(component.index_set().subsets(), parts, strict=True):
        own = labels.get(subset.local_name)
        texts.append(own[part - 1] if own else str(part))
    return f"{component.name}[{','.join(texts)}]"


def test_costs_equal_pyomos_evaluation_by_term(at_a_point: Any) -> None:
    model, program, x, u = at_a_point
    bound = program.bind(u)
    expected: dict[str, float] = {}
    for block in model.component_data_objects(pyo.Block, descend_into=True):
        for term, expression in getattr(block, "offer", None).costs if hasattr(block, "offer") else ():
            expected[term] = expected.get(term, 0.0) + pyo.value(expression)
    for number, term in enumerate(program.terms):
        ours = float((bound.cost * x)[program.column_term == number].sum()) + (bound.offset if term == "generator_cost" else 0.0)
        assert ours == pytest.approx(expected.get(term, 0.0), abs=1e-9), term
    assert (program.column_term[(program.cost != 0) | (np.diff(program.cost_by_input.indptr) > 0)] >= 0).all()


def test_readouts_equal_pyomos_evaluation(at_a_point: Any) -> None:
    model, program, x, u = at_a_point
    ours = dict(zip(program.readout_names, program.bind(u).readouts(x), strict=True))
    expected = {}
    for block in model.component_data_objects(pyo.Block, descend_into=True):
        offer = getattr(block, "offer", None)
        if offer is None:
            continue
        lower = "injection_lower" if offer.is_tie else "injection"
        for label, injections in ((lower, offer.injection), ("injection_upper", offer.injection_upper)):
            for carrier, injection in injections.items():
                expected |= {f"{block.name}.{label}[{carrier},{t}]": pyo.value(injection(t)) for t in range(1, 5)}
    assert ours == pytest.approx(expected)


def test_bounds_and_integers_are_pyomos(model_and_program: tuple[Any, LinearProgram]) -> None:
    model, program = model_and_program
    column = 0
    for variable in model.component_objects(pyo.Var, descend_into=True):
        for data in variable.values():
            if variable.name not in program.inputs:
                low, high = data.bounds
                assert program.col_lower[column] == (-np.inf if low is None else low)
                assert program.col_upper[column] == (np.inf if high is None else high)
                column += 1


def test_a_range_is_one_row(model_and_program: tuple[Any, LinearProgram]) -> None:
    _, program = model_and_program
    rows = program.row_index["feeder.rating_sum"]
    assert len(rows) == 4
    assert program.row_upper[rows] == pytest.approx(400 * 2**0.5)
    assert program.row_lower[rows] == pytest.approx(-400 * 2**0.5)


def test_names_are_unique_and_in_the_order_of_the_case(model_and_program: tuple[Any, LinearProgram]) -> None:
    _, program = model_and_program
    for names in (program.row_names, program.column_names, program.input_names, program.readout_names):
        assert len(set(names)) == len(names)
    voltages = program.column_index["feeder.voltage_kv"]
    assert [program.column_names[i] for i in voltages[::4]] == [f"feeder.voltage_kv[{bus},1]" for bus in ("b2", "b1", "b3")]


def _with_law(rule: Any) -> Any:
    model = assemble(case_of(Demand(id="d", bus="plate", series="load")), Horizon(2, 1.0))
    model.add_component("odd", pyo.Block())
    block = model.odd
    setting = Setting(steps=model._steps, step_h=1.0, rolling=False, slack_price_per_kwh=10.0)
    flow = add_column(block, "flow_kw", setting.steps)
    ratio = declare_input(block, "ratio_share", setting.steps, role="series", device="odd")
    rule(block, setting, flow, ratio)
    return model


@pytest.mark.parametrize(("factor", "words"), [("flow", "odd.flow_kw by odd.flow_kw"), ("ratio", "odd.ratio_share by odd.flow_kw")])
def test_a_product_in_a_row_is_refused_by_row_and_component(factor: str, words: str) -> None:
    def law(block: Any, setting: Setting, flow: Any, ratio: Any) -> None:
        other = flow if factor == "flow" else ratio
        add_law(block, "odd_limit", setting.steps, rule=lambda t: other[t] * flow[t] <= 5)

    with pytest.raises(InputError, match=rf"odd\.odd_limit\[1\]: it multiplies {words}.*price input times a decision"):
        compile_model(_with_law(law))


def test_a_product_in_a_single_row_is_refused() -> None:
    with pytest.raises(InputError, match=r"odd\.odd_total: it is not linear: .*flow_kw"):
        compile_model(_with_law(lambda b, s, flow, ratio: add_law(b, "odd_total", rule=lambda: flow[1] * ratio[1] <= 5)))


def test_a_product_of_decisions_in_the_objective_is_refused() -> None:
    with pytest.raises(InputError, match=r"odd\.penalty_cost: it multiplies odd\.flow_kw\[1\] by odd\.flow_kw\[2\]"):
        compile_model(_with_law(lambda b, s, flow, ratio: offer_of(b).add_cost("penalty_cost", flow[1] * flow[2])))


def test_a_column_costs_in_one_term() -> None:
    def law(block: Any, setting: Setting, flow: Any, ratio: Any) -> None:
        offer_of(block).add_cost("penalty_cost", 2 * flow[1])
        offer_of(block).add_cost("vent_cost", 3 * flow[1])

    with pytest.raises(InputError, match=r"odd\.flow_kw\[1\]: costs in penalty_cost and in vent_cost"):
        compile_model(_with_law(law))


def test_an_injection_that_the_network_does_not_carry_is_refused() -> None:
    heat = Demand(id="h", bus="plate", carrier="heat", series="heat")
    with pytest.raises(InputError, match="network plate, bus plate: something injects heat"):
        assemble(case_of(heat, networks=(Network(id="plate", kind="copper_plate"),)), Horizon(2, 1.0))


def test_the_collector_is_back_on() -> None:
    assert gc.isenabled()
    compile_model(assemble(case_of(), Horizon(1, 1.0)))
    assert gc.isenabled()


def test_a_cached_program_is_the_same_and_needs_no_pyomo(tmp_path: Path) -> None:
    case, horizon = everything(), Horizon(4, 0.25, rolling=True)
    fresh = compiled(case, horizon, cache_dir=tmp_path)
    again = compiled(case, horizon, cache_dir=tmp_path)
    for name in ("matrix", "matrix_by_input", "cost_by_input", "readout", "readout_by_input"):
        one, other = getattr(fresh, name), getattr(again, name)
        assert one.shape == other.shape
        assert (one != other).nnz == 0
    for name in ("cost", "row_lower", "row_upper", "col_lower", "col_upper", "integer", "column_term", "readout_offset", "offset_by_input"):
        assert np.array_equal(getattr(fresh, name), getattr(again, name)), name
    for name in ("row_names", "column_names", "input_names", "readout_names", "terms", "positions", "step_h", "rolling", "offset"):
        assert getattr(fresh, name) == getattr(again, name), name
    assert dict(fresh.inputs) == dict(again.inputs)
    assert compiled(case, Horizon(3, 0.25, rolling=True), cache_dir=tmp_path).positions == 3


@pytest.mark.parametrize(("code", "absent"), [
    ("import pipeline.program.cached, pipeline.program.solve, pipeline.program.freeze, pipeline.program.duals", "pyomo"),
    ("from pipeline.program.cached import compiled, Horizon\nfrom pipeline.cases.load import load_case\n"
     "compiled(load_case('tiny'), Horizon(2, 1.0), cache_dir=None)", "scipy.stats"),
])
def test_heavy_imports_stay_out(code: str, absent: str) -> None:
    check = f"{code}\nimport sys\nassert {absent!r} not in sys.modules"
    subprocess.run([sys.executable, "-c", check], check=True, cwd=Path(__file__).parents[3])
