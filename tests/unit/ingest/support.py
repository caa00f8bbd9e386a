"""A small case with one source, and ways to look at the whole store before and after an import."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa

from pipeline.cases.case import Case
from pipeline.cases.sources import ColumnMap, FileSource, FolderSource, Mapping, Series
from pipeline.core.errors import InputError, Mistake
from pipeline.ingest.receipt import Receipt
from pipeline.ingest.run import ingest_case
from pipeline.store.warehouse import Warehouse
from tests.helpers import case_of

NOW = int(datetime(2017, 1, 10, tzinfo=UTC).timestamp())
LOAD = Series(id="load", kind="load", by_local_hour=(100.0,) * 24, maximum=5000.0)
PRICE = Series(id="price", kind="price", unit="EUR/kWh", minimum=None)
ALL = (LOAD, PRICE, Series(id="heat", kind="heat", unit="kWth"), Series(id="wind", kind="wind", capacity_kw=500.0))


def epoch(text: str) -> int:
    """UTC epoch seconds of an ISO stamp with offset."""
    return int(datetime.fromisoformat(text).timestamp())


def mapping_of(*columns: ColumnMap, **more: Any) -> Mapping:
    return Mapping(**{"columns": columns or (ColumnMap(column="load", series="load", unit="kW"),), **more})


def case_with(*sources: Any, series: Sequence[Series] = ALL, zone: str = "Europe/Berlin", **more: Any) -> Case:
    return case_of(time_zone=zone, currency="EUR", series=tuple(series), sources=sources, **more)


def file_case(
    folder: Path,
    content: str | bytes,
    *,
    name: str = "drop.csv",
    series: Sequence[Series] = ALL,
    zone: str = "Europe/Berlin",
    mapping: Mapping | None = None,
) -> Case:
    """A case whose one source is a file with this content."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
    return case_with(
        FileSource(kind="file", id="meter", path=name, mapping=mapping or mapping_of()), series=series, zone=zone, folder=folder
    )


def folder_case(folder: Path, *, mapping: Mapping | None = None, pattern: str = "*", series: Sequence[Series] = ALL) -> Case:
    return case_with(
        FolderSource(kind="folder", id="meter", path=str(folder), pattern=pattern, mapping=mapping or mapping_of()), series=series
    )


def run(case: Case, warehouse: Warehouse, *, now: int = NOW) -> list[Receipt]:
    return ingest_case(case, warehouse, now=now, data_dir=Path("nowhere"))


def everything(warehouse: Warehouse) -> list[Any]:
    """Every row of what an import can write: two equal lists are two equal stores."""
    with warehouse.reading() as connection:
        return [
            sorted(tuple(row) for row in connection.execute(sa.text(f"SELECT * FROM {table}")))
            for table in ("observations", "sessions", "series", "ingests", "ingested_files")
        ]


def values(warehouse: Warehouse, case: Case, series: str = "load", *, as_of: int = NOW) -> dict[int, float]:
    """Start -> latest value."""
    read = warehouse.observations(case.name, [series], 0, 1 << 40, as_of).latest()
    return dict(zip(read.valid_from.tolist(), read.value.tolist(), strict=True))


def qualities(warehouse: Warehouse, case: Case, series: str = "load") -> dict[int, int]:
    read = warehouse.observations(case.name, [series], 0, 1 << 40, NOW).latest()
    return dict(zip(read.valid_from.tolist(), read.quality.tolist(), strict=True))


@cache
def _home_with_a_value() -> Path:
    """A store that holds one value, made once."""
    home = Path(tempfile.mkdtemp(prefix="ingest-"))
    warehouse = Warehouse.open(home)
    run(file_case(home, "valid_from,load\n2015-01-01T00:00Z,7\n", name="good.csv"), warehouse)
    warehouse.close()
    return home


def refused(folder: Path, content: str | bytes, *, now: int = NOW, **more: Any) -> list[Mistake]:
    """Imports the content into a store that holds a value and returns the mistakes; the store must be as it was."""
    shutil.copytree(_home_with_a_value(), folder / "home", dirs_exist_ok=True)
    warehouse = Warehouse.open(folder / "home")
    before = everything(warehouse)
    assert len(before[0]) == 1
    with pytest.raises(InputError) as caught:
        run(file_case(folder, content, **more), warehouse, now=now)
    assert everything(warehouse) == before
    warehouse.close()
    return list(caught.value.mistakes)


def stored(
    folder: Path, content: str | bytes, *, now: int = NOW, series_id: str = "load", **more: Any
) -> tuple[dict[int, float], dict[int, int], Receipt]:
    """Imports the content into an empty store: values, quality and the receipt."""
    warehouse = Warehouse.open(folder / "home")
    case = file_case(folder, content, **more)
    receipt = run(case, warehouse, now=now)[0]
    result = values(warehouse, case, series_id), qualities(warehouse, case, series_id), receipt
    warehouse.close()
    return result


def quarter_hours(count: int, *, first: str = "2016-03-01T00:00+00:00") -> list[int]:
    return (epoch(first) + 900 * np.arange(count)).tolist()


def utc_csv(instants: Sequence[int], numbers: Sequence[object], header: str = "valid_from,load") -> str:
    rows = [
        f"{datetime.fromtimestamp(moment, UTC).strftime('%Y-%m-%dT%H:%MZ')},{number}"
        for moment, number in zip(instants, numbers, strict=True)
    ]
    return "\n".join([header, *rows]) + "\n"
