"""Where nothing was known at the issue time, the message tells what is stored and what to do about it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from pipeline.core.clock import to_epoch
from pipeline.core.errors import InputError
from pipeline.stages.forecasting import refuse_unknown
from pipeline.store.observations import ObservationBatch
from pipeline.store.warehouse import Warehouse
from tests.helpers import case_of

ISSUED = to_epoch(datetime(2016, 6, 14, 10, tzinfo=UTC))
WINDOW = ISSUED - 29 * 86400
BEGUN = "no observation was known at the issue time"


def _said(home: Path, first: int, known: int) -> Any:
    """What is said where `price` alone has a day of hours from `first`, known at `known`."""
    case, warehouse = case_of(), Warehouse.open(home)
    try:
        count = 24
        batch = ObservationBatch(["price"], np.zeros(count, np.int32), first + 3600 * np.arange(count), np.full(count, known),
                                 np.ones(count), np.zeros(count, np.int16), [3600])
        warehouse.add_observations(case.name, batch, source="test", ingested_at=known)
        names = tuple(series.id for series in case.series)
        history = warehouse.observations(case.name, names, WINDOW, ISSUED + 86400, ISSUED)
        run: Any = SimpleNamespace(case=case, issued_at=ISSUED, home=SimpleNamespace(warehouse=warehouse),
                                   knowledge=SimpleNamespace(history=history), record=SimpleNamespace(parameters={"history_start": WINDOW}))
        with pytest.raises(InputError) as caught:
            refuse_unknown(run)
        return {mistake.place.split("series ")[1]: mistake for mistake in caught.value.mistakes}
    finally:
        warehouse.close()


def test_history_before_the_window_is_told_with_its_ends(tmp_path: Path) -> None:
    said = _said(tmp_path, to_epoch(datetime(2016, 1, 1, tzinfo=UTC)), ISSUED - 90 * 86400)
    assert said["load"].message == BEGUN and said["load"].remedy.startswith("import its history")
    span = "what is stored begins at 2016-01-01T00:00Z and ends at 2016-01-02T00:00Z"
    assert said["price"].message == f"{BEGUN}, 2016-06-14T10:00Z: {span}, before the window (2016-05-16T10:00Z)"
    assert said["price"].remedy == "import what came since, or take an earlier --date"


def test_history_after_the_issue_time_and_history_known_too_late(tmp_path: Path) -> None:
    after = _said(tmp_path / "after", to_epoch(datetime(2016, 7, 1, tzinfo=UTC)), ISSUED + 30 * 86400)["price"]
    assert "begins at 2016-07-01T00:00Z" in after.message and after.remedy == "import what was before, or take a later --date"
    late = _said(tmp_path / "late", to_epoch(datetime(2016, 6, 1, tzinfo=UTC)), ISSUED + 30 * 86400)["price"]
    assert late.message.endswith("and the first of it became known at 2016-07-14T10:00Z")
    assert late.remedy.startswith("take a later --date or --as-of")


def test_known_history_passes_over(tmp_path: Path) -> None:
    assert "price" not in _said(tmp_path, to_epoch(datetime(2016, 6, 1, tzinfo=UTC)), ISSUED - 86400)
