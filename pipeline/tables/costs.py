"""Cost by term."""

from pipeline.tables.common import RUN_ID, STAGE
from pipeline.tables.contract import Column, Table

COSTS = Table(
    name="costs",
    doc="Cost by term.",
    columns=(
        RUN_ID, STAGE,
        Column("term", "text", "cost term; `total` is their sum"),
        Column("value", "number", "expected (day_ahead) or settled (real_time) cost of the delivery day", unit="column:currency"),
        Column("currency", "text", "currency"),
    ),
    key=("stage", "term"),
)
