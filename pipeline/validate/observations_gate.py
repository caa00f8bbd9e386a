"""After ingest: what the store holds of a case's histories is finite, known, on its grid and says one thing at a time."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from pipeline.cases.case import Case
from pipeline.core.clock import QUARTER_S, from_epoch
from pipeline.core.errors import Mistake
from pipeline.core.units import conversion, known_units
from pipeline.store.observations import NO_VALUE, Observations
from pipeline.tables.contract import ARROW, Column, Table
from pipeline.validate.contract_gate import check_contract
from pipeline.validate.frame import first, place

OBSERVATIONS = Table(
    name="observations",
    doc="Observations as read from the warehouse; no published table.",
    columns=(
        Column("series", "text", "series of the case"),
        Column("valid_from", "instant", "start of the interval, UTC"),
        Column("known_at", "instant", "when it became known, UTC"),
        Column("ingest_seq", "number", "order of arrival", minimum=0),
        Column("value", "number", "mean over the interval"),
        Column("quality", "integer", "flags", minimum=0),
    ),
    key=("series", "valid_from", "known_at", "ingest_seq"),
)


def check_observations(case: Case, observations: Observations) -> list[Mistake]:
    """Series and units are known, values finite, versions ascending, and no version is there twice."""
    mistakes = [
        Mistake(f"series {name}", "is not declared in the case", "declare it under series")
        for name in observations.series
        if name not in case.series_by_id
    ]
    mistakes += [
        Mistake(f"series {series.id}", f"unit '{series.unit}' is unknown", f"use one of {', '.join(sorted(known_units(case.currency)))}")
        for series in case.series_by_id.values()
        if conversion(series.unit) is None
    ]
    if not len(observations):
        return mistakes
    withdrawn = np.isnan(observations.value) & (observations.quality & NO_VALUE != 0)
    mistakes += check_contract(OBSERVATIONS, _as_table(observations).filter(pa.array(~withdrawn)))
    return mistakes + _order(observations) + _grid(observations)


def _as_table(observations: Observations) -> pa.Table:
    names = pa.array(list(observations.series), pa.string())
    series = pa.DictionaryArray.from_arrays(pa.array(observations.series_index.astype(np.int32)), names).cast(pa.string())
    instant = {
        name: pa.array(getattr(observations, name), pa.int64()).cast(pa.timestamp("s", tz="UTC")).cast(ARROW["instant"])
        for name in ("valid_from", "known_at")
    }
    return pa.table(
        {
            "series": series,
            **instant,
            "ingest_seq": pa.array(observations.ingest_seq.astype(float)),
            "value": pa.array(observations.value),
            "quality": pa.array(observations.quality.astype(np.int32)),
        },
        schema=OBSERVATIONS.schema,
    )


def _order(observations: Observations) -> list[Mistake]:
    """Sorted by series, instant, and within an instant by what is known when; two versions never share both."""
    s, v, k, q = (
        np.asarray(a, dtype=np.int64)
        for a in (observations.series_index, observations.valid_from, observations.known_at, observations.ingest_seq)
    )
    same = (s[1:] == s[:-1]) & (v[1:] == v[:-1])
    backward = (s[1:] < s[:-1]) | ((s[1:] == s[:-1]) & (v[1:] < v[:-1])) | (same & (k[1:] < k[:-1]))
    twice = same & (k[1:] == k[:-1]) & (q[1:] <= q[:-1])
    mistakes: list[Mistake] = []
    for bad, message in ((backward, "comes after a later row"), (twice, "is a version that is there twice")):
        rows = np.flatnonzero(bad) + 1
        mistakes += first(
            (
                Mistake(place("observations", series=observations.series[s[row]], valid_from=from_epoch(int(v[row])).isoformat()), message)
                for row in rows
            ),
            of=len(rows),
        )
    return mistakes


def _grid(observations: Observations) -> list[Mistake]:
    """Intervals start on a quarter-hour. Hours may start at half past: some zones do."""
    rows = np.flatnonzero(observations.valid_from % QUARTER_S)
    return first(
        (
            Mistake(
                place(
                    "observations",
                    series=observations.series[observations.series_index[row]],
                    valid_from=from_epoch(int(observations.valid_from[row])).isoformat(),
                ),
                "starts off the quarter-hour",
            )
            for row in rows
        ),
        of=len(rows),
    )
