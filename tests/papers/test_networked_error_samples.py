"""Networked microgrids, acceptance 8: test-set errors have mean 0 within 3 sigma/sqrt(n) and standard deviation 0.01 +- 5 %."""

from __future__ import annotations

import math

import numpy as np
import pytest

from pipeline.cases.load import load_case
from pipeline.cases.sources import ErrorSampleSource
from pipeline.core.clock import local_hour
from pipeline.ingest import error_samples


@pytest.fixture(scope="module")
def errors() -> dict[str, np.ndarray]:
    """Relative errors of the test days per series, where the expectation is not zero."""
    case = load_case("networked_microgrids_66")
    source = next(source for source in case.sources if isinstance(source, ErrorSampleSource))
    assert (source.training_days, source.test_days, source.sigma) == (500, 100, 0.01)
    hours = error_samples.hours_of(case, source)
    tested = hours >= error_samples.first_test_instant(case, source)
    assert tested.sum() == 100 * 24
    found = {}
    for series in error_samples.sampled_series(case):
        expectation = np.array(series.by_local_hour)[local_hour(hours[tested], case.time_zone)]
        values = error_samples.values_of(case, source, series)[tested]
        found[series.id] = values[expectation != 0] / expectation[expectation != 0] - 1
    return found


def test_the_errors_of_each_kind_of_series_have_the_law_of_the_book(errors: dict[str, np.ndarray]) -> None:
    for ending in ("_load", "_wind", "_pv", "_heat", "price"):
        pooled = np.concatenate([values for name, values in errors.items() if name.endswith(ending)])
        assert abs(pooled.mean()) <= 3 * 0.01 / math.sqrt(len(pooled)), ending
        assert pooled.std() == pytest.approx(0.01, rel=0.05), ending


def test_the_errors_of_every_series_are_truncated_and_independent(errors: dict[str, np.ndarray]) -> None:
    assert max(np.abs(values).max() for values in errors.values()) <= 0.04 + 1e-12
    long = np.stack([values for values in errors.values() if len(values) == 2400])
    correlation = np.corrcoef(long) - np.eye(len(long))
    assert np.abs(correlation).max() < 5 / math.sqrt(2400)
