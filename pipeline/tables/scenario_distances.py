"""Distances between representative scenarios, over which a treatment may move probability."""

from pipeline.tables.common import RUN_ID
from pipeline.tables.contract import Column, Table

SCENARIO_DISTANCES = Table(
    name="scenario_distances",
    doc="Distances between representative scenarios, over which a treatment may move probability.",
    columns=(
        RUN_ID,
        Column("from_scenario", "text", "number of a representative"),
        Column("to_scenario", "text", "number of a representative"),
        Column("distance_share", "number", "mean absolute difference of the two clusters' nearest members, as a share of the forecast",
               minimum=0.0),
    ),
    key=("from_scenario", "to_scenario"),
)
