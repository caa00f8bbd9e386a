"""What a person should know about a schedule or a dispatch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
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
    """Table `findings` of one run, each once and in the order of its key."""
    rows = sorted(set(findings), key=lambda f: (f.stage, f.severity, f.check, f.place, f.message))
    names = ("stage", "severity", "check", "place", "message", "value", "limit")
    columns = {name: [getattr(row, name) for row in rows] for name in names}
    return TABLES["findings"].build({"run_id": [run_id] * len(rows), **columns})
