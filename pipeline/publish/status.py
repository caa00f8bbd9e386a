"""What is published, how old it is, whether it is degraded, and whether its files are whole."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow.compute as pc

from pipeline.publish.ledger import damaged, folder_of, read_current
from pipeline.store import publications
from pipeline.store.lake import Lake
from pipeline.store.parquet import from_parquet
from pipeline.store.publications import Day
from pipeline.store.warehouse import Warehouse


@dataclass(frozen=True)
class DayStatus:
    """One product of one published day. Instants are UTC epoch seconds; `age_s` counts from the issue time.

    `complete`: `_current.json` names the run that SQL names. `damaged`: files whose bytes are not those published, where that was asked.
    """

    day: Day
    product: str
    run_id: str
    issued_at: int
    published_at: int
    age_s: int
    run_status: str
    degraded: bool
    warning_count: int
    worst: str
    complete: bool
    damaged: tuple[str, ...]


def status(warehouse: Warehouse, lake: Lake, *, now: int, case: str | None = None, deep: bool = False) -> list[DayStatus]:
    """Every published product, newest day first. Reads only: a publication that a crash cut short shows as not complete.

    `deep` reads every published file and compares its checksum.
    """
    with warehouse.reading() as connection:
        wanted = publications.current(connection, case=case)
    rows = []
    for day, products in wanted.items():
        stored = read_current(lake, day)
        broken = tuple(damaged(lake, stored)) if deep else ()
        warnings = _warnings(lake, day)
        for product, found in products.items():
            run = warehouse.run(found.run_id)
            said = [message for stage, message in warnings if stage == product]
            complete = stored.get("runs", {}).get(product, {}).get("run_id") == found.run_id
            rows.append(DayStatus(
                day, product, found.run_id, found.issued_at, found.published_at, int(now) - found.issued_at,
                run.status if run is not None else "unknown", bool(said), len(said), said[0] if said else "", complete, broken,
            ))
    return sorted(rows, key=lambda row: (row.day.delivery_date, row.issued_at), reverse=True)


def _warnings(lake: Lake, day: Day) -> list[tuple[str, str]]:
    """Stage and words of the published warnings of a day."""
    path = f"{folder_of('findings', day)}/part-0.parquet"
    if not lake.files.exists(path):
        return []
    table = from_parquet(lake.files.read(path))
    kept = table.filter(pc.equal(table["severity"], "warning"))
    return [(row["stage"], f"{row['place']}: {row['message']}") for row in kept.select(["stage", "place", "message"]).to_pylist()]
