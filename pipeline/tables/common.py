"""Columns that several tables share, said once."""

from pipeline.tables.contract import Column

STAGES = ("day_ahead", "real_time")
CARRIERS = ("active", "reactive", "heat", "hydrogen")

RUN_ID = Column("run_id", "text", "run that wrote the row")
STAGE = Column("stage", "text", "what the row belongs to", allowed=STAGES)
STEP = Column("step", "integer", "1 is the first interval of the delivery day", minimum=1)
VALID_FROM = Column("valid_from", "instant", "start of the interval, UTC")
CARRIER = Column("carrier", "text", "energy carrier", allowed=CARRIERS)
UNIT = Column("unit", "text", "unit of `value`")
SERIES = Column("series", "text", "series of the case")
NETWORK_OF_BUS = Column("network", "text", "network of the bus")
BUS = Column("bus", "text", "bus")

# What is decided and what is realised have one shape: one row per device, interval, carrier, quantity and scenario.
LONG_COLUMNS = (
    RUN_ID, STEP, VALID_FROM,
    Column("scenario", "text", "`expected` (probability-weighted), a representative's number, or `settled`"),
    Column("network", "text", "network the injection enters"),
    Column("device", "text", "device, or tie"),
    Column("bus", "text", "bus the injection enters"),
    CARRIER,
    Column("quantity", "text", "`injection` (positive into the bus), or a column of the program such as `energy_kwh`, `shed_kw`"),
    UNIT,
    Column("value", "number", "mean over the interval; energies at its end", unit="column:unit"),
)
LONG_KEY = ("scenario", "network", "device", "bus", "carrier", "quantity", "step")
