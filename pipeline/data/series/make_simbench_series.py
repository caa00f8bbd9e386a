"""Makes simbench_2016.parquet from the `simbench` package (ODbL, see ../SOURCES.md), and price_2016.parquet, which is synthetic.

Each feeder and each microgrid of networked_microgrids_66_simbench gets series of its own: composites of real 15-minute
profiles of 2016, drawn with a fixed seed and recorded in simbench_2016_draws.csv, scaled to the model book's tables: the
year's mean day has the table's energy, unless the year's peak would then be more than the equipment is made for (PEAK_KW):
a feeder 1.25 x the table's peak, so that voltages hold without help; a microgrid's heat 100 kWth of the 120 its CHP can
give, for a heat pump's year is far more uneven than the table's one day. The price is synthetic: the book's table, varied (see
`price`). Run: `python pipeline/data/series/make_simbench_series.py`. SimBench stamps are naive Berlin local time with summer time:
27 March skips an hour, 30 October repeats one.
"""

from __future__ import annotations

import csv
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
from numpy.typing import NDArray

HERE = Path(__file__).parent
TABLES = HERE.parent / "cases" / "tables" / "networked_microgrids"
NETWORK = "1-complete_data-mixed-all-0-sw"
ZONE = ZoneInfo("Europe/Berlin")
FIRST_UTC = datetime(2015, 12, 31, 23, tzinfo=UTC)  # 2016-01-01 00:00 in Berlin
QUARTERS = 366 * 96
SEED = 2016
FEEDERS = ("f01", "f02")
MICROGRIDS = tuple(f"mg_{feeder}_b{bus:02d}" for feeder in FEEDERS for bus in (9, 16, 18, 31, 33))
Floats = NDArray[np.float64]

# Customers: trade (G), households (H0), farms (L). Not the equivalents of whole grids and not high-voltage industry (HS), and not
# BL-H and WB-H, which have no shape over the day: their level changes in steps.
LOADS = [
    "G0-A", "G0-M", "G1-A", "G1-B", "G1-C", "G2-A", "G3-A", "G3-H", "G3-M", "G4-A", "G4-B", "G4-H", "G4-M", "G5-A", "G6-A",
    "H0-A", "H0-B", "H0-C", "H0-G", "H0-H", "H0-L", "L0-A", "L1-A", "L2-A", "L2-M",
]
# Heat pumps of one of SimBench's two sets: its kinds follow each other's daily level up to a correlation of .99, as pumps under
# one weather do, and a microgrid is one place. (SimBench does not say what the sets are; averages over both forecast worse.)
HEAT_PUMPS = [f"{kind}_2" for kind in ("Air_Alternative", "Air_Parallel", "Air_Semi-Parallel", "Soil_Alternative")]
PV = [f"PV{number}" for number in range(1, 9)]
WIND = [f"WP{number}" for number in (3, 4, 5, 6, 7, 8, 10, 11, 12)]  # on land: 1 and 2 are used at sea, and 9 yields like them (.49)

# kind -> (profiles to draw from, how many a feeder and a microgrid draw)
EVENNESS = {"load": 10.0, "heat": 4.0, "pv": 10.0, "wind": 10.0}  # of the weights: Dirichlet's concentration
DRAWS = {"load": (LOADS, 18, 18), "heat": (HEAT_PUMPS, 0, 3), "pv": (PV, 0, 2), "wind": (WIND, 4, 0)}
PEAK_KW = {"f_load": 1.25 * 876.4, "mg_heat": 100.0}
DECIMALS = {"f": 1, "mg": 2, "p": 4}


def read(name: str, columns: dict[str, str]) -> dict[str, Floats]:
    """Columns of a profile table by short name, shape (35136,); asserts that its stamps are the year's local wall clock."""
    spec = find_spec("simbench")
    if spec is None or spec.origin is None:
        raise SystemExit("install the series extra first: pip install '.[series]'")
    path = Path(spec.origin).parent / "networks" / NETWORK / f"{name}.csv"
    types = {"time": pa.string(), **dict.fromkeys(columns.values(), pa.float64())}
    options = pa_csv.ConvertOptions(include_columns=["time", *columns.values()], column_types=types)
    table = pa_csv.read_csv(path, parse_options=pa_csv.ParseOptions(delimiter=";"), convert_options=options)
    wall_clock = [moment.strftime("%d.%m.%Y %H:%M") for moment in local_times()]
    assert table["time"].to_pylist() == wall_clock, "the stamps are not Berlin local time with summer time"
    return {short: table[column].to_numpy() for short, column in columns.items()}


def local_times() -> list[datetime]:
    return [(FIRST_UTC + timedelta(minutes=15 * step)).astimezone(ZONE) for step in range(QUARTERS)]


