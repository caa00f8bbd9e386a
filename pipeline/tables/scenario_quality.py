"""How well the representatives stand for the drawn set."""

from pipeline.tables.common import RUN_ID
from pipeline.tables.contract import Column, Table

SCENARIO_QUALITY = Table(
    name="scenario_quality",
    doc="How well the representatives stand for the drawn set.",
    columns=(
        RUN_ID,
        Column("method", "text", "reduction method"),
        Column("measure", "text", "measure of quality"),
        Column("value", "number", "value of the measure", nullable=True),
    ),
    key=("method", "measure"),
)
