"""Adding observations: what says something new becomes a further version, the rest changes nothing."""

from __future__ import annotations

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from pipeline.core.clock import Instants
from pipeline.core.errors import InputError, Mistake
from pipeline.store import bulk
from pipeline.store.ingests import IngestedFile, Receipt, log_ingest, next_sequence
from pipeline.store.observations import Floats, ObservationBatch, series_rows, valued
from pipeline.store.schema import OBSERVATIONS, SERIES


def add(
    connection: sa.Connection, namespace: str, batch: ObservationBatch, *, source: str, ingested_at: int,
    file: IngestedFile | None = None, trust_known_at: bool = False,
) -> Receipt:
    """Append the rows of a batch that say something new, inside the caller's transaction.

    A row is new when its interval has no value yet, or when its value differs from the version that held when it became known. A correction
    becomes known when it is ingested, whatever the batch says, or a past decision would seem to have known it; `trust_known_at` is for
    sources that carry their own record of when each version was known. Raises InputError for values that are not finite, for
    two values of one interval known at the same moment, and for a series that changes its resolution.
    """
    _check(batch)
    ids = _series_ids(connection, namespace, batch)
    order = np.lexsort((batch.known_at, batch.valid_from, ids[batch.series_index]))
    new: bulk.Columns = {
        "series_id": ids[batch.series_index][order], "valid_from": batch.valid_from[order], "known_at": batch.known_at[order],
        "value": batch.value[order], "quality": batch.quality[order],
    }
    old = _existing(connection, ids, new)
    keep, known_at, is_first = _novel(new, old, ingested_at=None if trust_known_at else ingested_at)
    sequence = next_sequence(connection)
    count, first_count = int(keep.sum()), int((keep & is_first).sum())
    receipt = Receipt(first_count, count - first_count, int(keep.size) - count, sequence)
    log_ingest(connection, namespace, sequence, source=source, ingested_at=ingested_at, receipt=receipt, file=file)
    if count:
        rows = {name: array[keep] for name, array in new.items()}
        rows |= {"known_at": known_at[keep], "ingest_seq": np.full(count, sequence, np.int64)}
        by_key = np.lexsort((rows["known_at"], rows["valid_from"], rows["series_id"]))
        bulk.insert_observations(connection, {name: array[by_key] for name, array in rows.items()})
    return receipt


def _check(batch: ObservationBatch) -> None:
    if len(set(batch.series)) != len(batch.series):
        raise InputError(Mistake("batch", "a series is named twice", "name each series once"))
    bad = np.flatnonzero(~np.isfinite(batch.value))
    if bad.size:
        row = int(bad[0])
        raise InputError(Mistake(
            f"series {batch.series[int(batch.series_index[row])]}, instant {int(batch.valid_from[row])}",
            f"the value is not finite ({bad.size} such rows)", "leave out what is missing",
        ))
    order = np.lexsort((batch.known_at, batch.valid_from, batch.series_index))
    s, v, k, x = (a[order] for a in (batch.series_index, batch.valid_from, batch.known_at, batch.value))
    twice = np.flatnonzero((s[1:] == s[:-1]) & (v[1:] == v[:-1]) & (k[1:] == k[:-1]) & (x[1:] != x[:-1]))
    if twice.size:
        row = int(twice[0])
        raise InputError(Mistake(
            f"series {batch.series[int(s[row])]}, instant {int(v[row])}",
            f"has two values, {x[row]} and {x[row + 1]}, known at the same moment", "keep one",
        ))


def _series_ids(connection: sa.Connection, namespace: str, batch: ObservationBatch) -> NDArray[np.int64]:
    """Integer ids of the batch's series, shape (series,); new ones are entered."""
    known = {name: (number, seconds) for name, number, seconds in series_rows(connection, namespace, batch.series)}
    highest = int(connection.execute(sa.select(sa.func.coalesce(sa.func.max(SERIES.c.series_id), 0))).scalar_one())
    entries = []
    for name, seconds in zip(batch.series, batch.resolutions, strict=True):
        if name not in known:
            highest += 1
            known[name] = (highest, int(seconds))
            entries.append({"series_id": highest, "namespace": namespace, "series": name, "resolution_s": int(seconds)})
        elif known[name][1] != seconds:
            raise InputError(Mistake(f"series {name}", f"holds values of {known[name][1]} s, and the batch brings values of {seconds} s",
                                     "give the other resolution its own series"))
    if entries:
        connection.execute(sa.insert(SERIES), entries)
    return np.array([known[name][0] for name in batch.series], np.int64)


