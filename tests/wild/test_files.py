"""Files as public portals and meters write them (made-up values, exact format): each is read, or refused in one message."""

from __future__ import annotations

from pathlib import Path

from tests.wild.runner import tried


def test_an_encoding_that_is_not_declared_is_refused_in_one_message(tmp_path: Path) -> None:
    outcome = tried("a20_cp1252", "ingest", tmp_path, {"sources.f.mapping.decimal": ","})
    assert outcome.code == 2
    assert outcome.messages[0].startswith("x.csv, row 1: byte b'\\xfc' is not UTF-8")
    assert outcome.values("pv").tolist() == [0.1] * 4
