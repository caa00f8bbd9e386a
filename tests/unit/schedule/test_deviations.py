"""The deviations of a day from the run settings: what moves, how far, seen by whom, under which budget."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.cases.settings import Affine, BoxRobust, HalfWidths
from pipeline.equipment import Demand
from pipeline.physics.horizon import Horizon
from pipeline.program.cached import compiled
from pipeline.schedule.desk import open_desk
from pipeline.schedule.deviations import EVERYBODY, affine_deviations, box_deviations, column_entities, off_nominal_inputs, series_entities
from pipeline.schedule.outlook import coarsen
from tests.unit.schedule.tiny_day import setting

WIDTHS = HalfWidths(load_share=0.1, heat_share=0.0, pv_share=0.2, wind_share=0.0)


@pytest.fixture(scope="module")
def day():
    tiny = setting()
    desk = open_desk(tiny.case, tiny.day, tiny.hourly)
    outlook = coarsen(tiny.truth(), 4)
    inputs = desk.binder.assemble(desk.binder.fill(outlook, desk.starts()), desk.binder.initial_state(), day_ends=True)
    return desk, outlook, inputs


def test_an_upward_deviation_is_the_input_of_a_higher_forecast(day):
    """Binding the outlook with one series 10 % up in one hour moves exactly the inputs that the deviation moves."""
    desk, outlook, inputs = day
    found = affine_deviations(desk, outlook, inputs, Affine(half_widths=WIDTHS))
    kinds = {series.id: series.kind for series in desk.case.series}
    for name in ("load", "pv"):
        series = next(s for s in desk.binder.plan.series if kinds[s] == name)
        row = outlook.series.index(series)
        hour = int(np.argmax(np.abs(outlook.values[row])))
        k = found.names.index(f"{series}[{hour + 1}]+")
        higher = outlook.values.copy()
        higher[row, hour] *= 1 + (0.1 if name == "load" else 0.2)
        bound = desk.binder.assemble(desk.binder.fill(type(outlook)(outlook.series, higher, outlook.envelopes), desk.starts()),
                                     desk.binder.initial_state(), day_ends=True)
        assert found.directions[:, [k]].toarray().ravel() == pytest.approx(bound - inputs)
        assert found.directions[:, [k + 1]].toarray().ravel() == pytest.approx(inputs - bound)  # and down
        assert found.slot[k] == hour


def test_what_has_no_width_does_not_move(day):
    desk, outlook, inputs = day
    found = affine_deviations(desk, outlook, inputs, Affine(half_widths=WIDTHS))
    kinds = {series.id: series.kind for series in desk.case.series}
    assert {kinds[name.partition("[")[0]] for name in found.names} == {"load", "pv"}
    night = next(t for t in range(24) if all(outlook.values[outlook.series.index(s), t] == 0 for s, k in kinds.items() if k == "pv"))
    assert not any(kinds[name.partition("[")[0]] == "pv" for name, slot in zip(found.names, found.slot, strict=True) if slot == night)


@pytest.mark.parametrize("sides", ["one_sided", "two_sided"])
def test_the_budget_of_an_hour_counts_the_night_s_deviations_too(day, sides):
    desk, outlook, inputs = day
    found = affine_deviations(desk, outlook, inputs, Affine(half_widths=WIDTHS, budget_share=0.25, deviations=sides))
    for entity in np.unique(found.entity):
        mine = found.entity == entity
        series = {name.partition("[")[0] for name, m in zip(found.names, mine, strict=True) if m}
        budgets = found.budget[np.unique(found.group[mine])]
        assert budgets == pytest.approx(np.full(24, 0.25 * len(series) * (2 if sides == "one_sided" else 1)))
    assert all(np.unique(found.slot[found.group == g]).size == 1 for g in range(found.budget.size))


def test_a_budget_of_the_day_counts_every_deviation_of_an_entity(day):
    desk, outlook, inputs = day
    found = affine_deviations(desk, outlook, inputs, Affine(half_widths=WIDTHS, budget_share=0.5, budget_scope="horizon"))
    assert found.budget == pytest.approx(0.5 * np.bincount(found.group))
    assert found.budget.size == np.unique(found.entity).size


def test_a_box_has_a_group_per_series_over_the_day(day):
    desk, outlook, inputs = day
    found = box_deviations(desk, outlook, inputs, BoxRobust(half_widths=WIDTHS, budget_share=0.25))
    assert (found.low == -1).all() and found.budget == pytest.approx(np.full(found.budget.size, 6.0))
    for group in range(found.budget.size):
        assert len({name.partition("[")[0] for name, g in zip(found.names, found.group, strict=True) if g == group}) == 1


def test_uncertain_prices_move_price_inputs(day):
    desk, outlook, inputs = day
    method = BoxRobust(half_widths=HalfWidths(load_share=0, pv_share=0, wind_share=0, price_share=0.1))
    found = box_deviations(desk, outlook, inputs, method)
    assert found.count == 24
    touched = np.unique(found.directions.tocoo().coords[0])
    assert {desk.program.inputs[desk.program.input_names[i].partition("[")[0]].role for i in touched} == {"price"}


def test_an_input_that_an_instruction_holds_does_not_move(day):
    desk, outlook, inputs = day
    found = affine_deviations(desk, outlook, inputs, Affine(half_widths=WIDTHS))
    moved = np.unique(found.directions.tocoo().coords[0])
    held = inputs.copy()
    held[moved[0]] *= 0.5
    again = affine_deviations(desk, outlook, held, Affine(half_widths=WIDTHS))
    assert set(moved) - set(np.unique(again.directions.tocoo().coords[0])) == {moved[0]}


def test_empirical_widths_are_the_95th_percentile_of_what_draws_missed(day):
    desk, outlook, inputs = day
    random = np.random.default_rng(1)
    draws = outlook.values + 0.01 * np.abs(outlook.values) * random.standard_normal((400, *outlook.values.shape))
    method = Affine(half_widths=HalfWidths(source="empirical", load_share=1, pv_share=0, wind_share=0, heat_share=0))
    found = affine_deviations(desk, outlook, inputs, method, draws=draws)
    series = found.names[0].partition("[")[0]
    row = outlook.series.index(series)
    entry = found.directions[:, [0]].tocoo()
    share = entry.data[0] / inputs[entry.coords[0][0]]
    assert abs(share) == pytest.approx(0.0196, rel=0.15)
    assert np.percentile(np.abs(draws[:, row, found.slot[0]] - outlook.values[row, found.slot[0]]), 95) == pytest.approx(
        abs(share * outlook.values[row, found.slot[0]]))
    with pytest.raises(ValueError, match="draws"):
        affine_deviations(desk, outlook, inputs, method)


def test_no_empirical_width_is_more_than_the_forecast(day):
    """Else a load could turn negative: draws that miss by three times the forecast."""
    desk, outlook, inputs = day
    method = Affine(half_widths=HalfWidths(source="empirical", load_share=1, pv_share=1, wind_share=1, heat_share=0))
    found = affine_deviations(desk, outlook, inputs, method, draws=4 * np.repeat(outlook.values[None], 3, axis=0))
    lowest = inputs + found.directions.minimum(0).sum(axis=1)
    moved = np.unique(found.directions.tocoo().coords[0])
    assert moved.size and lowest[moved] == pytest.approx(np.zeros(moved.size), abs=1e-9)


def test_a_series_of_several_networks_is_seen_by_all(day):
    desk, _, _ = day
    loads = [device for device in desk.case.devices if isinstance(device, Demand)]
    networks = desk.case.network_of_bus
    one = loads[0]
    other = next(load for load in loads if networks[load.bus] != networks[one.bus] and load.series != one.series)
    shared = tuple(device.model_copy(update={"series": one.series}) if device.id == other.id else device for device in desk.case.devices)
    case = desk.case.model_copy(update={"devices": shared})
    both = open_desk(case, desk.day, compiled(case, Horizon(24, 1.0), cache_dir=None))
    plain, found = (dict(zip(each.binder.plan.series, series_entities(each).tolist(), strict=True)) for each in (desk, both))
    assert found[one.series] == EVERYBODY
    assert plain[one.series] == desk.roster.networks.index(networks[one.bus])


def test_devices_see_their_own_network_and_ties_see_all(day):
    desk, _, _ = day
    entity, names = column_entities(desk), desk.roster.networks
    for name, who in zip(desk.program.column_names, entity, strict=True):
        device = name.partition(".")[0]
        homes = [desk.case.network_of_bus[d.bus] for d in desk.case.devices if d.id == device]
        assert (names[who] == homes[0]) if homes else (who == EVERYBODY)


def test_off_the_nominal_trajectory_stores_keep_their_limits_and_need_not_return(day):
    desk, _, inputs = day
    limits = off_nominal_inputs(desk, inputs)
    changed = np.flatnonzero(limits != inputs)
    assert changed.size
    for i in changed:
        name = desk.program.input_names[i]
        spec = desk.program.inputs[name.partition("[")[0]]
        assert spec.data["day_end"] != "none" and name.endswith("24]") and limits[i] == spec.data["default"]
