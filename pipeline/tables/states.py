"""What is handed from interval to interval."""

from pipeline.tables.common import RUN_ID, STAGE, STEP, UNIT, VALID_FROM
from pipeline.tables.contract import Column, Table

STATES = Table(
    name="states",
    doc="What is handed from interval to interval.",
    columns=(
        RUN_ID, STAGE, STEP, VALID_FROM,
        Column("device", "text", "device"),
        Column("quantity", "text", "state variable, named as in the program"),
        UNIT,
        Column("value", "number", "state at the END of the interval", unit="column:unit"),
    ),
    key=("stage", "device", "quantity", "step"),
)
