"""Realised exchange with the market against the schedule, priced."""

from pipeline.tables.common import RUN_ID, STEP, VALID_FROM
from pipeline.tables.contract import Column, Table

SETTLEMENT = Table(
    name="settlement",
    doc="Realised exchange with the market against the schedule, priced.",
    columns=(
        RUN_ID, STEP, VALID_FROM,
        Column("tie", "text", "tie with a market"),
        Column("scheduled_kw", "number", "day-ahead position", unit="kW"),
        Column("dispatched_kw", "number", "decided in real time, before the interval", unit="kW"),
        Column("realised_kw", "number", "after the realised values met the dispatch", unit="kW"),
        Column("price_per_kwh", "number", "realised market price", unit="currency/kWh"),
        Column("energy_cost", "number", "dt * price * realised power, with the sell factor", unit="currency"),
        Column("deviation_cost", "number", "cost of the deviation from schedule", unit="currency"),
        Column("settled", "flag", "false while realised values are still unknown: then the row is provisional"),
    ),
    key=("tie", "step"),
)
