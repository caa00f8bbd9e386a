"""A person's word, dated and bitemporal: device out, fixed set-point, limit, each with author and reason."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Literal

import sqlalchemy as sa

from pipeline.core.errors import InputError, Mistake
from pipeline.core.ids import canonical_json, digest
from pipeline.store.schema import OVERRIDES

Quantity = Literal["out", "set_point_kw", "limit_low_kw", "limit_high_kw"]
QUANTITIES = ("out", "set_point_kw", "limit_low_kw", "limit_high_kw")


@dataclass(frozen=True)
class Override:
    """From `valid_from` to `valid_to` (UTC epoch seconds), `target` is held at `value` (kW, positive into the bus; 1 for `out`)."""

    namespace: str
    target: str
    quantity: Quantity
    value: float
    valid_from: int
    valid_to: int
    author: str
    reason: str
    known_at: int
    withdrawn: bool = False

    @property
    def override_id(self) -> str:
        """Names what is asked for; author, reason and time of a withdrawal may differ."""
        content = [self.namespace, self.target, self.quantity, float(self.value), int(self.valid_from), int(self.valid_to)]
        return f"ov-{digest(canonical_json(content))[:12]}"


def add(connection: sa.Connection, override: Override) -> str:
    """Append an override or its withdrawal, inside the caller's transaction; returns its id. Saying the same twice adds nothing."""
    mistakes = _mistakes(override)
    if mistakes:
        raise InputError(mistakes)
    before = _latest(connection, override.override_id, override.known_at)
    if override.withdrawn and (before is None or before.withdrawn):
        raise InputError(Mistake(f"override of {override.target}", "is not in force: there is nothing to withdraw", "give it as said"))
    if before is not None and before.withdrawn == override.withdrawn:
        return override.override_id
    entry = int(connection.execute(sa.select(sa.func.coalesce(sa.func.max(OVERRIDES.c.entry), 0))).scalar_one()) + 1
    values = asdict(override) | {"override_id": override.override_id, "withdrawn": int(override.withdrawn), "entry": entry}
    connection.execute(sa.insert(OVERRIDES), values)
    return override.override_id


def _mistakes(override: Override) -> list[Mistake]:
    place, mistakes = f"override of {override.target or '?'}", []
    if override.quantity not in QUANTITIES:
        mistakes.append(Mistake(place, f"'{override.quantity}' is no quantity", f"use one of {', '.join(QUANTITIES)}"))
    if override.valid_to <= override.valid_from:
        mistakes.append(Mistake(place, "ends before it starts", "give --from before --to"))
    if not abs(override.value) < float("inf"):
        mistakes.append(Mistake(place, "the value is not a finite number", "give a number in kW"))
    empty = [name for name in ("namespace", "target", "author", "reason") if not getattr(override, name).strip()]
    return mistakes + [Mistake(place, f"has no {name}", f"give a {name}: it is kept with the decision") for name in empty]


def _rows(connection: sa.Connection, *conditions: sa.ColumnElement[bool]) -> list[Override]:
    o = OVERRIDES.c
    statement = sa.select(OVERRIDES).where(*conditions).order_by(o.known_at, o.entry)
    return [
        Override(row.namespace, row.target, row.quantity, row.value, row.valid_from, row.valid_to, row.author, row.reason, row.known_at,
                 bool(row.withdrawn))
        for row in connection.execute(statement)
    ]


def _latest(connection: sa.Connection, override_id: str, as_of: int) -> Override | None:
    found = _rows(connection, OVERRIDES.c.override_id == override_id, OVERRIDES.c.known_at <= int(as_of))
    return found[-1] if found else None


def in_force(words: Iterable[Override]) -> list[Override]:
    """Of words in the order in which they were said, those that stand: of two on one thing the later holds, the withdrawn are gone."""
    latest: dict[str, Override] = {}
    for word in words:
        latest.pop(word.override_id, None)  # so that a repeated word takes its new place in the order
        latest[word.override_id] = word
    return [word for word in latest.values() if not word.withdrawn]


def said(connection: sa.Connection, namespace: str, *, start: int, end: int, as_of: int) -> list[Override]:
    """Every word known at `as_of` on [start, end), withdrawals too, in the order in which they were said."""
    o = OVERRIDES.c
    return _rows(connection, o.namespace == namespace, o.valid_from < int(end), o.valid_to > int(start), o.known_at <= int(as_of))


def read(connection: sa.Connection, namespace: str, *, start: int, end: int, as_of: int) -> list[Override]:
    """Overrides in force as known at `as_of` that overlap [start, end), oldest word first: of two on one thing, the later holds."""
    return in_force(said(connection, namespace, start=start, end=end, as_of=as_of))
