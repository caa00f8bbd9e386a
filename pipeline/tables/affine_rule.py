"""Affine rules: what each decision gains per deviation."""

from pipeline.tables.common import RUN_ID, STEP, UNIT
from pipeline.tables.contract import Column, Table

AFFINE_RULE = Table(
    name="affine_rule",
    doc="Affine rules of a day-ahead run: what each decision gains per deviation. What it is without one stands in `schedule`.",
    columns=(
        RUN_ID, STEP,
        Column("device", "text", "device, or tie"),
        Column("quantity", "text", "power that is decided, such as `power_kw`; energies and flows follow from powers"),
        Column("deviation", "text", "series and side that deviates: `mg1_pv+`, `mg1_pv-`, or `mg1_pv` where it has two sides"),
        Column("lag_count", "integer", "how many steps before `step` it does; 0: in the same one", minimum=0),
        UNIT,
        Column("value", "number", "what the decision gains when the series lies a whole half-width off", unit="column:unit"),
    ),
    key=("device", "quantity", "step", "deviation", "lag_count"),
)