def draw(
    kind: str, owners: tuple[str, ...], count: int, profiles: dict[str, Floats], day_kwh: float, record: list[list[str]]
) -> dict[str, Floats]:
    """A composite per owner: `count` distinct profiles (of peak 1) with random weights, then scaled."""
    series = {}
    for owner in owners:
        name = f"{owner}_{kind}"
        rng = np.random.default_rng([SEED, *name.encode()])
        names = sorted(rng.choice(sorted(profiles), size=count, replace=False).tolist())
        weights = rng.dirichlet(np.full(count, EVENNESS[kind]))
        composite = sum(weight * profiles[one] for weight, one in zip(weights, names, strict=True))
        values = np.asarray(composite) / np.mean(composite) * day_kwh / 24.0
        series[name] = values * min(1.0, PEAK_KW.get(f"{family(name)}_{kind}", np.inf) / values.max())
        record.extend([name, one, f"{weight:.6f}"] for weight, one in zip(weights, names, strict=True))
    return series


def family(name: str) -> str:
    """`f`, `mg` or `p`: feeder, microgrid, price."""
    return "mg" if name.startswith("mg_") else name[0]


def day_energy(table: str, column: str) -> float:
    with (TABLES / f"{table}.csv").open(newline="", encoding="utf-8") as file:
        return sum(float(row[column]) for row in csv.DictReader(file))


def price() -> Floats:
    """Book's table by local hour x weekday 1.00, Saturday .93, Sunday .88 x daily AR(1) .6 with sd .10 x hourly noise sd .05."""
    with (TABLES / "t05_rtp.csv").open(newline="", encoding="utf-8") as file:
        by_hour = {(int(row["slot"]) + 6) % 24: float(row["rtp_usd_per_kwh"]) for row in csv.DictReader(file)}
    rng = np.random.default_rng([SEED, *b"price"])
    persistence, sd = 0.6, 0.10
    shocks = rng.normal(0.0, sd * np.sqrt(1.0 - persistence**2), 366)
    level = np.empty(366)
    level[0] = rng.normal(0.0, sd)
    for day in range(1, 366):
        level[day] = persistence * level[day - 1] + shocks[day]
    noise = rng.normal(0.0, 0.05, QUARTERS // 4)
    week = {5: 0.93, 6: 0.88}
    hours = local_times()[::4]
    values = [
        by_hour[moment.hour] * week.get(moment.weekday(), 1.0) * (1.0 + level[moment.timetuple().tm_yday - 1]) * (1.0 + noise[hour])
        for hour, moment in enumerate(hours)
    ]
    return np.array(values)


def write(name: str, series: dict[str, Floats], resolution_min: int) -> None:
    """A wide table: UTC stamp of each interval's start, one rounded column per series."""
    starts = int(FIRST_UTC.timestamp()) + 60 * resolution_min * np.arange(len(next(iter(series.values()))), dtype=np.int64)
    columns = {one: pa.array(np.round(values, DECIMALS[family(one)])) for one, values in series.items()}
    table = pa.table({"valid_from": pa.array(starts).cast(pa.timestamp("s", "UTC")), **columns})
    pq.write_table(table, HERE / f"{name}.parquet", compression="zstd", compression_level=19)


def main() -> None:
    loads = read("LoadProfile", {name: f"{name}_pload" for name in (*LOADS, *HEAT_PUMPS)})
    plants = read("RESProfile", {name: name for name in (*PV, *WIND)})
    profiles = loads | plants
    energy = {
        ("load", FEEDERS): day_energy("t01_dso_load", "p_kw"), ("wind", FEEDERS): day_energy("t03_res", "dso_res_kw"),
        ("load", MICROGRIDS): day_energy("t06_mg_load", "elec_kw"), ("heat", MICROGRIDS): day_energy("t06_mg_load", "thermal_kw"),
        ("pv", MICROGRIDS): day_energy("t03_res", "mg_res_kw"),
    }
    record: list[list[str]] = []
    series: dict[str, Floats] = {}
    for (kind, owners), day_kwh in energy.items():
        names, of_feeder, of_microgrid = DRAWS[kind]
        count = of_feeder if owners is FEEDERS else of_microgrid
        series |= draw(kind, owners, count, {name: profiles[name] for name in names}, day_kwh, record)
    write("simbench_2016", series, 15)
    write("price_2016", {"price": price()}, 60)
    with (HERE / "simbench_2016_draws.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["series", "simbench_profile", "weight_share"])
        writer.writerows(record)
    for name, values in series.items():
        print(f"{name:18s} mean {values.mean():9.3f} max {values.max():9.3f} p999 {np.quantile(values, 0.999):9.3f}")


if __name__ == "__main__":
    main()
