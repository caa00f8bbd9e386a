"""One day of the smallest case, for every test of schedules."""

from __future__ import annotations

import pytest

from pipeline.schedule.real_time import Rolling
from tests.unit.schedule.tiny_day import Setting, setting


@pytest.fixture(scope="module")
def tiny() -> Setting:
    return setting()


@pytest.fixture(scope="module")
def rolling(tiny: Setting) -> Rolling:
    return tiny.rolling()
