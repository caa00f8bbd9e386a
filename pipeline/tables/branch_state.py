"""Branch flows of the decision model and loading by AC power flow."""

from pipeline.tables.common import RUN_ID, STAGE, STEP, VALID_FROM
from pipeline.tables.contract import Column, Table

BRANCH_STATE = Table(
    name="branch_state",
    doc="Branch flows of the decision model and loading by AC power flow.",
    columns=(
        RUN_ID, STAGE, STEP, VALID_FROM,
        Column("network", "text", "network of the branch"),
        Column("branch", "text", "branch"),
        Column("p_kw", "number", "active power, from `from_bus` to `to_bus`", unit="kW"),
        Column("q_kvar", "number", "reactive power, from `from_bus` to `to_bus`", unit="kvar"),
        Column("loading_share", "number", "AC apparent power over rating; empty without a rating", nullable=True, minimum=0.0),
        Column("loss_ac_kw", "number", "AC loss", unit="kW", nullable=True),
    ),
    key=("stage", "network", "branch", "step"),
)
