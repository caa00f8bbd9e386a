"""What travels inside the package beside its code: cases, series and studies (`data`), and the warehouse's statements (`sql`)."""

from __future__ import annotations

from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]
DATA = PACKAGE / "data"
SQL = PACKAGE / "sql"
