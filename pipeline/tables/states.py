"""What is handed from interval to interval."""

from pipeline.tables.contract import Column, Table

STATES = Table(
    name="states",
    doc="What is handed from interval to interval.",
    columns=(
        Column("run_id", "text", "run that wrote the row"),
        Column("stage", "text", "what the row belongs to", allowed=("day_ahead", "real_time")),
        Column("step", "integer", "1 is the first interval of the delivery day", minimum=1),
        Column("valid_from", "instant", "start of the interval, UTC"),
        Column("device", "text", "device"),
        Column("quantity", "text", "state variable, named as in the program"),
        Column("unit", "text", "unit of `value`"),
        Column("value", "number", "state at the END of the interval", unit="column:unit"),
    ),
    key=("stage", "device", "quantity", "step"),
)
