"""A day whose values come otherwise than forecast, through all stages: what it costs follows from the files and the positions alone, and
no set-point from what came later."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.core.clock import QUARTER_S
from pipeline.physics.horizon import Horizon
from pipeline.schedule.layout import Label, layout_of
from pipeline.stages import forecast, open_day_ahead, open_real_time, redispatch, request, scenarios, schedule
from pipeline.stages.deciding import program_of
from pipeline.stages.home import Home
from pipeline.stages.ingesting import ensure_ingested
from pipeline.stages.keeping import plans
from pipeline.stages.opening import load_run
from pipeline.store.overrides import Override
from pipeline.store.runs import RunRecord
from pipeline.validate import contract_gate
from pipeline.validate.contract_arrays import broken_by_arrays
from tests.small_site import DAY, DEMAND, NAMES, STORE, Floats, least_cost, measured, write_site
from tests.whole_day import at_home, copied, run_day_ahead, run_real_time, table

# Leaving a position costs more than prices differ, and the battery has room for it all day: it answers what comes.
DEVIATION_PRICE = 1.0
FREE = {**STORE, "charge_efficiency_share": 1, "discharge_efficiency_share": 1, "energy_max_kwh": 320, "energy_initial_kwh": 160,
        "cycle": "none"}
STEPS, WINDOW_STEPS = 8, 8
VARIANTS: dict[str, dict[str, Any]] = {
    "one": {"kind": "deterministic"},
    # Such a price of leaving the rules that set-points are the rules', wherever nothing physical is in the way.
    "affine": {"kind": "affine", "budget_share": 1.0, "deviations": "two_sided", "half_widths": {"load_share": 0.1},
               "rule_distance_price_per_kwh": 100.0},
    "box_robust": {"kind": "box_robust", "half_widths": {"load_share": 0.1}},
}


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, and a home with the day's published schedule under each variant."""
    where = tmp_path_factory.mktemp("measured")
    write_site(where / "site", {"store": [FREE], "demand": [DEMAND]}, histories=measured(),
               tie={"deviation_price_per_kwh": DEVIATION_PRICE},
               settings={"forecast": {"window_days": 28, "price_window_days": 28}, "real_time_window_steps": WINDOW_STEPS},
               variants={name: {"settings": {"method": method}} for name, method in VARIANTS.items()})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(contract_gate, "broken_by", {**contract_gate.broken_by, "suite": broken_by_arrays})
        for variant in VARIANTS:
            run_day_ahead(where / "home", case=str(where / "site"), variant=variant)
    return where


def _came(name: str) -> Floats:
    return measured()[name][-96:]


# ---------------------------------------------------------------------- what it costs


def test_foresight_and_settlement_cost_what_the_files_say(planned: Path, tmp_path: Path) -> None:
    """Perfect foresight is the optimum of a program written apart from ours, to the cent; the settled cost is price x exchange."""
    home = copied(planned / "home", tmp_path / "home")
    found = run_real_time(home, case=str(planned / "site"), variant="one")
    settled = table(home, "settlement", variant="one").sort_by("step")
    scheduled, realised = (settled[name].to_numpy() for name in ("scheduled_kw", "realised_kw"))
    price, load = _came("price"), _came("load")
    assert settled["price_per_kwh"].to_numpy() == pytest.approx(price, rel=1e-9)
    best = least_cost(price, load, step_h=0.25, store=FREE, scheduled_kw=scheduled, deviation_price_per_kwh=DEVIATION_PRICE)
    assert found["kpis"]["perfect_foresight_cost"] == pytest.approx(best, rel=1e-6)
    cost = 0.25 * float(price @ realised + DEVIATION_PRICE * np.abs(realised - scheduled).sum())
    assert found["kpis"]["rolling_cost"] == found["objective"] == pytest.approx(cost, rel=1e-6)
    assert found["objective"] > 1.001 * best
    power = realised - load  # into the battery
    energy = FREE["energy_initial_kwh"] + 0.25 * np.cumsum(power)
    assert energy.min() > -1e-4 and energy.max() < FREE["energy_max_kwh"] + 1e-4


def test_the_schedule_is_the_best_for_its_forecast(planned: Path) -> None:
    """Positions cost nothing where one forecast is scheduled: its cost is that of the same site known by the hour."""
    with at_home(planned / "home") as home:
        record = _schedule(home, "one")
        rows = home.lake.read(record.run_id, "forecasts").to_pylist()
    mean = np.full((2, 96), np.nan)
    for row in rows:
        mean[NAMES.index(row["series"]), row["step"] - 1] = row["mean"]
    load, price = mean.reshape(2, 24, 4).mean(axis=2)
    assert record.objective == pytest.approx(least_cost(price, load, step_h=1.0, store=FREE), rel=1e-6)


# ---------------------------------------------------------------------- what is known when


