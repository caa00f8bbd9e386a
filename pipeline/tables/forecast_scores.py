"""How good the last forecasts were, per series."""

from pipeline.tables.contract import Column, Table

FORECAST_SCORES = Table(
    name="forecast_scores",
    doc="How good the last forecasts were, per series.",
    columns=(
        Column("run_id", "text", "run that wrote the row"),
        Column("series", "text", "series of the case"),
        Column("score", "text", "rmse, mae, mase, skill, coverage_80, coverage_90, crps, fit_days, flag_short_history"),
        Column("value", "number", "value of the score", nullable=True),
    ),
    key=("series", "score"),
)
