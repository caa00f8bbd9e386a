"""Offers between actors and what was accepted."""

from pipeline.tables.common import RUN_ID, STAGE, STEP, VALID_FROM
from pipeline.tables.contract import Column, Table

OFFERS = Table(
    name="offers",
    doc="Offers between actors and what was accepted.",
    columns=(
        RUN_ID, STAGE, STEP, VALID_FROM,
        Column("actor", "text", "who offers"),
        Column("product", "text", "what is offered"),
        Column("offered_kw", "number", "offered power", unit="kW"),
        Column("accepted_kw", "number", "accepted power", unit="kW"),
        Column("price_per_kwh", "number", "offered price", unit="currency/kWh"),
    ),
    key=("stage", "actor", "product", "step"),
)
