"""What a run has read can be read again by the moment of its newest word: later stages ask for it in processes of their own."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np

from pipeline.cases.load import load_case
from pipeline.stages.home import Home
from pipeline.stages.knowledge import Knowledge, read_knowledge
from pipeline.store.lake import Lake
from pipeline.store.sessions import SessionBatch
from pipeline.store.warehouse import Warehouse

CASE = load_case("tiny")
DAY = CASE.day(date(2016, 6, 15))
FLEET = "f01_ev"


def read(home: Home, as_of: int) -> Knowledge:
    return read_knowledge(home, CASE, day=DAY, start=DAY.start - 86400, as_of=as_of)


def session(arrival: int, *, name: str = "a") -> SessionBatch:
    return SessionBatch([FLEET], np.array([arrival]), np.array([arrival + 7200]), np.array([9.0]), np.array([7.0]),
                        np.array([DAY.start]), [name])


def test_a_session_that_was_moved_out_of_the_day_or_withdrawn_is_news_of_its_moment(tmp_path: Path) -> None:
    home = Home(tmp_path, Warehouse.open(tmp_path), Lake(tmp_path))
    first = home.warehouse.add_sessions(CASE.name, session(DAY.start + 3600), source="lot", ingested_at=DAY.start)
    assert read(home, DAY.end).newest_known_at == DAY.start
    changes = (lambda moment: home.warehouse.add_sessions(CASE.name, session(DAY.end + 3600), source="lot", ingested_at=moment),
               lambda moment: home.warehouse.withdraw(CASE.name, first.sequence, now=moment))
    for number, change in enumerate(changes):
        if number:  # a session that stands as it came, to be withdrawn
            first = home.warehouse.add_sessions(CASE.name, session(DAY.start + 7200, name="b"), source="lot", ingested_at=DAY.start + 300)
        change(moment := DAY.start + 600 * (number + 1))
        now = read(home, DAY.end)
        assert now.newest_known_at == moment
        assert read(home, now.newest_known_at).digest == now.digest
