"""What a person should know, with severity."""

from pipeline.tables.common import RUN_ID, STAGE
from pipeline.tables.contract import Column, Table

FINDINGS = Table(
    name="findings",
    doc="What a person should know, with severity.",
    columns=(
        RUN_ID, STAGE,
        Column("severity", "text", "`warning` makes the run degraded", allowed=("info", "warning")),
        Column("check", "text", "check that found it"),
        Column("place", "text", "device, bus, branch or series, and step"),
        Column("message", "text", "what was found, in words"),
        Column("value", "number", "measured value", nullable=True),
        Column("limit", "number", "limit it is held against", nullable=True),
    ),
    key=("stage", "severity", "check", "place"),
)
