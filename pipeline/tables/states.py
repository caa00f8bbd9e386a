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
        Column("measured_value", "number", "state at the START of the interval where it was measured, carried there; empty where what was "
               "computed goes on", unit="column:unit", nullable=True),
    ),
    key=("stage", "device", "quantity", "step"),
)
