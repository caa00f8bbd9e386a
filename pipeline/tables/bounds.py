"""Bounds of a treatment's objective, round by round."""

from pipeline.tables.common import RUN_ID
from pipeline.tables.contract import Column, Table

BOUNDS = Table(
    name="bounds",
    doc="Best bounds of the treatment's objective after each round; without a row where one solve was enough.",
    columns=(
        RUN_ID,
        Column("iteration", "integer", "round, from 1", minimum=1),
        Column("lower", "number", "best proven lower bound so far; null before there is one", unit="column:currency", nullable=True),
        Column("upper", "number", "cost of the best decision so far; null before there is one", unit="column:currency", nullable=True),
        Column("gap_share", "number", "(upper - lower) / |lower|; null without both", unit="1", nullable=True, minimum=0.0),
        Column("currency", "text", "currency"),
    ),
    key=("iteration",),
)
