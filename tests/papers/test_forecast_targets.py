"""The forecast targets of the design page on the shipped series: origins at midnight, leads 0-24 h, from day 62.

One composite of each kind; every 8th day, as the page says.
"""

from __future__ import annotations

import pytest

from pipeline.forecast.evaluate import midnight_scores
from tests.shipped_series import history, only, shipped_case

TARGETS = {"f01_load": 0.22, "f01_wind": 0.28, "mg_f01_b09_pv": 0.06, "mg_f01_b09_heat": 0.10}


@pytest.fixture(scope="module")
def scores() -> dict[str, dict[str, float]]:
    return midnight_scores(only(shipped_case(), *TARGETS), history(*TARGETS))


@pytest.mark.parametrize("series", sorted(TARGETS))
def test_skill_against_the_better_naive_forecast(scores: dict[str, dict[str, float]], series: str) -> None:
    assert scores[series]["skill"] >= TARGETS[series]


@pytest.mark.parametrize("series", sorted(TARGETS))
def test_the_90_percent_band_covers(scores: dict[str, dict[str, float]], series: str) -> None:
    assert 0.80 <= scores[series]["coverage_90"] <= 0.98
