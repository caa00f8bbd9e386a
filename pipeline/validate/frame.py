"""Published tables as numpy arrays, and rows as words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.core.errors import Mistake

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Key = tuple[str, str, str, str]  # device, bus, carrier, quantity

MOST_MISTAKES = 20  # per check: a person mends the first ones, and the rest is usually the same cause
_INDEXED = re.compile(r"^(?P<name>[a-z0-9_]+?)\[(?P<index>\d+)\]$")


def place(table: str, column: str = "", /, **row: object) -> str:
    """`table schedule, row device=f01_wind step=3, column value`."""
    words = " ".join(f"{name}={value}" for name, value in row.items())
    return f"table {table}" + (f", row {words}" if words else "") + (f", column {column}" if column else "")


def first(mistakes: Iterable[Mistake], of: int | None = None) -> list[Mistake]:
    """The first mistakes of one check, and a word on how many more there are."""
    listed = list(mistakes)
    total = len(listed) if of is None else of
    kept = listed[:MOST_MISTAKES]
    if total > len(kept) and kept:
        last = kept[-1]
        kept[-1] = Mistake(last.place, f"{last.message} (and {total - len(kept)} more rows like it)", last.remedy)
    return kept


def texts(table: pa.Table, column: str) -> tuple[Ints, list[str]]:
    """Codes (rows,) and labels of a text column; nulls get the label ''."""
    encoded = pc.dictionary_encode(pc.fill_null(table.column(column).combine_chunks(), ""))
    return encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64), encoded.dictionary.to_pylist()


def numbers(table: pa.Table, column: str) -> Floats:
    """A numeric column as floats (rows,); nulls become NaN."""
    return np.asarray(table.column(column).cast(pa.float64()).combine_chunks().to_numpy(zero_copy_only=False), dtype=float).copy()


def instants(table: pa.Table, column: str) -> Ints:
    """An instant column as UTC epoch seconds (rows,); nulls become -1."""
    micro = pc.fill_null(table.column(column).combine_chunks().cast(pa.int64()), -1_000_000)
    return np.asarray(micro.to_numpy(zero_copy_only=False), dtype=np.int64) // 1_000_000


def rows_of(table: pa.Table, where: NDArray[np.bool_]) -> pa.Table:
    return table.filter(pa.array(where))


@dataclass(frozen=True)
class Frame:
    """A long table (`schedule`, `dispatch`) by device, bus, carrier and quantity.

    `values[key]` has shape (S, T), NaN where no row is. Steps are 1..T of the delivery day, T rows of `steps`.
    """

    table: str
    scenarios: tuple[str, ...]
    steps: Ints  # (T,) step numbers present, ascending
    values: Mapping[Key, Floats]
    cohorts: Mapping[Key, tuple[Key, ...]] = field(default_factory=dict)  # key without index -> its indexed keys

    @property
    def shape(self) -> tuple[int, int]:
        return len(self.scenarios), len(self.steps)

    def get(self, device: str, bus: str, carrier: str, quantity: str) -> Floats | None:
        """(S, T), or None. A quantity with an index (`charge_kw[2]`, EV cohorts) is summed over it."""
        key = (device, bus, carrier, quantity)
        if key in self.values:
            return self.values[key]
        parts = self.cohorts.get(key)
        return None if parts is None else np.asarray(np.sum([self.values[part] for part in parts], axis=0))

    def zero_or(self, device: str, bus: str, carrier: str, quantity: str) -> Floats:
        """(S, T); a quantity that the table does not hold counts as zero (slacks that never moved)."""
        found = self.get(device, bus, carrier, quantity)
        return np.zeros(self.shape) if found is None else np.nan_to_num(found)

    def row(self, key: Key, scenario: int, step: int, column: str = "value") -> str:
        """The place of one row in words; `scenario`, `step` are array positions."""
        device, bus, carrier, quantity = key
        return place(
            self.table,
            column,
            scenario=self.scenarios[scenario],
            device=device,
            bus=bus,
            carrier=carrier,
            quantity=quantity,
            step=int(self.steps[step]),
        )

    def mistakes(self, key: Key, bad: NDArray[np.bool_], message: str, *figures: Floats) -> list[Mistake]:
        """One mistake per True of `bad` (S, T); `message` is a format string over the figures at that place."""
        where = np.argwhere(bad)
        return first(
            (Mistake(self.row(key, s, t), message.format(*(figure[s, t] for figure in figures))) for s, t in where[:MOST_MISTAKES]),
            of=len(where),
        )


def frame(name: str, table: pa.Table) -> Frame:
    """Long table to arrays. Rows with the same key overwrite each other: the contract gate refuses them before."""
    device, devices = texts(table, "device")
    bus, buses = texts(table, "bus")
    carrier, carriers = texts(table, "carrier")
    quantity, quantities = texts(table, "quantity")
    scenario, scenarios = texts(table, "scenario")
    order = sorted(range(len(scenarios)), key=lambda i: _scenario_order(scenarios[i]))
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    steps, step_at = np.unique(numbers(table, "step").astype(np.int64), return_inverse=True)
    group = ((device * len(buses) + bus) * len(carriers) + carrier) * len(quantities) + quantity
    unique, row_group = np.unique(group, return_inverse=True)
    cells = np.full((len(unique), len(scenarios), len(steps)), np.nan)
    if len(group):
        cells[row_group, rank[scenario], step_at] = numbers(table, "value")
    values: dict[Key, Floats] = {}
    cohorts: dict[Key, list[Key]] = {}
    for index, code in enumerate(unique):
        rest, q = divmod(int(code), len(quantities))
        rest, c = divmod(rest, len(carriers))
        d, b = divmod(rest, len(buses))
        key = (devices[d], buses[b], carriers[c], quantities[q])
        values[key] = cells[index]
        indexed = _INDEXED.match(quantities[q])
        if indexed:
            cohorts.setdefault((*key[:3], indexed["name"]), []).append(key)
    return Frame(name, tuple(scenarios[i] for i in order), steps, values, {key: tuple(parts) for key, parts in cohorts.items()})


def _scenario_order(name: str) -> tuple[int, int, str]:
    """`expected` first, representatives by number, `settled` last."""
    return (1, int(name), name) if name.isdigit() else (0 if name == "expected" else 2, 0, name)
