"""Local time on the axes, on the days when the clock changes too."""

from __future__ import annotations

from datetime import date, time

import numpy as np
import pytest

from pipeline.core.clock import DeliveryDay
from pipeline.publish.report.axis import TimeGrid, ticks, zone_title


def _day(text: str) -> DeliveryDay:
    return DeliveryDay(date.fromisoformat(text), "Europe/Berlin", time(7))


@pytest.mark.parametrize(("text", "count"), [("2016-03-22", 96), ("2016-03-26", 92), ("2016-10-29", 100)])
def test_positions_never_fold_back(text: str, count: int) -> None:
    day = _day(text)
    grid = TimeGrid("q", day.starts(), 900, day)
    assert len(grid) == count and (np.diff(grid.edges_h) == 0.25).all()
    assert len(grid.labels) == count + 1 and len(grid.spans) == count


def test_a_plain_day_names_midnight_and_no_zone() -> None:
    positions, texts = ticks(_day("2016-03-22"))
    assert dict(zip(positions, texts, strict=True))[17.0] == "00:00<br>23 Mar"
    assert texts[0] == "08:00" and positions[0] == 1.0


def test_the_repeated_hour_has_two_names() -> None:
    texts = ticks(_day("2016-10-29"))[1]
    assert "02:00<br>CEST" in texts and "02:00<br>CET" in texts
    assert zone_title(_day("2016-10-29")) == "local time (Europe/Berlin, CEST; clock changes to CET)"


def test_the_skipped_hour_is_not_named() -> None:
    texts = ticks(_day("2016-03-26"))[1]
    assert not any(text.startswith("02:00") for text in texts)
    assert "04:00<br>CEST" in texts


def test_values_find_their_interval_and_the_rest_stays_empty() -> None:
    day = _day("2016-03-22")
    grid = TimeGrid("q", day.starts(), 900, day)
    placed = grid.place(np.array([day.start + 900, day.start - 900, day.end]), np.array([7.0, 8.0, 9.0]))
    assert placed[1] == 7.0 and np.isfinite(placed).sum() == 1
