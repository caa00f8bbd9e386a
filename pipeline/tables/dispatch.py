"""Settled real-time dispatch: every device, interval and carrier, as realised."""

from pipeline.tables.common import LONG_COLUMNS, LONG_KEY
from pipeline.tables.contract import Table

DISPATCH = Table(
    name="dispatch",
    doc="Settled real-time dispatch: every device, interval and carrier, as realised.",
    columns=LONG_COLUMNS,
    key=LONG_KEY,
)