def _moved(home: Path, start: int) -> None:
    """All that came from `start` on is another day's."""
    with closing(sqlite3.connect(home / "warehouse.sqlite")) as sql, sql:
        changed = sql.execute("UPDATE observations SET value = value * (0.6 + 0.9 * (valid_from % 7200) / 7200.0) WHERE valid_from >= ?",
                              (start,)).rowcount
        assert changed >= 2


def _set_points(home: Path, site: Path, variant: str) -> Floats:
    """(STEPS, J) as decided, before anything was settled."""
    with at_home(home):
        run_id = redispatch(open_real_time(request({"case": str(site), "variant": variant, "steps": f"1:{STEPS}"})))
        stored = plans(load_run(run_id)).load("dispatched")
    assert stored is not None
    return stored[0]["columns"].astype(float)


@pytest.mark.parametrize("variant", ["affine", "box_robust"])
def test_no_set_point_looks_at_its_own_interval_or_a_later_one(planned: Path, tmp_path: Path, variant: str) -> None:
    """For every interval k in turn: what comes from k on is changed, and what was decided up to k is the same to the bit."""
    clean = _set_points(copied(planned / "home", tmp_path / "clean"), planned / "site", variant)
    for k in range(STEPS):
        home = copied(planned / "home", tmp_path / f"from_{k}")
        _moved(home, DAY.start + QUARTER_S * k)
        other = _set_points(home, planned / "site", variant)
        assert np.array_equal(other[: k + 1], clean[: k + 1]), f"interval {k + 1} of {variant}"
        assert k + 2 >= STEPS or not np.array_equal(other[k + 2:], clean[k + 2:]), "what came is looked at in the end"


def test_a_word_binds_its_own_intervals_from_the_one_that_is_decided_when_it_is_said(planned: Path, tmp_path: Path) -> None:
    """Of two words one is said at the issue of interval 4 for the whole day, the other beforehand for intervals 3 to 5."""
    clean = _battery_kw(copied(planned / "home", tmp_path / "clean"), planned / "site")
    assert np.abs(clean).min() > 1e-3, "it never rests by itself"
    fourth, third = DAY.start + 3 * QUARTER_S, DAY.start + 2 * QUARTER_S
    for name, word, rests in (("late", (DAY.start, DAY.end, fourth), [3, 4, 5, 6, 7]),
                              ("early", (third, third + 3 * QUARTER_S, DAY.start), [2, 3, 4])):
        home = copied(planned / "home", tmp_path / name)
        with at_home(home) as opened:
            first, last, known_at = word
            opened.warehouse.add_override(Override("site", "battery", "out", 1.0, first, last, "anna", "inspection", known_at))
        assert np.flatnonzero(np.abs(_battery_kw(home, planned / "site")) < 1e-6).tolist() == rests, name


def _battery_kw(home: Path, site: Path) -> Floats:
    """(STEPS,) as decided, positive into the bus: settlement would mend a word that was not heard."""
    set_points = _set_points(home, site, "one")
    with at_home(home) as opened:
        (record,) = opened.warehouse.runs(product="real_time")
        labels = layout_of(program_of(load_run(record.run_id), Horizon(positions=WINDOW_STEPS, step_h=0.25, rolling=True))).columns.entry
    charge, discharge = (set_points[:, labels[Label("battery", name)]] for name in ("charge_kw", "discharge_kw"))
    return discharge - charge


@pytest.mark.parametrize("variant", VARIANTS)
def test_no_schedule_looks_at_what_came_after_its_issue(planned: Path, tmp_path: Path, variant: str) -> None:
    with at_home(tmp_path / "moved") as home:
        asked = request({"case": str(planned / "site"), "variant": variant})
        ensure_ingested(asked)
        _moved(home.path, DAY.at(asked.load().settings.day_ahead_issue_local, days_before=1))
        schedule(scenarios(forecast(open_day_ahead(asked))))
        moved = _kept(home, variant)
    with at_home(planned / "home") as home:
        assert moved == _kept(home, variant)
    assert ("policy" in moved) == (variant == "affine")


def _kept(home: Home, variant: str) -> dict[str, dict[str, bytes]]:
    """What the day-ahead run of a variant keeps for real time."""
    kept = plans(load_run(_schedule(home, variant).run_id))
    return {name: {key: value.tobytes() for key, value in stored[0].items()} for name in ("plan", "policy", "handed")
            if (stored := kept.load(name)) is not None}


def _schedule(home: Home, variant: str) -> RunRecord:
    (record,) = [one for one in home.warehouse.runs(product="day_ahead") if one.variant == variant]
    return record


def test_the_rules_move_the_battery(planned: Path) -> None:
    """Without that the two tests before would show nothing of rules."""
    rows = table(planned / "home", "affine_rule", variant="affine").to_pylist()
    assert {row["lag_count"] for row in rows if row["device"] == "battery"} == {0}
