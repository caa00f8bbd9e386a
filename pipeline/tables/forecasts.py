"""Forecasts of every series, as issued."""

from pipeline.tables.common import RUN_ID, SERIES, STAGE, STEP, VALID_FROM
from pipeline.tables.contract import Column, Table

FORECASTS = Table(
    name="forecasts",
    doc="Forecasts of every series, as issued.",
    columns=(
        RUN_ID, STAGE, SERIES,
        Column("issued_at", "instant", "issue time, UTC: nothing known later was used"),
        STEP,
        VALID_FROM,
        Column("lead", "integer", "1 is the first interval after the issue time that is decided; 0: it had begun by then", minimum=0),
        Column("unit", "text", "unit of the values"),
        Column("mean", "number", "expected value", unit="column:unit"),
        Column("sd", "number", "standard deviation", unit="column:unit", minimum=0.0),
        Column("q05", "number", "5 % quantile", unit="column:unit", nullable=True),
        Column("q10", "number", "10 % quantile", unit="column:unit", nullable=True),
        Column("q25", "number", "25 % quantile", unit="column:unit", nullable=True),
        Column("q50", "number", "50 % quantile", unit="column:unit", nullable=True),
        Column("q75", "number", "75 % quantile", unit="column:unit", nullable=True),
        Column("q90", "number", "90 % quantile", unit="column:unit", nullable=True),
        Column("q95", "number", "95 % quantile", unit="column:unit", nullable=True),
        Column("model", "text", "rung of the ladder that made it: arima, arima_statespace, ar3_burg, profile, table; given+ before that of "
               "the errors of somebody else's forecast; known where the value was known at the issue time and is used as it is"),
    ),
    key=("stage", "series", "issued_at", "step"),
)
