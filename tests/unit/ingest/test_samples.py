"""Synthetic histories and EV sessions: the law, the grid of days, and that a seed gives the same numbers everywhere."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pytest

from pipeline.cases.case import Case
from pipeline.cases.load import load_case
from pipeline.cases.sources import CorrelatedErrors, ErrorSampleSource, Series, SessionSampleSource
from pipeline.core.clock import from_epoch, local_hour, local_seconds
from pipeline.core.errors import InputError
from pipeline.equipment.ev_fleet import EvFleet, EvSampling, Normal
from pipeline.ingest import error_samples, ev_sessions
from pipeline.store.warehouse import Warehouse
from tests.unit.ingest.support import NOW, case_with, everything, run

SAMPLES = ErrorSampleSource(kind="error_samples", id="samples", first_date="2016-03-20", training_days=10, test_days=5, seed=3)
TABLE = tuple(100.0 + hour for hour in range(24))
SERIES = (
    Series(id="load", kind="load", by_local_hour=TABLE, resolution_min=60),
    Series(id="heat", kind="heat", unit="kWth", by_local_hour=TABLE),
    Series(id="pv", kind="pv", capacity_kw=50.0, resolution_min=60, by_local_hour=(0.0,) * 8 + (40.0,) * 8 + (0.0,) * 8),
    Series(id="price", kind="price"),
)
LAW = EvSampling(
    arrival_h=Normal(mean=18.5, sd=1.5, low=15, high=22),
    departure_h=Normal(mean=6.5, sd=0.5, low=5, high=7),
    arrival_energy_share=Normal(mean=0.4, sd=0.1, low=0.2, high=0.6),
    departure_energy_share=0.9,
    seed=7,
)


def fleet(name: str = "ev", count: int = 40, law: object = LAW) -> EvFleet:
    return EvFleet(
        kind="ev_fleet",
        id=name,
        bus="plate",
        vehicle_count=count,
        charger_kw=3.3,
        battery_kwh=24.0,
        charge_efficiency_share=0.9,
        departure_hours=(6, 7),
        sessions=law,
    )


def days(count: int, first: str = "2016-03-25") -> SessionSampleSource:
    return SessionSampleSource(kind="ev_sessions", id="vehicles", first_date=first, days=count)


def sample_case(*sources: object, zone: str = "Europe/Berlin", **more: object) -> Case:
    from datetime import time

    case = case_with(*sources, series=SERIES, zone=zone, day_start_local=time(7))
    return case.model_copy(update=more)


def test_samples_follow_the_table_of_the_local_hour_over_days_of_92_quarters() -> None:
    case = sample_case(SAMPLES)
    hours = error_samples.hours_of(case, SAMPLES)
    assert len(hours) == 15 * 24 - 1  # the delivery day of 26 March has 23 hours
    ratio = error_samples.values_of(case, SAMPLES, SERIES[0]) / np.array(TABLE)[local_hour(hours, "Europe/Berlin")]
    assert np.abs(ratio - 1).max() <= 0.04
    assert 0.005 < ratio.std() < 0.015
    assert error_samples.first_test_instant(case, SAMPLES) == case.day(date(2016, 3, 30)).start


def test_zero_stays_zero_and_every_series_has_noise_of_its_own() -> None:
    case = sample_case(SAMPLES)
    pv = error_samples.values_of(case, SAMPLES, SERIES[2])
    night = np.array(SERIES[2].by_local_hour)[local_hour(error_samples.hours_of(case, SAMPLES), "Europe/Berlin")] == 0
    assert (pv[night] == 0).all() and (pv[~night] > 0).all()
    load, heat = (error_samples.values_of(case, SAMPLES, series) for series in SERIES[:2])
    assert abs(np.corrcoef(load / heat, load)[0, 1]) < 0.9 and not np.allclose(load, heat)


def test_a_finer_series_holds_the_hour(tmp_path: Path) -> None:
    batch = error_samples.batch_of(sample_case(SAMPLES), SAMPLES)
    assert batch.series == ["load", "heat", "pv"] and batch.resolution_s == [3600, 900, 3600]
    heat = batch.value[batch.series_index == 1].reshape(-1, 4)
    assert (heat == heat[:, :1]).all()
    assert (batch.known_at - batch.valid_from == np.array([3600, 900, 3600])[batch.series_index] + 900).all()


def test_draws_beyond_the_truncation_are_drawn_again() -> None:
    errors = error_samples.truncated_errors(20_000, sigma=0.5, truncate_sd=1.0, seed=1)
    assert np.abs(errors).max() <= 0.5
    assert 0.26 < errors.std() < 0.28  # sd of a normal truncated at one sd: 0.5396


def test_the_same_seed_gives_the_same_store(tmp_path: Path) -> None:
    stores = [Warehouse.open(tmp_path / name) for name in ("a", "b")]
    for store, now in zip(stores, (NOW, NOW), strict=True):
        run(sample_case(SAMPLES, days(2), devices=(fleet(),)), store, now=now)
    assert everything(stores[0]) == everything(stores[1])
    other = error_samples.values_of(sample_case(), SAMPLES.model_copy(update={"seed": 4}), SERIES[0])
    assert not np.allclose(other, error_samples.values_of(sample_case(), SAMPLES, SERIES[0]))


def test_errors_of_a_day_hang_together_and_the_training_days_have_the_table_as_mean() -> None:
    source = SAMPLES.model_copy(update={"correlated": CorrelatedErrors(), "training_days": 60, "test_days": 200})
    case = sample_case(source)
    hours = error_samples.hours_of(case, source)
    at, trained = local_hour(hours, "Europe/Berlin"), hours < error_samples.first_test_instant(case, source)
    table = {series.id: np.array(series.by_local_hour)[at] for series in SERIES[:3]}
    load, heat, pv = (error_samples.values_of(case, source, series) for series in SERIES[:3])
    for hour in range(24):
        assert load[trained & (at == hour)].mean() == pytest.approx(TABLE[hour], rel=error_samples.ERROR_STEP)
    assert abs((load / table["load"] - 1)[~trained].mean()) > 1e-6  # what comes is not re-centred
    assert (pv[table["pv"] == 0] == 0).all()
    lit = table["pv"] > 0
    sun, warm, error = (pv[lit] / 40 - 1), (heat / table["heat"] - 1), (load / table["load"] - 1)
    assert np.abs(sun).max() <= 0.3 + 1e-12 and np.abs(error).max() <= 0.15 + 1e-12
    assert sun.std() == pytest.approx(0.1, rel=0.1) and error.std() == pytest.approx(0.03, rel=0.1)
    assert np.corrcoef(error, warm)[0, 1] == pytest.approx(0.36, abs=0.1)
    assert np.corrcoef(error[:-1], error[1:])[0, 1] == pytest.approx(0.86, abs=0.07)


def test_the_law_of_errors_is_part_of_what_the_samples_are_named_by() -> None:
    case = sample_case(SAMPLES)
    other = SAMPLES.model_copy(update={"correlated": CorrelatedErrors()})
    assert error_samples.content_of(case, SAMPLES) != error_samples.content_of(case, other)
    assert error_samples.content_of(load_case("tiny"), load_case("tiny").sources[0])[:16] == "70ea2533c70f6bfc"  # homes keep their imports


def test_samples_need_a_table_and_a_date() -> None:
    case = sample_case(SAMPLES)
    with pytest.raises(InputError, match="no series of the case has an expectation table"):
        error_samples.batch_of(case.model_copy(update={"series": SERIES[3:]}), SAMPLES)
    with pytest.raises(InputError, match="'in May' is not a date"):
        error_samples.batch_of(case, SAMPLES.model_copy(update={"first_date": "in May"}))


def test_sessions_follow_the_law_on_the_local_clock() -> None:
    batch = ev_sessions.batch_of(sample_case(devices=(fleet(count=400),)), days(3))
    arrival, departure = (local_seconds(moments, "Europe/Berlin") for moments in (batch.arrival, batch.departure))
    assert len(batch.fleet) == 1200
    assert arrival.min() % 86400 >= 15 * 3600 and (arrival % 86400).max() <= 22 * 3600
    assert (departure // 86400 == arrival // 86400 + 1).all()
    assert (departure % 86400 >= 5 * 3600).all() and (departure % 86400 <= 7 * 3600).all()
    assert batch.need_kwh.min() >= 0.3 * 24 - 1e-9 and batch.need_kwh.max() <= 0.7 * 24 + 1e-9
    assert abs((arrival % 86400).mean() / 3600 - 18.5) < 0.15 and abs(batch.need_kwh.mean() - 12) < 0.3
    assert (batch.need_kwh / 0.9 <= 3.3 * (batch.departure - batch.arrival) / 3600 + 1e-9).all()  # book 1.4: every vehicle is feasible
    assert batch.known_at is batch.arrival or (batch.known_at == batch.arrival).all()


def test_a_day_does_not_depend_on_the_days_before_it_or_on_other_fleets() -> None:
    case = sample_case(devices=(fleet("ev_a"), fleet("ev_b", 5)))
    long = ev_sessions.batch_of(case, days(3))
    short = ev_sessions.batch_of(sample_case(devices=(fleet("ev_a"),)), days(1, "2016-03-27"))
    same = [i for i, name in enumerate(long.session) if name.startswith("2016-03-27") and long.fleet[i] == "ev_a"]
    assert long.arrival[same].tolist() == short.arrival.tolist() and long.need_kwh[same].tolist() == short.need_kwh.tolist()
    assert set(long.arrival[same].tolist()) != set(long.arrival[[i for i, name in enumerate(long.fleet) if name == "ev_b"]].tolist())


def test_every_day_is_drawn_anew() -> None:
    needs = ev_sessions.batch_of(sample_case(devices=(fleet(),)), days(3)).need_kwh.reshape(3, -1)
    assert not (needs[0] == needs[1]).any() and not (needs[1] == needs[2]).any()


def test_sessions_of_the_repeated_and_of_the_skipped_hour_have_an_instant() -> None:
    law = LAW.model_copy(update={"departure_h": Normal(mean=2.5, sd=1.0, low=1, high=4)})
    case = sample_case(devices=(fleet(count=200, law=law),))
    for first in ("2016-03-26", "2016-10-29"):
        batch = ev_sessions.batch_of(case, days(1, first))
        assert (batch.departure > batch.arrival).all()
        assert from_epoch(int(batch.departure.min())).date().isoformat() in ("2016-03-27", "2016-10-29", "2016-10-30")


def test_a_variant_without_a_sampling_law_has_no_sessions(tmp_path: Path) -> None:
    receipt = run(sample_case(days(3), devices=(fleet(law="observed"),)), Warehouse.open(tmp_path))[0]
    assert (receipt.status, receipt.rows_read, receipt.first) == ("imported", 0, None)


@pytest.mark.parametrize(
    ("part", "law", "says"),
    [
        ("arrival_h", Normal(mean=18, sd=0.1, low=20, high=22), "hardly ever lies in"),
        ("arrival_h", Normal(mean=18, sd=1, low=22, high=15), "hardly ever lies in"),
        ("arrival_h", Normal(mean=30, sd=1, low=29, high=31), "may leave before it has come"),
    ],
)
def test_a_law_that_cannot_be_drawn_is_refused(part: str, law: Normal, says: str) -> None:
    case = sample_case(devices=(fleet(law=LAW.model_copy(update={part: law})),))
    with pytest.raises(InputError, match=says):
        ev_sessions.batch_of(case, days(1))


def test_errors_that_hang_together_are_the_same_on_a_processor_that_adds_in_another_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is known names a run and seeds its draws: the last bits of a sum would give every machine scenarios of its own."""
    source = SAMPLES.model_copy(update={"correlated": CorrelatedErrors()})
    case, exact, rng = sample_case(source), error_samples.recentred, np.random.default_rng(0)
    here = error_samples.values_of(case, source, SERIES[0])
    monkeypatch.setattr(error_samples, "recentred", lambda rows, *given, **more: exact(rows, *given, **more) * (
        1 + 2e-16 * rng.choice([-1, 0, 1], rows.shape)))
    assert (error_samples.values_of(case, source, SERIES[0]) == here).all()
