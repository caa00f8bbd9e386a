"""Cost by term."""

from pipeline.tables.contract import Column, Table

COSTS = Table(
    name="costs",
    doc="Cost by term.",
    columns=(
        Column("run_id", "text", "run that wrote the row"),
        Column("stage", "text", "what the row belongs to", allowed=("day_ahead", "real_time")),
        Column("term", "text", "cost term; `total` is their sum"),
        Column("value", "number", "expected (day_ahead) or settled (real_time) cost of the delivery day", unit="column:currency"),
        Column("currency", "text", "currency"),
    ),
    key=("stage", "term"),
)
