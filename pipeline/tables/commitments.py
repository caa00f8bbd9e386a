"""On or off of every unit with commitment."""

from pipeline.tables.common import RUN_ID, STAGE, STEP, VALID_FROM
from pipeline.tables.contract import Column, Table

COMMITMENTS = Table(
    name="commitments",
    doc="On or off of every unit with commitment.",
    columns=(
        RUN_ID, STAGE, STEP, VALID_FROM,
        Column("device", "text", "generator or chp"),
        Column("on", "flag", "true when committed"),
    ),
    key=("stage", "device", "step"),
)
