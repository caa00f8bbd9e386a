"""Vehicles of EV aggregators: who comes, leaves and is usable, as planned or as it came."""

from pipeline.tables.common import RUN_ID, STAGE, STEP, VALID_FROM
from pipeline.tables.contract import Column, Table

EV_CONNECTION = Table(
    name="ev_connection",
    doc="Vehicles of EV aggregators: who comes, leaves and is usable, as planned or as it came.",
    columns=(
        RUN_ID, STAGE, STEP, VALID_FROM,
        Column("scenario", "text", "`expected` (probability-weighted), a representative's number, or `settled`"),
        Column("aggregator", "text", "EV aggregator"),
        Column("arrivals_count", "number", "vehicles that connect in the interval", unit="1", minimum=0.0),
        Column("departures_count", "number", "vehicles that leave in the interval, early ones moved", unit="1", minimum=0.0),
        Column("expected_departures_count", "number", "vehicles that leave in it by the connection matrix", unit="1", minimum=0.0),
        Column("connected_count", "number", "vehicles usable in the interval", unit="1", minimum=0.0),
        Column("energy_kwh", "number", "energy of all connected vehicles at the END of the interval", unit="kWh"),
    ),
    key=("stage", "scenario", "aggregator", "step"),
)
