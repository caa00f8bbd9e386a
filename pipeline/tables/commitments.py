"""On or off of every unit with commitment."""

from pipeline.tables.contract import Column, Table

COMMITMENTS = Table(
    name="commitments",
    doc="On or off of every unit with commitment.",
    columns=(
        Column("run_id", "text", "run that wrote the row"),
        Column("stage", "text", "what the row belongs to", allowed=("day_ahead", "real_time")),
        Column("step", "integer", "1 is the first interval of the delivery day", minimum=1),
        Column("valid_from", "instant", "start of the interval, UTC"),
        Column("device", "text", "generator or chp"),
        Column("on", "flag", "true when committed"),
    ),
    key=("stage", "device", "step"),
)
