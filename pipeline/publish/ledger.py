"""Publication in three steps, each of which may be the last one before a crash.

1. One SQL transaction makes the run current. 2. The day's files are replaced one by one, each at once. 3. `_current.json` is written last.
`reconcile` compares SQL with `_current.json` and repeats steps 2 and 3 where they differ: both follow from SQL and the immutable runs.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import replace as with_fields
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.core.errors import Damaged, FeederflowError, GateFailed, InputError, Mistake
from pipeline.core.faults import fault_point
from pipeline.publish.day_file import BrokenChain, chain_of, tables_of_day
from pipeline.store import publications
from pipeline.store.files import sha256_of
from pipeline.store.lake import Lake
from pipeline.store.parquet import from_parquet, to_parquet
from pipeline.store.publications import Day, PublishedFile
from pipeline.store.runs import FAILED, RunRecord
from pipeline.store.warehouse import Warehouse


@dataclass(frozen=True)
class Published:
    """What stands after a publication: is the asked run current, which run is by product, and the day's files.

    `status`: done, or degraded by a warning.
    """

    published: bool
    current: Mapping[str, str]
    status: str
    files: tuple[PublishedFile, ...]


@dataclass(frozen=True)
class _Build:
    """A day's files as they follow from its current runs (run id by product)."""

    runs: Mapping[str, str]
    content: dict[str, Any]  # of `_current.json`
    data: Mapping[str, bytes]  # by path


def published_variant(run: RunRecord) -> str:
    """Variant under which a run is published: `<variant>~<method>` when its method is not the variant's own.

    The variant's own method is the run's parameter `native_method`; without it the run counts as native.
    """
    native = run.parameters.get("native_method", run.method)
    return run.variant if run.method == native else f"{run.variant}~{run.method}"


def day_of(run: RunRecord) -> Day:
    """The case, published variant and delivery date that a run stands for."""
    return Day(run.case, published_variant(run), run.delivery_date)


def folder_of(table: str, day: Day) -> str:
    """Hive-partitioned folder of a table's day, relative to home."""
    return f"published/{table}/case={day.case}/variant={day.variant}/delivery_date={day.delivery_date}"


def current_path(day: Day) -> str:
    """Where the lake says which runs and files of a day are current."""
    return f"{folder_of('_current', day)}/_current.json"


def publish(warehouse: Warehouse, lake: Lake, run_id: str, *, replace: bool = False) -> Published:
    """Publish a run if its issue time is newer than the current one's, or `replace` asks for it; else leave all as it is.

    Raises InputError for an unknown run, GateFailed for one that failed or whose tables break their contract (before anything changes).
    """
    run = warehouse.run(run_id)
    if run is None:
        raise InputError(Mistake(f"run {run_id}", "is not in the warehouse", "`feederflow status` lists what is"))
    if run.status == FAILED:
        raise GateFailed(Mistake(f"run {run_id}", "failed, so it is not published", "run again"))
    day = day_of(run)
    with warehouse.reading() as connection:
        before = publications.current(connection, day).get(day, {})
        takes = publications.may_replace(before.get(run.product), run_id, issued_at=run.issued_at, replace=replace)
    # Built before anything changes, because a gate may refuse it.
    build = _build(warehouse, lake, day, {**_run_ids(before), run.product: run_id}) if takes else None
    fault_point("publish-start")
    with warehouse.writing() as connection:
        taken = publications.make_current(
            connection, day, product=run.product, run_id=run_id, issued_at=run.issued_at, replace=replace)
    fault_point("published-sql")
    if taken:
        _materialise(warehouse, lake, day, build)
    else:
        reconcile(warehouse, lake, day=day)
    stored = read_current(lake, day)
    return Published(taken, {product: entry["run_id"] for product, entry in stored["runs"].items()}, stored["status"], _files(stored))


def reconcile(
    warehouse: Warehouse, lake: Lake, *, case: str | None = None, day: Day | None = None, deep: bool = False,
) -> list[Day]:
    """Complete every publication that a crash cut short; returns the days that were mended.

    Compares run ids and recorded files with `_current.json`; `deep` also reads every published file and compares its checksum.
    A day that cannot be completed (its runs are damaged, the disk is full) is no obstacle to any other: it stays as it is, and
    `feederflow status` says so. Raises only where that one `day` was asked for.
    """
    with warehouse.reading() as connection:
        wanted = publications.current(connection, day, case=case)
        files = publications.files(connection, day, case=case)
    mended = []
    for one, products in wanted.items():
        stored = read_current(lake, one)
        if not _agrees(stored, _run_ids(products), files.get(one, [])) or (deep and damaged(lake, stored)):
            try:
                _materialise(warehouse, lake, one)
            except FeederflowError:
                if day is not None:
                    raise
            else:
                mended.append(one)
    return mended


def current(warehouse: Warehouse, case: str, product: str, variant: str, date: str) -> RunRecord | None:
    """The run that is current for a product of a day, or None."""
    day = Day(case, variant, date)
    with warehouse.reading() as connection:
        found = publications.current(connection, day).get(day, {}).get(product)
    return None if found is None else warehouse.run(found.run_id)


def known_at(warehouse: Warehouse, case: str, product: str, variant: str, date: str, *, issued_at: int) -> RunRecord | None:
    """The run of a product of a day that was current at an issue time, UTC epoch seconds, or None; publications of later do not count."""
    with warehouse.reading() as connection:
        found = publications.as_of(connection, Day(case, variant, date), product, issued_at)
    return None if found is None else warehouse.run(found.run_id)


