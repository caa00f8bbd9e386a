"""How good the last forecasts were, per series."""

from pipeline.tables.common import RUN_ID, SERIES
from pipeline.tables.contract import Column, Table

FORECAST_SCORES = Table(
    name="forecast_scores",
    doc="How good the last forecasts were, per series.",
    columns=(
        RUN_ID, SERIES,
        Column("score", "text", "rmse, mae, mase, skill, coverage_80, coverage_90, crps, fit_days, flag_short_history"),
        Column("value", "number", "value of the score", nullable=True),
    ),
    key=("series", "score"),
)
