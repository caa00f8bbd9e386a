"""What the operator types into the plant: the set-points of one interval, one row per device, in local time."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.cases.case import Case
from pipeline.core.clock import QUARTER_S, DeliveryDay, from_epoch
from pipeline.core.errors import Mistake, NoSchedule
from pipeline.equipment import AnyDevice, Demand, EvAggregator, EvFleet, Source, Store
from pipeline.tables import TABLES

CARRIER_COLUMNS = {"active": "active_kw", "reactive": "reactive_kvar", "heat": "heat_kwth", "hydrogen": "hydrogen_m3h"}
COLUMNS = ("device", "kind", "network", "bus", "step", "from_local", "to_local", *CARRIER_COLUMNS.values(), "run_id", "note")
SMALL_KW = 1e-6

Row = dict[str, Any]


def setpoints(case: Case, tables: Mapping[str, pa.Table], *, day: DeliveryDay, at: int) -> list[Row]:
    """Set-points of the interval that holds `at` (UTC epoch seconds).

    `tables` are the published `dispatch` and `schedule`. Where real time has not decided the interval, the day-ahead schedule speaks
    and the note says so. An inelastic load is no set-point: it shows only while it is shed. Positive feeds into the bus.
    Raises NoSchedule when nothing is published of that interval.
    """
    table, chosen, source, step_s = _source(case, tables, day, at)
    rows = table.filter(pa.array(_seconds(table) == chosen)).to_pylist()
    values: dict[tuple[str, str], dict[str, float]] = {}
    kept: dict[tuple[str, str], Row] = {}
    for row in rows:
        key = (row["device"], row["bus"])
        kept.setdefault(key, row)
        name = row["carrier"] if row["quantity"] == "injection" else row["quantity"]
        values.setdefault(key, {})[name] = row["value"]
    span = (chosen, chosen + step_s)
    return [
        row for key, row in ((key, _row(case, kept[key], values[key], day, span, source)) for key in _order(case, kept)) if row is not None
    ]


def _source(case: Case, tables: Mapping[str, pa.Table], day: DeliveryDay, at: int) -> tuple[pa.Table, int, str, int]:
    """Dispatch where it holds the moment, else the schedule; with the start and the length of the interval."""
    dispatch = _scenario(tables, "dispatch", "settled")
    start = _holding(_starts(dispatch), at, QUARTER_S)
    if start is not None:
        return dispatch, start, "", QUARTER_S
    schedule = _scenario(tables, "schedule", "expected")
    starts = _starts(schedule)
    step_s = int(np.diff(starts).min()) if len(starts) > 1 else 60 * case.settings.day_ahead_step_min
    start = _holding(starts, at, step_s)
    if start is None:
        local = from_epoch(at).astimezone(day.zone).isoformat(timespec="minutes")
        said = f"no schedule is published that holds {local}" if len(starts) else "no schedule is published"
        raise NoSchedule(str(Mistake(f"{case.name}, {day.date.isoformat()}", said, f"run `feederflow day-ahead {case.name}`")))
    return schedule, start, "from the day-ahead schedule, not re-dispatched", step_s


def dispatched_until(tables: Mapping[str, pa.Table]) -> int | None:
    """End of the last interval that real time decided, UTC epoch seconds; None where it decided none."""
    starts = _starts(_scenario(tables, "dispatch", "settled"))
    return int(starts[-1]) + QUARTER_S if len(starts) else None


def _starts(table: pa.Table) -> np.ndarray:
    """Distinct starts of the intervals, ascending."""
    return np.unique(_seconds(table)) if table.num_rows else np.zeros(0, dtype=np.int64)


def _holding(starts: np.ndarray, at: int, step_s: int) -> int | None:
    """Start of the interval that holds a moment, or None."""
    place = int(np.searchsorted(starts, at, side="right")) - 1
    return int(starts[place]) if place >= 0 and at < starts[place] + step_s else None


def _scenario(tables: Mapping[str, pa.Table], name: str, scenario: str) -> pa.Table:
    table = tables.get(name, TABLES[name].empty())
    return table.filter(pc.equal(table["scenario"], scenario))


def _seconds(table: pa.Table) -> np.ndarray:
    return np.asarray(table["valid_from"].combine_chunks().cast(pa.int64()).to_numpy() // 1_000_000)


def _order(case: Case, kept: Mapping[tuple[str, str], Row]) -> list[tuple[str, str]]:
    """Ties first (at their lower end: the upper end is the same number with the other sign), then devices in the case's order."""
    places = [(tie.id, tie.lower_bus) for tie in case.ties] + [(device.id, device.bus) for device in case.devices]
    return [place for place in places if place in kept]


def _row(case: Case, row: Row, values: dict[str, float], day: DeliveryDay, span: tuple[int, int], source: str) -> Row | None:
    device = next((d for d in case.devices if d.id == row["device"]), None)
    if isinstance(device, Demand) and not _amount(values, "shed_"):
        return None
    first, last = (from_epoch(t).astimezone(day.zone).isoformat(timespec="minutes") for t in span)
    carriers = {column: _rounded(values.get(carrier)) for carrier, column in CARRIER_COLUMNS.items()}
    notes = [note for note in (_note(device, values), source) if note]
    return {
        "device": row["device"],
        "kind": device.kind if device is not None else "tie",
        "network": row["network"],
        "bus": row["bus"],
        "step": row["step"],
        "from_local": first,
        "to_local": last,
        **carriers,
        "run_id": row["run_id"],
        "note": "; ".join(notes),
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4) + 0.0


def _amount(values: Mapping[str, float], prefix: str) -> float:
    return sum(value for name, value in values.items() if name.startswith(prefix) and value > SMALL_KW)


def _note(device: AnyDevice | None, values: Mapping[str, float]) -> str:
    """What the number means for this kind of device, in words."""
    if isinstance(device, Demand):
        return f"{_amount(values, 'shed_'):.2f} kW not served"
    if isinstance(device, Source):
        curtailed = _amount(values, "curtailed_")
        return f"hold down by {curtailed:.2f} kW" if curtailed else "feed in what is available"
    if isinstance(device, Store | EvAggregator):
        power = values.get(device.carrier if isinstance(device, Store) else "active", 0.0)
        return "idle" if abs(power) <= SMALL_KW else "discharge" if power > 0 else "charge"
    if isinstance(device, EvFleet):
        return "charge" if values.get("active", 0.0) < -SMALL_KW else "idle"
    if device is None:
        power = values.get("active", 0.0)
        return "no exchange" if abs(power) <= SMALL_KW else "import" if power > 0 else "export"
    return "off" if abs(values.get("active", 0.0)) <= SMALL_KW else ""


def to_csv(rows: Sequence[Row]) -> str:
    """CSV with a header, empty where a device lacks a carrier."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, fieldnames=COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue()


def to_json(rows: Sequence[Row]) -> str:
    return json.dumps(list(rows), indent=1, allow_nan=False)
