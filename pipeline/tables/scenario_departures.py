"""Vehicles that leave early in a representative scenario."""

from pipeline.tables.common import RUN_ID
from pipeline.tables.contract import Column, Table

SCENARIO_DEPARTURES = Table(
    name="scenario_departures",
    doc="Vehicles that leave early in a representative scenario, by the slot in which they are due.",
    columns=(
        RUN_ID,
        Column("scenario", "text", "number of the representative, from 1"),
        Column("aggregator", "text", "EV aggregator"),
        Column("due_step", "integer", "hourly slot of the connection matrix in which they are due to leave", minimum=1, maximum=24),
        Column("early_count", "integer", "of these, how many leave early", unit="1", minimum=0),
    ),
    key=("scenario", "aggregator", "due_step"),
)
