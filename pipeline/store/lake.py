"""The lake: what each run wrote, immutable, one Parquet per table under `runs/<run_id>/`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa

from pipeline.core.errors import Damaged, FeederflowError, Mistake
from pipeline.core.faults import fault_point
from pipeline.store.files import Files, sha256_of
from pipeline.store.parquet import from_parquet, to_parquet


class LakeConflict(FeederflowError):
    """A run wrote a table again with other content: the run id does not name everything that the run depends on."""


class Lake:
    """Tables of runs below `home`, a local folder or an fsspec address."""

    def __init__(self, home: str | Path) -> None:
        self.files = Files(home)

    @staticmethod
    def path(run_id: str, table: str) -> str:
        """Path relative to home."""
        return f"runs/{run_id}/{table}.parquet"

    def write(self, run_id: str, tables: Mapping[str, pa.Table]) -> dict[str, str]:
        """Write tables of a run; returns sha256 by table. An equal one is reused, a different one raises LakeConflict."""
        sums = {}
        for name, table in tables.items():
            data = to_parquet(table)
            self._put(self.path(run_id, name), data)
            sums[name] = sha256_of(data)
            fault_point("lake-table")
        return sums

    def _put(self, path: str, data: bytes) -> None:
        if not self.files.exists(path):
            self.files.replace(path, data)
            return
        stored = self.files.read(path)
        if stored == data:
            return
        try:
            # Another version of the Parquet library writes other bytes for the same rows: then the rows decide.
            same = from_parquet(stored).equals(from_parquet(data))
        except Damaged:  # the run's id names the content: what cannot be read any more is made again
            self.files.replace(path, data)
            return
        if not same:
            raise LakeConflict(
                f"{path} exists with other content, and a run's tables are immutable: was something read that its id does not hold?")

    def set_aside(self, run_id: str, table: str, name: str) -> None:
        """Keep a table under another name, whose place is free for another; the first that was set aside stays."""
        path, aside = self.path(run_id, table), self.path(run_id, name)
        if not self.files.exists(path):
            return
        if not self.files.exists(aside):
            self.files.replace(aside, self.files.read(path))
        self.files.remove(path)

    def read(self, run_id: str, table: str) -> pa.Table:
        """One table of a run. Raises Damaged where it is missing or cannot be read any more."""
        path = self.path(run_id, table)
        if not self.files.exists(path):
            raise Damaged(Mistake(path, "is missing", "run the same command again: it is made again from the warehouse"))
        return from_parquet(self.files.read(path), path)

    def has(self, run_id: str, table: str) -> bool:
        return self.files.exists(self.path(run_id, table))

    def tables(self, run_id: str) -> list[str]:
        """Names of the tables that a run has written, sorted."""
        return [path.rsplit("/", 1)[1].removesuffix(".parquet") for path in self.files.find(f"runs/{run_id}", ".parquet")]
