"""What a person should know about a schedule or a dispatch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import pyarrow as pa

from pipeline.tables import TABLES


@dataclass(frozen=True, order=True)
class Finding:
    """One row of the findings table; `warning` makes the run degraded."""

    stage: Literal["day_ahead", "real_time"]
    severity: Literal["info", "warning"]
    check: str
    place: str
    message: str
    value: float | None = None
    limit: float | None = None


def findings_table(findings: Sequence[Finding], run_id: str) -> pa.Table:
    """Table `findings` of one run in the order of its key. What was said twice of a place is one row with all the words."""
    said: dict[tuple[str, ...], Finding] = {}
    for one in dict.fromkeys(findings):
        key = (one.stage, one.severity, one.check, one.place)
        before = said.get(key)
        said[key] = one if before is None else replace(one, message=f"{before.message}; {one.message}")
    rows = [said[key] for key in sorted(said)]
    names = ("stage", "severity", "check", "place", "message", "value", "limit")
    columns = {name: [getattr(row, name) for row in rows] for name in names}
    return TABLES["findings"].build({"run_id": [run_id] * len(rows), **columns})
