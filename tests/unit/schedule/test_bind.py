"""Every input gets its number, and a person's word binds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from pipeline.core.errors import InputError
from pipeline.physics.assemble import assemble
from pipeline.physics.horizon import Horizon
from pipeline.program.compile import compile_model
from pipeline.schedule.bind import Binder
from pipeline.schedule.instructions import check, unreachable
from pipeline.schedule.layout import Label
from pipeline.schedule.outlook import Outlook, coarsen
from pipeline.schedule.state import State
from tests.unit.schedule.tiny_day import setting


@dataclass(frozen=True)
class Word:
    target: str
    quantity: str
    value: float | None = None
    valid_from: int = 0
    valid_to: int | None = None


@pytest.fixture(scope="module")
def binder(tiny):
    return Binder(tiny.case, tiny.hourly)


def filled(tiny, binder, *words, **options):
    outlook = coarsen(tiny.truth(), 4)
    return binder.fill(outlook, tiny.day.starts(60), overrides=words, **options)


def column(binder, values, device, quantity):
    return values[:, binder.axis.entries(device, quantity)]


def test_series_carry_their_share_and_reactive_load_its_ratio_by_local_hour(tiny, binder):
    values = filled(tiny, binder)
    device = next(d for d in tiny.case.devices if d.id == "f01_b02_load")
    series = coarsen(tiny.truth(), 4).values[[s.id for s in tiny.case.series].index(device.series)]
    assert column(binder, values, device.id, "load_kw")[:, 0] == pytest.approx(device.series_share * series)
    profile = np.array(tiny.case.profiles[device.kvar_profile])
    hours = (7 + np.arange(24)) % 24  # the day starts at 07:00 local time
    assert column(binder, values, device.id, "load_kvar")[:, 0] == pytest.approx(device.series_share * series * profile[hours])


def test_every_input_of_a_bound_program_is_finite_and_named(tiny, binder):
    inputs = binder.assemble(filled(tiny, binder), binder.initial_state(), day_ends=True)
    assert np.isfinite(inputs).all()
    assert inputs.shape == (len(tiny.hourly.input_names),)


def test_the_day_ends_where_its_rule_says(tiny, binder):
    state = binder.initial_state()
    inputs = binder.assemble(filled(tiny, binder), state, day_ends=True)
    by_name = dict(zip(tiny.hourly.input_names, inputs, strict=True))
    for device in tiny.case.devices:
        if device.kind == "store":
            unit = "kwhth" if device.carrier == "heat" else "kwh"
            assert by_name[f"{device.id}.energy_low_{unit}[24]"] == device.energy_initial_kwh
            high = device.energy_initial_kwh if device.cycle == "equal" else device.energy_max_kwh
            assert by_name[f"{device.id}.energy_high_{unit}[24]"] == high
            assert by_name[f"{device.id}.energy_high_{unit}[23]"] == device.energy_max_kwh


def test_positions_past_the_end_of_the_day_ask_for_nothing(tiny):
    binder = Binder(tiny.case, tiny.window)
    values = binder.fill(tiny.truth().window(94, 4), tiny.day.starts()[-1] + 900 * np.arange(-1, 3))
    inputs = binder.assemble(values, binder.initial_state(), active=2, day_ends=True)
    for name, value in zip(tiny.window.input_names, inputs, strict=True):
        label = name.partition(".")[2]
        if name.endswith((",3]", ",4]", "[3]", "[4]")) and not label.startswith("energy_"):
            assert value == 0.0, name


@pytest.mark.parametrize(("word", "low", "high"), [
    (Word("f01_generator", "out"), 0.0, 0.0),
    (Word("f01_generator", "set_point_kw", 40.0), 40.0, 40.0),
    (Word("f01_generator", "limit_high_kw", 60.0), 0.0, 60.0),
    (Word("f01_generator", "limit_low_kw", 30.0), 30.0, 100.0),
    (Word("f01_generator", "set_point_kw", 400.0), 100.0, 100.0),
])
def test_words_move_limits(tiny, binder, word, low, high):
    values = filled(tiny, binder, word)
    assert column(binder, values, "f01_generator", "power_low_kw") == pytest.approx(low)
    assert column(binder, values, "f01_generator", "power_high_kw") == pytest.approx(high)


def test_a_word_holds_in_its_hours_only_even_when_it_touches_them_in_part(tiny, binder):
    start = tiny.day.start
    values = filled(tiny, binder, Word("f01_generator", "out", None, start + 3600 + 600, start + 2 * 3600 + 60))
    high = column(binder, values, "f01_generator", "power_high_kw")[:, 0]
    assert np.flatnonzero(high == 0).tolist() == [1, 2]


def test_out_takes_reactive_power_vehicles_and_sources_too(tiny, binder):
    values = filled(tiny, binder, *(Word(name, "out") for name in ("f01_generator", "f01_ev", "f01_wind", "grid", "f01_b02_load")))
    for device, quantity in (("f01_generator", "reactive_high_kvar"), ("f01_ev", "power_high_kw"), ("f01_wind", "available_kw"),
                             ("grid", "exchange_high_kw"), ("grid", "exchange_low_kw"), ("f01_b02_load", "load_kvar")):
        assert not column(binder, values, device, quantity).any(), device


def test_a_limit_on_vehicles_holds_for_the_sum_of_their_cohorts(tiny, binder):
    values = filled(tiny, binder, Word("f01_ev", "limit_low_kw", -5.0))
    assert column(binder, values, "f01_ev", "power_high_kw").sum(axis=1).max() == pytest.approx(5.0)


def test_settlement_lets_the_mismatch_pass_a_tie_with_a_set_point(tiny, binder):
    word = Word("grid", "set_point_kw", 100.0)
    assert column(binder, filled(tiny, binder, word), "grid", "exchange_high_kw") == pytest.approx(100.0)
    assert column(binder, filled(tiny, binder, word, settling=True), "grid", "exchange_high_kw").min() > 100.0


def test_all_impossible_words_are_named_at_once(tiny, binder):
    words = (Word("f01_batery", "out"), Word("f01_ev", "set_point_kw", -3.0), Word("f01_wind", "limit_high_kw", -1.0),
             Word("f01_generator", "spin"), Word("grid", "limit_low_kw", None))
    with pytest.raises(InputError) as caught:
        check(tiny.case, words)
    assert len(caught.value.mistakes) == 5
    assert "did you mean 'f01_battery'?" in str(caught.value)
    assert (filled(tiny, binder, *words) == filled(tiny, binder)).all(), "what got past the entry stops no run"


@pytest.mark.parametrize(("word", "said"), [
    (Word("f01_generator", "set_point_kw", 400.0), "set_point_kw 400 kW is beyond its reach of 0 to 100 kW; give between 0 and 100 kW"),
    (Word("f01_generator", "limit_low_kw", 101.0), "give at most 100 kW"),
    (Word("f01_generator", "limit_high_kw", -1.0), "give at least 0 kW"),
    (Word("f01_battery", "limit_high_kw", -101.0), "reach of -100 to 100 kW; give at least -100 kW"),
    (Word("mg_f01_b04_heat_store", "set_point_kw", 40.0), "40 kWth is beyond its reach of -30 to 30 kWth; give between -30 and 30 kWth"),
    (Word("grid", "set_point_kw", -1e6), "set_point_kw -1e+06 kW is beyond its reach"),
])
def test_a_word_beyond_the_reach_is_refused_at_entry(tiny, word, said):
    with pytest.raises(InputError) as caught:
        check(tiny.case, [word])
    assert said in str(caught.value) and len(caught.value.mistakes) == 1


def test_limits_beyond_the_reach_leave_what_the_device_can_hold(tiny, binder):
    for word, held in ((Word("f01_generator", "limit_high_kw", -30.0), 0.0), (Word("f01_generator", "limit_low_kw", 1e6), 100.0),
                       (Word("f01_battery", "limit_high_kw", -1e6), -100.0), (Word("grid", "limit_high_kw", -1e9), None)):
        quantity = "exchange_{}_kw" if word.target == "grid" else "power_{}_kw"
        low, high = (column(binder, filled(tiny, binder, word), word.target, quantity.format(side)) for side in ("low", "high"))
        assert (low <= high).all() and (held is None or ((low == held).all() and (high == held).all()))


def test_words_that_meet_are_judged_together(tiny):
    def said(*words):
        return [(one.place, one.value, one.limit) for one in unreachable(tiny.case, words, stage="real_time")]

    start = tiny.day.start
    low, high = Word("f01_battery", "limit_low_kw", 50.0, start), Word("f01_battery", "limit_high_kw", 30.0, start + 900)
    assert said(low) == said(high) == []
    assert said(low, high) == [("f01_battery", 30.0, 50.0)]
    assert said(Word("f01_battery", "set_point_kw", 10.0, start), low) == [("f01_battery", 10.0, 50.0)]
    assert said(Word("f01_battery", "set_point_kw", 10.0, start), Word("f01_battery", "set_point_kw", 60.0, start), low) == []
    assert said(Word("f01_battery", "out", None, start), low, high) == []
    assert said(Word("gone", "out", None, start))[0][0] == "gone"


def test_a_heater_that_draws_may_be_limited_below_its_least_power_as_it_is_followed(tiny):
    """Draws 40 to 150 kW: injections of -150 to -40, or off. A word of -30 holds it at 30 kW, and says nothing else."""
    devices = tuple(d.model_copy(update={"mode": "electric_heater", "power_min_kw": 40.0}) if d.kind == "chp" else d
                    for d in tiny.case.devices)
    case = tiny.case.model_copy(update={"devices": devices})
    heater, start = next(d.id for d in devices if d.kind == "chp"), tiny.day.start
    weak, strong = Word(heater, "limit_low_kw", -30.0, start), Word(heater, "limit_high_kw", -60.0, start)
    check(case, [weak, strong])
    assert unreachable(case, [weak], stage="real_time") == []
    assert unreachable(case, [strong], stage="real_time") == []
    (said,) = unreachable(case, [weak, Word(heater, "set_point_kw", -50.0, start)], stage="real_time")
    assert (said.value, said.limit) == (-50.0, -30.0)
    with pytest.raises(InputError, match="give at most 0 kW"):
        check(case, [Word(heater, "limit_low_kw", 1.0, start)])


def test_an_outlook_without_a_series_or_fleet_is_refused_by_name(tiny, binder):
    outlook = coarsen(tiny.truth(), 4)
    lacking = Outlook(outlook.series[:-1], outlook.values[:-1], {})
    with pytest.raises(InputError, match="'price'") as caught:
        binder.fill(lacking, tiny.day.starts(60))
    assert len(caught.value.mistakes) == 1 + len(outlook.envelopes)


def test_vehicles_never_have_to_give_back_what_they_store(tiny, binder):
    state = binder.initial_state()
    stored = state.with_values({"f01_ev.energy_before_kwh[1]": 1e4})
    inputs = dict(zip(tiny.hourly.input_names, binder.assemble(filled(tiny, binder), stored), strict=True))
    assert inputs["f01_ev.energy_high_kwh[1,24]"] == 1e4


def test_a_state_survives_its_arrays(binder):
    state = binder.initial_state()
    again = State.from_arrays(state.to_arrays())
    assert again.names == state.names and again.step == 1 and again.basis_columns is None
    assert np.array_equal(again.values, state.values) and np.array_equal(again.lost_kwh, state.lost_kwh)
    with pytest.raises(ValueError, match="tuple"):
        state.with_values({"nowhere": 1.0})


def test_labels_are_the_names_of_the_program(tiny, binder):
    axis = binder.layout.columns
    assert Label("f01_ev", "charge_kw", "2") in axis.labels
    for t in (0, 23):
        for label, flat in zip(axis.labels[:50], axis.index[t], strict=False):
            name = tiny.hourly.column_names[flat]
            assert name.startswith(f"{label.device}.{label.quantity}[") and str(t + 1) in name


def test_imbalance_is_dearer_than_the_price_and_sold_for_less_of_it_whatever_its_sign():
    two = setting("tiny", "two_price")
    tie = next(tie for tie in two.case.ties if tie.id == "grid")
    truth = two.truth()
    truth.values[truth.series.index("price"), 4:8] = -0.2  # one hour
    hours = coarsen(truth, 4)
    price = np.abs(hours.values[truth.series.index("price")])
    binder = Binder(two.case, two.hourly)
    filled = binder.fill(hours, two.day.starts(60))
    for side in ("up", "down"):
        dearer = filled[:, binder.axis.one("grid", f"deviation_{side}_price_per_kwh")]
        assert dearer == pytest.approx(tie.deviation_price_per_kwh + 0.3 * price)


def test_what_is_sold_earns_the_price_less_its_discount(tiny):
    """A factor of 0.8 once took 80 % off the price."""
    tie = next(tie for tie in tiny.case.ties if tie.market is not None)
    selling = tie.model_copy(update={"market": tie.market.model_copy(update={"sell_price_factor": 0.8})})
    case = tiny.case.model_copy(update={"ties": tuple(selling if one is tie else one for one in tiny.case.ties)})
    binder = Binder(case, compile_model(assemble(case, Horizon(24, 1.0))))
    truth = tiny.truth()
    truth.values[truth.series.index("price"), 4:8] = -0.2  # one hour
    values = binder.fill(coarsen(truth, 4), tiny.day.starts(60))
    price, discount = (values[:, binder.axis.one("grid", name)] for name in ("price_per_kwh", "sell_discount_per_kwh"))
    assert price.min() < 0 < price.max()
    assert discount == pytest.approx(0.2 * np.abs(price))
