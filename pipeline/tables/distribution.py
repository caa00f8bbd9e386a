"""Laws that a treatment guards against."""

from pipeline.tables.common import RUN_ID
from pipeline.tables.contract import Column, Table

DISTRIBUTION = Table(
    name="distribution",
    doc="Weights under which a treatment prices the scenarios; without a row where it has none but their probabilities.",
    columns=(
        RUN_ID,
        Column("iteration", "integer", "round that found this law worst, from 1; 0: the law of the decision itself", minimum=0),
        Column("scenario", "text", "number of the representative, from 1"),
        Column("weight", "number", "weight of the scenario under this law", minimum=0.0, maximum=1.0),
    ),
    key=("iteration", "scenario"),
)
