"""Day-ahead schedule: every device, interval, carrier and scenario."""

from pipeline.tables.contract import Column, Table

SCHEDULE = Table(
    name="schedule",
    doc="Day-ahead schedule: every device, interval, carrier and scenario.",
    columns=(
        Column("run_id", "text", "run that wrote the row"),
        Column("step", "integer", "1 is the first interval of the delivery day", minimum=1),
        Column("valid_from", "instant", "start of the interval, UTC"),
        Column("scenario", "text", "`expected` (probability-weighted), a representative's number, or `settled`"),
        Column("network", "text", "network the injection enters"),
        Column("device", "text", "device, or tie"),
        Column("bus", "text", "bus the injection enters"),
        Column("carrier", "text", "energy carrier", allowed=("active", "reactive", "heat", "hydrogen")),
        Column("quantity", "text", "`injection` (positive into the bus), or a column of the program such as `energy_kwh`, `shed_kw`"),
        Column("unit", "text", "unit of `value`"),
        Column("value", "number", "mean over the interval; energies at its end", unit="column:unit"),
    ),
    key=("scenario", "network", "device", "bus", "carrier", "quantity", "step"),
)
