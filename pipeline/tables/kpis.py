"""Figures of the day that are no cost term."""

from pipeline.tables.contract import Column, Table

KPIS = Table(
    name="kpis",
    doc="Figures of the day that are no cost term.",
    columns=(
        Column("run_id", "text", "run that wrote the row"),
        Column("stage", "text", "what the row belongs to", allowed=("day_ahead", "real_time")),
        Column("kpi", "text", "name of the figure"),
        Column("unit", "text", "unit of `value`"),
        Column("value", "number", "value", unit="column:unit", nullable=True),
    ),
    key=("stage", "kpi"),
)
