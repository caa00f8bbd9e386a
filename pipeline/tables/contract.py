"""A table between two stages, declared once: Parquet schema, data gates and dictionary all come from here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import pyarrow as pa

from pipeline.core.errors import GateFailed, Mistake

Kind = Literal["text", "integer", "number", "instant", "flag"]

ARROW: dict[Kind, pa.DataType] = {
    "text": pa.string(), "integer": pa.int32(), "number": pa.float64(),
    "instant": pa.timestamp("us", tz="UTC"), "flag": pa.bool_(),
}


@dataclass(frozen=True)
class Column:
    """One column. `unit` is '' where there is none, and 'column:unit' where another column holds it."""

    name: str
    kind: Kind
    doc: str
    unit: str = ""
    nullable: bool = False
    allowed: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None


@dataclass(frozen=True)
class Table:
    """A table's contract. `key` columns identify a row and fix the order of rows on disk."""

    name: str
    doc: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]

    @property
    def schema(self) -> pa.Schema:
        return pa.schema([pa.field(c.name, ARROW[c.kind], nullable=c.nullable) for c in self.columns])

    def build(self, columns: Mapping[str, Sequence[Any]]) -> pa.Table:
        """Arrow table from columns, sorted by key, then by the other columns. An undeclared or missing column is an error."""
        declared, given = {c.name for c in self.columns}, set(columns)
        if declared != given:
            wrong = f"missing columns {sorted(declared - given)}, undeclared {sorted(given - declared)}"
            raise GateFailed(Mistake(f"table {self.name}", wrong, "write exactly the declared columns"))
        arrays = [_array(columns[c.name], c) for c in self.columns]
        table = pa.table(arrays, schema=self.schema)
        others = [c.name for c in self.columns if c.name not in self.key]
        return table.sort_by([(name, "ascending") for name in (*self.key, *others)])

    def empty(self) -> pa.Table:
        return self.schema.empty_table()


def _array(values: Any, column: Column) -> pa.Array | pa.ChunkedArray:
    """Values to the column's Arrow type; integer instants are UTC epoch seconds."""
    if isinstance(values, pa.Array | pa.ChunkedArray):
        return values.cast(ARROW[column.kind])
    if column.kind == "instant" and len(values) and not hasattr(values[0], "tzinfo"):
        return pa.array(values, pa.int64()).cast(pa.timestamp("s", tz="UTC")).cast(ARROW["instant"])
    return pa.array(values, ARROW[column.kind], from_pandas=column.nullable)
