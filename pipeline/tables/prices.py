"""Dual prices of the balance at each bus."""

from pipeline.tables.contract import Column, Table

PRICES = Table(
    name="prices",
    doc="Dual prices of the balance at each bus.",
    columns=(
        Column("run_id", "text", "run that wrote the row"),
        Column("stage", "text", "what the row belongs to", allowed=("day_ahead", "real_time")),
        Column("step", "integer", "1 is the first interval of the delivery day", minimum=1),
        Column("valid_from", "instant", "start of the interval, UTC"),
        Column("network", "text", "network of the bus"),
        Column("bus", "text", "bus"),
        Column("carrier", "text", "energy carrier", allowed=("active", "reactive", "heat", "hydrogen")),
        Column("price_per_kwh", "number", "dual of the balance, per kWh and kvarh", unit="currency/kWh"),
    ),
    key=("stage", "network", "bus", "carrier", "step"),
)
