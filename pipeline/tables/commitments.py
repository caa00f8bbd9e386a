"""On or off of every unit with commitment."""

from pipeline.tables.common import RUN_ID, STAGE, STEP, VALID_FROM
from pipeline.tables.contract import Column, Table

COMMITMENTS = Table(
    name="commitments",
    doc="On or off of every unit with commitment.",
    columns=(
        RUN_ID, STAGE, STEP, VALID_FROM,
        Column("device", "text", "generator with commitment"),
        Column("on", "flag", "true while it is on"),
        Column("on_share", "number", "the same as the program decided it: 0 or 1", unit="1", minimum=0, maximum=1),
        Column("start", "flag", "true in the interval in which it starts"),
        Column("stop", "flag", "true in the interval in which it stops"),
    ),
    key=("stage", "device", "step"),
)
