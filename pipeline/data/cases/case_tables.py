"""Tables of the books in, tables of the cases out: what the scripts beside this file share."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path
from typing import Any


def read_table(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / f"{name}.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def write_table(folder: Path, name: str, rows: Iterable[dict[str, Any]]) -> None:
    """Columns in the order in which rows first name them."""
    folder.mkdir(exist_ok=True)
    rows = list(rows)
    columns = list(dict.fromkeys(column for row in rows for column in row))
    with (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
