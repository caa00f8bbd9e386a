"""The data dictionary `docs/tables.md`, written from the declarations of the tables."""

from __future__ import annotations

import sys
from pathlib import Path

from pipeline.tables import TABLES, Column, Table
from pipeline.tables.studies import STUDY_TABLES

TARGET = Path(__file__).resolve().parents[2] / "docs" / "tables.md"
HEAD = """# Data dictionary

Written from `pipeline/tables` by `python -m pipeline.tables.dictionary`; do not edit.

Every run writes its tables to `runs/<run_id>/<table>.parquet`. What is current is at
`published/<table>/case=../variant=../delivery_date=../part-0.parquet`; the three partition keys are in the path and not in the file.
Rows are sorted by the key. Power into a bus is positive. Instants are UTC starts of intervals.
"""
STUDIES = """# Evaluation studies

`feederflow study NAME` writes these below `studies/<name>/`. They are not published.
"""


def _range(column: Column) -> str:
    if column.allowed:
        return ", ".join(f"`{value}`" for value in column.allowed)
    low = "" if column.minimum is None else f">= {column.minimum:g}"
    high = "" if column.maximum is None else f"<= {column.maximum:g}"
    return " and ".join(part for part in (low, high) if part)


def _unit(column: Column) -> str:
    return f"see `{column.unit.removeprefix('column:')}`" if column.unit.startswith("column:") else column.unit


def section(table: Table) -> str:
    """One table in Markdown."""
    lines = [f"## {table.name}", "", table.doc, "", f"Key: {', '.join(f'`{name}`' for name in table.key)}.", "",
             "| column | type | unit | may be empty | range | meaning |", "|---|---|---|---|---|---|"]
    lines += [
        f"| `{c.name}` | {c.kind} | {_unit(c)} | {'yes' if c.nullable else ''} | {_range(c)} | {c.doc} |" for c in table.columns
    ]
    return "\n".join(lines) + "\n"


def dictionary() -> str:
    """The whole page."""
    return "\n".join([HEAD, *(section(table) for table in TABLES.values()), STUDIES, *(section(table) for table in STUDY_TABLES.values())])


if __name__ == "__main__":
    Path(sys.argv[1] if len(sys.argv) > 1 else TARGET).write_text(dictionary())
