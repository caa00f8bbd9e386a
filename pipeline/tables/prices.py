"""Dual prices of the balance at each bus."""

from pipeline.tables.common import BUS, CARRIER, NETWORK_OF_BUS, RUN_ID, STAGE, STEP, VALID_FROM
from pipeline.tables.contract import Column, Table

PRICES = Table(
    name="prices",
    doc="Dual prices of the balance at each bus.",
    columns=(
        RUN_ID, STAGE, STEP, VALID_FROM, NETWORK_OF_BUS, BUS, CARRIER,
        Column("price_per_kwh", "number", "dual of the balance, per kWh and kvarh, of hydrogen per m3", unit="currency/kWh"),
    ),
    key=("stage", "network", "bus", "carrier", "step"),
)
