"""Representative scenarios with their weights."""

from pipeline.tables.common import RUN_ID, SERIES, STEP, UNIT, VALID_FROM
from pipeline.tables.contract import Column, Table

SCENARIOS = Table(
    name="scenarios",
    doc="Representative scenarios with their weights.",
    columns=(
        RUN_ID,
        Column("scenario", "text", "number of the representative, from 1"),
        SERIES,
        STEP,
        VALID_FROM,
        UNIT,
        Column("value", "number", "value of the series in this scenario", unit="column:unit"),
        Column("weight", "number", "probability of the scenario", minimum=0.0, maximum=1.0),
    ),
    key=("scenario", "series", "step"),
)
