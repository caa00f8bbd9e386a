"""What an import did, for the command line and the log."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from pipeline.core.errors import InputError, Mistake
from pipeline.ingest.fates import Account

NAMED = 4  # inputs in a message
# tried: a dry run, nothing is stored; withdrawn: read before, and its import, whose number is said, was taken back
Status = Literal["imported", "already_imported", "withdrawn", "tried"]


@dataclass(frozen=True)
class Receipt:
    """One file, query or sample that was read. Counts are of rows of the source or of stored values, as named."""

    source: str  # id of the source in the case
    unit: str  # file name, query or sample
    kind: str
    content: str  # content hash the ingest log knows it by
    status: Status
    import_id: int | None = None  # number of the import, by which it can be withdrawn
    rows_read: int = 0
    values_read: int = 0  # numbers that passed
    rows_added: int = 0  # stored in all, corrections included
    versions_added: int = 0  # of these, later versions of a value that was already stored
    unchanged: int = 0  # already stored with the same value
    gaps: int = 0  # intervals between first and last without a value; nothing is stored for them
    first: int | None = None  # start of the first interval, UTC epoch seconds
    last: int | None = None  # start of the last interval
    flags: dict[str, int] = field(default_factory=dict)  # quality flag -> number of values
    accounts: tuple[Account, ...] = ()  # per mapped column, what became of every row
    other_rows: int = 0  # of a long table: rows of series that the case does not take
    messages: tuple[str, ...] = ()


class IngestRefused(InputError):
    """Some inputs were refused and changed nothing. `receipts` tells what the others brought in."""

    def __init__(self, mistakes: Mistake | Iterable[Mistake], receipts: Iterable[Receipt] = ()) -> None:
        super().__init__(mistakes)
        self.receipts = tuple(receipts)

    @property
    def aftermath(self) -> str:
        """What the others brought in; empty where nothing new was stored."""
        stored = [receipt.unit for receipt in self.receipts if receipt.status == "imported"]
        named = ", ".join(stored[:NAMED]) + (f" and {len(stored) - NAMED} more" if len(stored) > NAMED else "")
        return f"Stored all the same: {named}; that is not read again." if stored else ""
