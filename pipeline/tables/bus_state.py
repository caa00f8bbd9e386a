"""Voltages: decided (LinDistFlow) and by AC power flow."""

from pipeline.tables.common import BUS, NETWORK_OF_BUS, RUN_ID, STAGE, STEP, VALID_FROM
from pipeline.tables.contract import Column, Table

BUS_STATE = Table(
    name="bus_state",
    doc="Voltages: decided (LinDistFlow) and by AC power flow.",
    columns=(
        RUN_ID, STAGE, STEP, VALID_FROM, NETWORK_OF_BUS, BUS,
        Column("voltage_pu", "number", "voltage of the decision model", unit="p.u.", minimum=0.0),
        Column("voltage_ac_pu", "number", "voltage by AC power flow", unit="p.u.", minimum=0.0, nullable=True),
    ),
    key=("stage", "network", "bus", "step"),
)