def _existing(connection: sa.Connection, ids: NDArray[np.int64], new: bulk.Columns) -> bulk.Columns:
    """All stored versions in the span of a batch."""
    o = OBSERVATIONS.c
    low, high = (int(new["valid_from"].min()), int(new["valid_from"].max())) if new["valid_from"].size else (0, -1)
    where = sa.and_(o.series_id.in_([int(i) for i in ids]), o.valid_from >= low, o.valid_from <= high)
    found = bulk.select_observations(connection, sa.select(*(o[name] for name, _ in bulk.FIELDS)).where(where))
    return found | {"value": valued(found)}


def _novel(
    new: bulk.Columns, old: bulk.Columns, *, ingested_at: int | None,
) -> tuple[NDArray[np.bool_], Instants, NDArray[np.bool_]]:
    """Which new rows to keep (n,), when each is known (n,), and which open an interval that had no value (n,)."""
    count = new["value"].size
    seen = _in_pairs(new, old)
    known_at = new["known_at"].astype(np.int64)
    if ingested_at is not None:
        known_at = np.where(seen, np.maximum(known_at, ingested_at), known_at)
    series, valid, known, value = (np.concatenate([old[name], array]) for name, array in (
        ("series_id", new["series_id"]), ("valid_from", new["valid_from"]), ("known_at", known_at), ("value", new["value"])))
    is_new = np.arange(series.size) >= old["value"].size
    # Stored versions come before the batch's at the same moment; the batch's own keep the order of what they said they knew.
    rank = np.concatenate([old["ingest_seq"] - np.iinfo(np.int64).max // 2, np.arange(count)])
    order = np.lexsort((rank, known, valid, series))
    same = np.zeros(order.size, np.bool_)
    s, v, k, x, n = series[order], valid[order], known[order], value[order], is_new[order]
    same[1:] = (s[1:] == s[:-1]) & (v[1:] == v[:-1])
    novel = np.ones(order.size, np.bool_)
    novel[1:] = ~same[1:] | (x[1:] != x[:-1])
    superseded = np.zeros(order.size, np.bool_)  # of several rows of a batch that become known at one moment, the last one stands
    superseded[:-1] = same[1:] & (k[1:] == k[:-1]) & n[:-1] & n[1:]
    novel = _without_superseded(novel, superseded, same, x) & n
    keep, first = np.zeros(count, np.bool_), np.zeros(count, np.bool_)
    back = order[n] - old["value"].size
    keep[back], first[back] = novel[n], ~same[n]
    return keep, known_at, first & ~seen


def _without_superseded(
    novel: NDArray[np.bool_], superseded: NDArray[np.bool_], same: NDArray[np.bool_], value: Floats,
) -> NDArray[np.bool_]:
    """Novelty after the superseded rows are gone: each row is compared with the last one that stands before it."""
    if not superseded.any():
        return novel
    stands = np.flatnonzero(~superseded)
    group = np.cumsum(~same)
    s, x = group[stands], value[stands]
    out = np.zeros(novel.size, np.bool_)
    out[stands] = np.r_[True, (s[1:] != s[:-1]) | (x[1:] != x[:-1])]
    return out


def _in_pairs(new: bulk.Columns, old: bulk.Columns) -> NDArray[np.bool_]:
    """Which new rows' (series, valid_from) is stored already, shape (n,)."""
    if not old["value"].size:
        return np.zeros(new["value"].size, np.bool_)
    low = min(int(new["valid_from"].min()), int(old["valid_from"].min()))
    width = max(int(new["valid_from"].max()), int(old["valid_from"].max())) - low + 1
    return np.isin(new["series_id"].astype(np.int64) * width + new["valid_from"] - low,
                   old["series_id"].astype(np.int64) * width + old["valid_from"] - low)
