"""The shipped 15-minute series of 2016 as observations, without a warehouse."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pyarrow.parquet as pq

from pipeline.cases.case import Case
from pipeline.cases.load import load_case
from pipeline.core.shipped import DATA
from pipeline.store.observations import Observations

AVAILABLE_AFTER_S = 900


@cache
def shipped_case() -> Case:
    return load_case("networked_microgrids_66_simbench")


def only(case: Case, *series: str) -> Case:
    """The case with some of its series; forecasting looks at nothing else."""
    return case.model_copy(update={"series": tuple(one for one in case.series if one.id in series)})


@cache
def history(*series: str) -> Observations:
    """Every row known a quarter-hour after its interval."""
    tables = [pq.read_table(DATA / "series" / name) for name in ("simbench_2016.parquet", "price_2016.parquet")]
    parts = []
    for index, name in enumerate(series):
        table = next(one for one in tables if name in one.schema.names)
        start = table["valid_from"].cast("timestamp[s]").cast("int64").to_numpy()
        step = int(start[1] - start[0])
        parts.append((np.full(start.size, index, np.int32), start, start + step + AVAILABLE_AFTER_S, table[name].to_numpy(), step))
    index, start, known, value = (np.concatenate([part[i] for part in parts]) for i in range(4))
    return Observations(tuple(series), tuple(part[4] for part in parts), index, start, known, np.zeros(start.size, np.int64), value,
                        np.zeros(start.size, np.int16))


def poisoned(observations: Observations, known_after: int) -> Observations:
    """Everything known after a moment replaced by nonsense: what must not be read."""
    return replace(observations, value=np.where(observations.known_at > known_after, 1e9, observations.value))


def between(observations: Observations, start: int, end: int) -> Observations:
    keep = (observations.valid_from >= start) & (observations.valid_from < end)
    return Observations(observations.series, observations.resolution_s, observations.series_index[keep], observations.valid_from[keep],
                        observations.known_at[keep], observations.ingest_seq[keep], observations.value[keep], observations.quality[keep])
