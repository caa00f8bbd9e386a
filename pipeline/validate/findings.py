"""Findings: what a person should know. A warning makes the run degraded."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import pyarrow as pa

from pipeline.tables import TABLES

Severity = Literal["info", "warning"]


@dataclass(frozen=True, order=True)
class Finding:
    """One thing found. `place` names device, bus, branch or series, and the step where there is one."""

    severity: Severity
    check: str
    place: str
    message: str
    value: float | None = None
    limit: float | None = None


def findings_table(findings: Iterable[Finding], *, run_id: str, stage: str) -> pa.Table:
    """Table `findings` of one run. The key is (stage, severity, check, place): the first of equal ones stays."""
    unique: dict[tuple[str, str, str], Finding] = {}
    for finding in findings:
        unique.setdefault((finding.severity, finding.check, finding.place), finding)
    rows = [unique[key] for key in sorted(unique)]
    return TABLES["findings"].build(
        {
            "run_id": [run_id] * len(rows),
            "stage": [stage] * len(rows),
            "severity": [f.severity for f in rows],
            "check": [f.check for f in rows],
            "place": [f.place for f in rows],
            "message": [f.message for f in rows],
            "value": [f.value for f in rows],
            "limit": [f.limit for f in rows],
        }
    )
