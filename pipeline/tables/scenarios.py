"""Representative scenarios with their weights."""

from pipeline.tables.contract import Column, Table

SCENARIOS = Table(
    name="scenarios",
    doc="Representative scenarios with their weights.",
    columns=(
        Column("run_id", "text", "run that wrote the row"),
        Column("scenario", "text", "number of the representative, from 1"),
        Column("series", "text", "series of the case"),
        Column("step", "integer", "1 is the first interval of the delivery day", minimum=1),
        Column("valid_from", "instant", "start of the interval, UTC"),
        Column("unit", "text", "unit of `value`"),
        Column("value", "number", "value of the series in this scenario", unit="column:unit"),
        Column("weight", "number", "probability of the scenario", minimum=0.0, maximum=1.0),
    ),
    key=("scenario", "series", "step"),
)
