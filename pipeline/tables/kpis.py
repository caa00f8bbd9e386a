"""Figures of the day that are no cost term."""

from pipeline.tables.common import RUN_ID, STAGE, UNIT
from pipeline.tables.contract import Column, Table

KPIS = Table(
    name="kpis",
    doc="Figures of the day that are no cost term.",
    columns=(
        RUN_ID, STAGE,
        Column("kpi", "text", "name of the figure"),
        UNIT,
        Column("value", "number", "value", unit="column:unit", nullable=True),
    ),
    key=("stage", "kpi"),
)
