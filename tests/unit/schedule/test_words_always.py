"""Whatever a person says, there is a schedule and a dispatch, and both pass the gates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from pipeline.schedule.day_ahead import DayAhead
from pipeline.schedule.outlook import coarsen
from pipeline.schedule.read_out import day_ahead_tables, real_time_tables
from pipeline.schedule.real_time import RealTime, Rolling, run_steps
from pipeline.schedule.standby import plan_always
from pipeline.validate.context import Bound, Context
from pipeline.validate.gates import check_stage
from tests.unit.schedule.test_bind import Word
from tests.unit.schedule.tiny_day import QUIET, Setting

# Where power must be burnt, branch and bound keeps batteries from charging and discharging at once: it may end at its limit.
SHORT = replace(QUIET, time_limit_s=4.0)
ONE_OF_EACH_KIND = ("mg_f01_b04_load", "mg_f01_b04_heat_load", "f01_wind", "f01_generator", "mg_f01_b04_chp", "f01_battery",
                    "mg_f01_b04_heat_store", "f01_ev", "mg_f01_b04_tie", "grid")


def scheduled(tiny: Setting, words: Sequence[Word]) -> DayAhead:
    """A day-ahead schedule under words; asserts that it passes the gates."""
    out = coarsen(tiny.truth(), 4)
    found = plan_always(tiny.case, tiny.day, tiny.hourly, [out], np.ones(1), options=SHORT, overrides=words)
    values = {"expected": dict(zip(out.series, out.values, strict=True))}
    context = Context(overrides=bounds(words), values=values, objective=found.objective)
    mistakes, _ = check_stage(tiny.case, day_ahead_tables(found, "da-1"), day=tiny.day, product="day_ahead", context=context,
                              contracts="arrays")
    assert mistakes == []
    return found


def dispatched(tiny: Setting, rolling: Rolling, words: Sequence[Word]) -> RealTime:
    """The first quarter-hours under words; asserts that they pass the gates."""
    truth = tiny.truth()
    found = run_steps(rolling, rolling.start, tiny.windows(truth, 1, 2), truth, overrides=[tuple(words)] * 2)
    context = Context(overrides=bounds(words), values={"settled": dict(zip(truth.series, truth.values, strict=True))})
    mistakes, _ = check_stage(tiny.case, real_time_tables(found, "rt-1"), day=tiny.day, product="real_time", context=context,
                              contracts="arrays")
    assert mistakes == []
    return found


def bounds(words: Sequence[Word]) -> tuple[Bound, ...]:
    return tuple(Bound(word.target, word.quantity, word.value or 1.0, word.valid_from, word.valid_to or 2**40) for word in words)


@pytest.mark.parametrize("device", ONE_OF_EACH_KIND)
def test_extremes_of_one_device(tiny: Setting, rolling: Rolling, device: str) -> None:
    for word in (Word(device, "out"), Word(device, "set_point_kw", 1e6), Word(device, "set_point_kw", -1e6),
                 Word(device, "limit_low_kw", 1e6), Word(device, "limit_high_kw", -1e6)):
        scheduled(tiny, [word])
        dispatched(tiny, rolling, [word])


@pytest.mark.parametrize("words", [
    pytest.param([Word("mg_f01_b04_tie", "set_point_kw", -200.0), Word("mg_f01_b04_chp", "out")], id="more out than can be made"),
    pytest.param([Word("mg_f01_b04_tie", "set_point_kw", 200.0), Word("mg_f01_b04_load", "out")], id="more in than can be taken"),
    pytest.param([Word("grid", "out"), Word("f01_generator", "out"), Word("f01_wind", "out")], id="the only supply is out"),
    pytest.param([Word("grid", "out"), Word("f01_generator", "limit_low_kw", 100.0), *(
        Word(f"f01_b0{bus}_load", "out") for bus in (2, 3, 4))], id="nobody takes what must be made"),
    pytest.param([Word("mg_f01_b04_tie", "out"), Word("mg_f01_b04_load", "out"), Word("mg_f01_b04_chp", "limit_low_kw", 50.0)],
                 id="a microgrid alone must make power"),
])
def test_words_that_leave_no_balance(tiny: Setting, rolling: Rolling, words: list[Word]) -> None:
    scheduled(tiny, words)
    dispatched(tiny, rolling, words)
