"""What a variant changes: settings and fields by mapping, records by id or all of a kind at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.cases.mistakes import Mistakes
from pipeline.cases.raw import Raw, merge, nearest
from pipeline.cases.sources import GivenForecast, Series
from pipeline.equipment import DEVICE_KINDS, Branch, Bus, Network, Record, Tie

if TYPE_CHECKING:
    from pipeline.cases.folder import Folder

_RECORDS: dict[str, type[Record]] = {"networks": Network, "buses": Bus, "branches": Branch, "ties": Tie, "series": Series,
                                   "given_forecasts": GivenForecast}
_WHOLE = (
    "title", "default_date", "balancing_tie", "balancing_chain", "tie_flows", "settings", "sources", "currency", "time_zone",
    "day_start_local",
)  # fmt: skip


def apply(read: Folder, chosen: Raw, mistakes: Mistakes) -> None:
    """Changes what was read. Under a table's name an id overrides one record, a field's name (devices: a kind) all of them."""
    allowed = (*_WHOLE, *_RECORDS, "devices")
    for key in chosen.value:
        inner = chosen.at(key)
        if inner is None:
            continue
        if key in _WHOLE:
            read.top = merge(read.top, Raw({key: inner.value}, {(key, *known): place for known, place in inner.places.items()}))
        elif key in (*_RECORDS, "devices"):
            _into_records(read.tables[key], key, inner, mistakes)
        else:
            mistakes.note(inner.place(()), f"a variant cannot change '{key}'", nearest(key, allowed))


def _into_records(records: list[Raw], table: str, inner: Raw, mistakes: Mistakes) -> None:
    if not isinstance(inner.value, dict):
        mistakes.note(inner.place(()), f"'{table}' of a variant must be a mapping", "write an id or a field, and what it becomes")
        return
    ids = {str(record.value.get("id")): index for index, record in enumerate(records) if isinstance(record.value, dict)}
    for key, value in inner.value.items():
        part = inner.at(key)
        if part is None:
            continue
        if key in ids:
            _override(records, [ids[key]], part, mistakes)
        elif table == "devices" and key in DEVICE_KINDS:
            _override(records, [index for index, record in enumerate(records) if record.value.get("kind") == key], part, mistakes)
        elif table != "devices" and key in _RECORDS[table].model_fields:
            under = Raw({key: value}, {(key, *known): place for known, place in part.places.items()})
            _override(records, list(range(len(records))), under, mistakes)
        else:
            words = [*(DEVICE_KINDS if table == "devices" else _RECORDS[table].model_fields), *ids]
            mistakes.note(part.place(()), f"the variant names '{key}', which {table} lacks", nearest(key, words))


def _override(records: list[Raw], indices: list[int], part: Raw, mistakes: Mistakes) -> None:
    if not isinstance(part.value, dict):
        mistakes.note(part.place(()), "an override must be a mapping of fields", "write `field: value` lines")
        return
    for index in indices:
        if isinstance(records[index].value, dict):
            records[index] = merge(records[index], part)
