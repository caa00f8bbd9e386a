"""What becomes of the values that were read: resolution, energy, counters, meters that stand still."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.ingest.quality import Quality
from tests.wild.runner import copied, tried, typed


def test_hours_that_become_quarters_fill_an_hourly_series(tmp_path: Path) -> None:
    found = tried("a10_epex_60_to_15_declared_15_series_price", "ingest", tmp_path, None, "--source", "f", "--json")
    assert found.code == 0, found.err
    [receipt] = found.json
    assert receipt["rows_read"] == 264
    assert receipt["accounts"] == [{"series": "price", "column": "eur_mwh", "rows": 264, "fates": {"stored": 72, "averaged": 192},
                                    "values": 120}]
    values = found.values("price")
    assert len(values) == 120 and values[0] == pytest.approx(0.09528)
    assert values[72] == pytest.approx((108.63 + 95.92 + 97.91 + 103.11) / 4000)


def test_hours_that_become_quarters_fill_a_series_of_quarters(tmp_path: Path) -> None:
    found = tried("a10_epex_60_to_15_declared_60_series_price15", "ingest", tmp_path, None, "--source", "f", "--json")
    assert found.code == 0, found.err
    [receipt] = found.json
    assert receipt["accounts"][0]["fates"] == {"stored": 192, "held": 72}
    values, read = found.values("price"), found.observations("price")
    assert len(values) == 480 and (values[:4] == values[0]).all()
    assert values[288:292] * 1000 == pytest.approx([108.63, 95.92, 97.91, 103.11])
    held = read.quality[np.argsort(read.valid_from)] & Quality.HELD != 0
    assert held[:288].all() and not held[288:].any()


def test_energy_per_interval_becomes_power(tmp_path: Path) -> None:
    found = tried("a38_kwh_header_as_kw", "ingest", tmp_path, None, "--source", "f")
    assert found.code == 0, found.err
    assert len(found.values("load")) == 288 and found.values("load")[0] == pytest.approx(21.344)


def test_a_counter_is_refused_as_a_load_and_its_remedy_works(tmp_path: Path) -> None:
    refused = tried("a18_cumulative_meter", "ingest", tmp_path, None, "--source", "f")
    assert refused.code == 2
    assert len(refused.messages) == 1 and "never falls: that is a meter's counter" in refused.messages[0]
    assert "reading: count" in refused.messages[0] and "unit: kWh" in refused.messages[0]
    declared = {"sources.f.mapping.columns.0.reading": "count", "sources.f.mapping.columns.0.unit": "kWh"}
    found = tried("a18_cumulative_meter", "ingest", tmp_path, declared, "--source", "f", "--json")
    assert found.code == 0, found.err
    assert found.values("load")[0] == pytest.approx((1234.491 - 1234.067) * 4)
    [account] = found.json[0]["accounts"]
    assert account["rows"] == 960 and account["fates"] == {"stored": 959, "unmatched": 1}


def test_a_series_of_five_minutes_is_refused_and_its_remedy_works(tmp_path: Path) -> None:
    refused = tried("g06c_load_series_5min", "case check", tmp_path)
    assert refused.code == 2 and len(refused.messages) == 1
    assert "give 15, 30 or 60" in refused.messages[0] and " 5," not in refused.messages[0]
    for minutes in (15, 30, 60):
        assert typed(copied("g06c_load_series_5min", tmp_path, {"series.load.resolution_min": minutes}), "case check").code == 0


@pytest.mark.parametrize(("case", "said"), [
    ("e07_dead_meter", "rests at zero since 2024-06-05T00:00:00+00:00, for "),
    ("e08_frozen_meter", "stands at 33.3 kW since 2024-06-08T00:00:00+00:00, for "),
])
def test_a_meter_that_stands_still_is_a_finding_of_the_run(tmp_path: Path, case: str, said: str) -> None:
    found = tried(case, "day-ahead", tmp_path, None, "--json")
    assert found.code == 5, found.err
    [finding] = [row for row in found.json["findings"] if row["check"] == "standing_meter"]
    assert finding["severity"] == "warning" and finding["place"] == "load" and finding["message"].startswith(said)
