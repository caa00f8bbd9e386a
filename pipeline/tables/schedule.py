"""Day-ahead schedule: every device, interval, carrier and scenario."""

from pipeline.tables.common import LONG_COLUMNS, LONG_KEY
from pipeline.tables.contract import Table

SCHEDULE = Table(
    name="schedule",
    doc="Day-ahead schedule: every device, interval, carrier and scenario.",
    columns=LONG_COLUMNS,
    key=LONG_KEY,
)