def read_current(lake: Lake, day: Day) -> dict[str, Any]:
    """`_current.json` of a day; empty when it was never published, or cannot be read any more: it is written anew from SQL."""
    try:
        content = json.loads(lake.files.read(current_path(day)))
    except (FileNotFoundError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def published_tables(lake: Lake, day: Day) -> dict[str, pa.Table]:
    """The published tables of a day, by name; empty when it was never published. Raises Damaged for one that cannot be read."""
    return {file.table: _published_table(lake, day, file.path) for file in _files(read_current(lake, day))}


def _published_table(lake: Lake, day: Day, path: str) -> pa.Table:
    if not lake.files.exists(path):
        raise Damaged(Mistake(path, "is missing", remedy_of(day)))
    try:
        return from_parquet(lake.files.read(path), path)
    except Damaged as error:
        raise Damaged(with_fields(mistake, remedy=remedy_of(day)) for mistake in error.mistakes) from error


def all_damaged(lake: Lake, days: Iterable[Day]) -> list[str]:
    """Paths of the published files of these days that are missing or not as they were published, sorted."""
    return sorted(path for day in days for path in damaged(lake, read_current(lake, day)))


def refuse_damaged(lake: Lake, day: Day) -> None:
    """Raises Damaged, naming every published file of a day that is missing or not as it was published."""
    if broken := damaged(lake, read_current(lake, day)):
        raise Damaged(Mistake(path, "is missing, or not as it was published", remedy_of(day)) for path in broken)


def remedy_of(day: Day) -> str:
    """What makes the files of a day again."""
    variant, _, method = day.variant.partition("~")
    options = f" --method {method}" if method and method != "study" else ""
    return (f"`feederflow run {day.case} --variant {variant}{options} --date {day.delivery_date}` makes it again from the warehouse "
            "(with --replace where the case or the program was changed since)")


def damaged(lake: Lake, stored: Mapping[str, Any]) -> list[str]:
    """Paths of published files that are missing or whose bytes are not those that `_current.json` names."""
    return [
        file.path for file in _files(stored)
        if not lake.files.exists(file.path) or sha256_of(lake.files.read(file.path)) != file.sha256
    ]


def _agrees(stored: Mapping[str, Any], runs: Mapping[str, str], files: Sequence[PublishedFile]) -> bool:
    """Does `_current.json` name the runs and files that SQL names?"""
    named = {product: entry["run_id"] for product, entry in stored.get("runs", {}).items()}
    return named == runs and _files(stored) == tuple(files)


def _files(stored: Mapping[str, Any]) -> tuple[PublishedFile, ...]:
    return tuple(sorted(PublishedFile(file["path"], file["table"], file["sha256"], file["rows"]) for file in stored.get("files", ())))


def _run_ids(products: Mapping[str, publications.Publication]) -> dict[str, str]:
    return {product: found.run_id for product, found in sorted(products.items())}


def _materialise(warehouse: Warehouse, lake: Lake, day: Day, build: _Build | None = None) -> None:
    """Steps 2 and 3: make the day's files and `_current.json` follow from SQL.

    The files are built first and written while holding the warehouse's write lock, so that two publishers never interleave.
    """
    while True:
        with warehouse.writing() as connection:
            now = publications.current(connection, day)[day]
            if build is not None and build.runs == _run_ids(now):
                _replace_files(lake, day, build)
                number = max(found.number for found in now.values())
                publications.record_files(connection, day, _files(build.content), publication=number)
                return
        build = _build(warehouse, lake, day, _run_ids(now))  # not built yet, or someone published in between


def _build(warehouse: Warehouse, lake: Lake, day: Day, runs: Mapping[str, str]) -> _Build:
    runs = dict(sorted(runs.items()))
    tables = tables_of_day(warehouse, lake, list(runs.values()))
    findings = tables.get("findings")
    degraded = findings is not None and bool(pc.any(pc.equal(findings["severity"], "warning")).as_py())
    data, files = {}, []
    for name, table in tables.items():
        path = f"{folder_of(name, day)}/part-0.parquet"
        data[path] = to_parquet(table)
        files.append({"path": path, "table": name, "sha256": sha256_of(data[path]), "rows": table.num_rows})
    content = {
        "case": day.case, "variant": day.variant, "delivery_date": day.delivery_date, "status": "degraded" if degraded else "done",
        "runs": {product: _entry(warehouse, run_id) for product, run_id in runs.items()},
        "files": sorted(files, key=lambda file: str(file["path"])),
    }
    return _Build(runs, content, data)


def _entry(warehouse: Warehouse, run_id: str) -> dict[str, Any]:
    chain = chain_of(warehouse, run_id)
    return {"run_id": run_id, "issued_at": chain[-1].issued_at, "as_of": chain[-1].as_of, "chain": [run.run_id for run in chain]}


def _replace_files(lake: Lake, day: Day, build: _Build) -> None:
    before = {file.path for file in _files(read_current(lake, day))}
    for path, new in sorted(build.data.items()):
        lake.files.drop_temporaries(path)
        if not lake.files.exists(path) or lake.files.read(path) != new:
            lake.files.replace(path, new)
        fault_point("published-file")
    for path in sorted(before - set(build.data)):
        lake.files.remove(path)
    fault_point("published-files")
    lake.files.drop_temporaries(current_path(day))
    lake.files.replace(current_path(day), (json.dumps(build.content, indent=1, sort_keys=True) + "\n").encode())
    fault_point("published-current")


__all__ = [
    "BrokenChain", "Published", "all_damaged", "current", "current_path", "damaged", "day_of", "folder_of", "known_at", "publish",
    "published_tables", "published_variant", "read_current", "reconcile", "refuse_damaged", "remedy_of",
]
