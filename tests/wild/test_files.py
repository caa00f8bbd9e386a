"""Files as public portals and meters write them (made-up values, exact format): each is read, or refused in one message."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.wild.runner import tried

FILE = "sources.f.mapping."


@pytest.mark.parametrize(
    ("name", "series", "count", "first"),
    [
        ("a01_entsoe_old", "price", 72, 0.09528),
        ("a08_aemo_slash", "price", 192, (95.28 + 95.41 + 102.68) / 3e3),
        ("a15_london_lcl", "load", 288, 2 * 0.234),
        ("a16_pecan_postgres_offset", "load", 288, 1.134),
        ("a21_thousands_de_integer", "load", 288, 21.34),
        ("a24_missing_nx2fe", "load", 287, 21.344),
        ("a24_missing_unavailable", "load", 287, 21.344),
        ("a25d_naive_end_wall_fall", "load", 292, 21.344),
        ("a28_gz", "load", 288, 21.344),
    ],
)
def test_what_can_be_read_in_one_way_is_read(tmp_path: Path, name: str, series: str, count: int, first: float) -> None:
    outcome = tried(name, "ingest", tmp_path, None, "--json")
    assert (outcome.code, outcome.err) == (0, "")
    values = outcome.values(series)
    assert len(values) == count
    assert values[0] == pytest.approx(first)


REFUSED: list[tuple[str, dict[str, Any], str, str]] = [
    ("a05_energy_charts_units_row", {FILE + "units_row": True}, "row 2: holds 'Preis (EUR/MWh, EUR/tCO2)'", "declare units_row: true"),
    (
        "a07_omie",
        {
            FILE + "header": ["year", "month", "day", "hour", "price", "price_es"],
            FILE + "skip_rows": 1,
            FILE + "footer": "*",
            FILE + "time_columns": {"date": ["year", "month", "day"], "hour": "hour"},
        },
        "there is no header",
        "declare header: [..], the names of its 6 columns in their order, and skip_rows: 1",
    ),
    (
        "a12_nyiso_pal",
        {FILE + "time_format": "%m/%d/%Y %H:%M:%S"},
        "'05/13/2024 00:00:00' is not a stamp that can be read in one way only (289 of this kind",
        "declare time_format: '%m/%d/%Y %H:%M:%S'",
    ),
    ("a20_cp1252", {FILE + "encoding": "cp1252", FILE + "decimal": ","}, "row 1: byte b'\\xfc' is not UTF-8", "declare encoding: cp1252"),
    ("a23b_preamble", {FILE + "skip_rows": 4, FILE + "decimal": ","}, "row 5: the header is in row 5", "declare skip_rows: 4"),
]
FIRST = {
    "a05_energy_charts_units_row": ("price", 72, 0.09528),
    "a07_omie": ("price", 24, 0.09528),
    "a12_nyiso_pal": ("load", 96, (1213.4364 + 1276.3775 + 1249.5435) / 3 * 0.05),
    "a20_cp1252": ("load", 288, 21.344),
    "a23b_preamble": ("load", 288, 21.344),
}


@pytest.mark.parametrize(("name", "declared", "says", "remedy"), REFUSED)
def test_what_has_two_readings_is_refused_in_one_message_whose_remedy_works(
    tmp_path: Path, name: str, declared: dict[str, Any], says: str, remedy: str
) -> None:
    refused = tried(name, "ingest", tmp_path)
    assert refused.code == 2
    told = [line for line in refused.messages if not line.startswith("Stored all the same")]
    assert len(told) == 1 and says in told[0] and remedy in told[0], refused.err
    assert np.isfinite(refused.values("pv")).all() and len(refused.values("pv"))  # the other source is stored all the same
    outcome = tried(name, "ingest", tmp_path, declared)
    assert (outcome.code, outcome.err) == (0, "")
    series, count, first = FIRST[name]
    values = outcome.values(series)
    assert len(values) == count
    assert values[0] == pytest.approx(first)
