"""The declared form of a stamp: Python's codes, which must tell a date."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone


def form_is_good(form: str) -> bool:
    """True where the codes are Python's and tell year, month and day."""
    sample = datetime(2024, 11, 23, 21, 45, 30, tzinfo=timezone(timedelta(hours=2)))
    try:
        read = datetime.strptime(sample.strftime(form), form)
    except (ValueError, re.error):
        return False
    return any(code in form for code in ("%Y", "%y", "%c", "%x", "%G")) and read.date() == sample.date()
