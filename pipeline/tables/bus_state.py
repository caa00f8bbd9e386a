"""Voltages: decided (LinDistFlow) and by AC power flow."""

from pipeline.tables.contract import Column, Table

BUS_STATE = Table(
    name="bus_state",
    doc="Voltages: decided (LinDistFlow) and by AC power flow.",
    columns=(
        Column("run_id", "text", "run that wrote the row"),
        Column("stage", "text", "what the row belongs to", allowed=("day_ahead", "real_time")),
        Column("step", "integer", "1 is the first interval of the delivery day", minimum=1),
        Column("valid_from", "instant", "start of the interval, UTC"),
        Column("network", "text", "network of the bus"),
        Column("bus", "text", "bus"),
        Column("voltage_pu", "number", "voltage of the decision model", unit="p.u.", minimum=0.0),
        Column("voltage_ac_pu", "number", "voltage by AC power flow", unit="p.u.", minimum=0.0, nullable=True),
    ),
    key=("stage", "network", "bus", "step"),
)
