"""What of a home is damaged, and what makes it again. Reads only; one broken day never hides another."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.core.errors import FeederflowError
from pipeline.publish.day_file import chain_of
from pipeline.publish.ledger import current_path, damaged, read_current, remedy_of
from pipeline.store import publications
from pipeline.store.cache import ArrayCache
from pipeline.store.files import sha256_of
from pipeline.store.lake import Lake
from pipeline.store.publications import Day, Publication
from pipeline.store.runs import RunRecord
from pipeline.store.sqlite_file import MAKE_AGAIN
from pipeline.store.warehouse import Warehouse

ENDS = b"PAR1"  # a Parquet file begins and ends with them: one that was cut off does not
TABLES, ARRAYS = "tables", "arrays"  # parameters of a finished run: what it kept, by name


@dataclass(frozen=True, order=True)
class Damage:
    """One thing that is not as it was stored. `day` is None for what belongs to no published day."""

    place: str
    what: str
    remedy: str
    day: Day | None = None

    def __str__(self) -> str:
        return f"{self.place}: {self.what}; {self.remedy}"


def kept_by(lake: Lake, arrays: ArrayCache, run_id: str) -> dict[str, Any]:
    """What a run keeps, for its record: checksum by table, and the names of its arrays, which carry their own."""
    sums = {name: sha256_of(lake.files.read(Lake.path(run_id, name))) for name in lake.tables(run_id)}
    return {TABLES: sums, ARRAYS: arrays.keys()}


def lost_of(lake: Lake, arrays: ArrayCache, run: RunRecord, *, tables_only: bool = False) -> list[str]:
    """Paths of what a finished run kept and that is missing or not as it was stored."""
    found = []
    for name, checksum in run.parameters.get(TABLES, {}).items():
        path = Lake.path(run.run_id, name)
        if not lake.files.exists(path) or sha256_of(lake.files.read(path)) != checksum:
            found.append(path)
    if tables_only:
        return found
    return found + [f"runs/{run.run_id}/{name}.arrays" for name in run.parameters.get(ARRAYS, ()) if not arrays.whole(name)]


def damages(warehouse: Warehouse, lake: Lake, home: Path, *, case: str | None = None, deep: bool = False) -> list[Damage]:
    """Everything of a home that is damaged, sorted.

    The newest day of every case and variant is read whole, of the others whether files are there and were not cut off. `deep` reads
    all that is published and the runs behind it, compares every checksum, and has the warehouse read itself.
    """
    with warehouse.reading() as connection:
        wanted = publications.current(connection, case=case)
    found = set(_strangers(lake, wanted, case))
    newest = {(day.case, day.variant): day for day in sorted(wanted, key=lambda day: day.delivery_date)}
    for day, products in wanted.items():
        found.update(_of_day(lake, day, products, whole=deep or newest[day.case, day.variant] == day))
        if deep:
            found.update(_of_runs(warehouse, lake, home, day, products))
    if deep and (said := warehouse.unsound()):
        found.add(Damage(warehouse.place, f"the warehouse is damaged ({said})", MAKE_AGAIN))
    return sorted(found, key=lambda damage: (damage.place, damage.what))


def _of_day(lake: Lake, day: Day, products: dict[str, Publication], *, whole: bool) -> Iterator[Damage]:
    stored = read_current(lake, day)
    named = {product: entry["run_id"] for product, entry in stored.get("runs", {}).items()}
    if named != {product: publication.run_id for product, publication in products.items()}:
        yield Damage(current_path(day), "is missing, damaged or behind the warehouse", f"any command mends it, or {remedy_of(day)}", day)
    broken = damaged(lake, stored) if whole else [str(file["path"]) for file in stored.get("files", ()) if cut_off(lake, file["path"])]
    for path in broken:
        yield Damage(path, "is missing, or not as it was published", remedy_of(day), day)


def cut_off(lake: Lake, path: str) -> bool:
    """Whether a published Parquet file is missing or does not begin and end as one."""
    if not lake.files.exists(path):
        return True
    with lake.files.filesystem.open(lake.files.full(path), "rb") as file:
        first = file.read(len(ENDS))
        size = file.seek(0, 2)
        file.seek(max(0, size - len(ENDS)))
        return bool(first != ENDS or file.read(len(ENDS)) != ENDS)


def _of_runs(warehouse: Warehouse, lake: Lake, home: Path, day: Day, products: dict[str, Publication]) -> Iterator[Damage]:
    for publication in products.values():
        try:
            chain = chain_of(warehouse, publication.run_id)
        except FeederflowError as error:
            yield Damage(f"run {publication.run_id}", str(error), remedy_of(day), day)
            continue
        for run in chain:
            for path in lost_of(lake, ArrayCache(home / "runs" / run.run_id), run):
                yield Damage(path, "is missing, or not as the run stored it", remedy_of(day), day)


def _strangers(lake: Lake, wanted: dict[Day, dict[str, Publication]], case: str | None) -> Iterator[Damage]:
    """Published days that the warehouse knows nothing of: it was lost or replaced."""
    known = {current_path(day) for day in wanted}
    for path in lake.files.find("published/_current", "_current.json"):
        if path in known or (case is not None and f"/case={case}/" not in path):
            continue
        try:
            stored = json.loads(lake.files.read(path))
        except ValueError:
            stored = {}
        day = Day(*(str(stored.get(name, "?")) for name in ("case", "variant", "delivery_date")))
        yield Damage(path, "is published, and the warehouse does not know of it: the warehouse was lost or replaced", MAKE_AGAIN, day)
