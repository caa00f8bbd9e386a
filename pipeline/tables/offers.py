"""Offers between actors and what was accepted."""

from pipeline.tables.contract import Column, Table

OFFERS = Table(
    name="offers",
    doc="Offers between actors and what was accepted.",
    columns=(
        Column("run_id", "text", "run that wrote the row"),
        Column("stage", "text", "what the row belongs to", allowed=("day_ahead", "real_time")),
        Column("step", "integer", "1 is the first interval of the delivery day", minimum=1),
        Column("valid_from", "instant", "start of the interval, UTC"),
        Column("actor", "text", "who offers"),
        Column("product", "text", "what is offered"),
        Column("offered_kw", "number", "offered power", unit="kW"),
        Column("accepted_kw", "number", "accepted power", unit="kW"),
        Column("price_per_kwh", "number", "offered price", unit="currency/kWh"),
    ),
    key=("stage", "actor", "product", "step"),
)
