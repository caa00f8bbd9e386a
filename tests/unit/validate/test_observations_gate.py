from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pipeline.cases.load import load_case
from pipeline.store.observations import Observations
from pipeline.validate.observations_gate import check_observations

SERIES = ("f01_load", "price")


def observed(**changes: object) -> Observations:
    good = Observations(
        series=SERIES,
        resolution_s=(900, 3600),
        series_index=np.array([0, 0, 0, 1], np.int32),
        valid_from=np.array([0, 900, 900, 0]),
        known_at=np.array([900, 1800, 5000, 0]),
        ingest_seq=np.array([1, 1, 2, 1]),
        value=np.array([1.0, 2.0, 2.1, -0.01]),
        quality=np.zeros(4, np.int16),
    )
    return replace(good, **changes)  # type: ignore[arg-type]


def test_good_observations_pass() -> None:
    assert check_observations(load_case("tiny"), observed()) == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"value": np.array([1.0, np.nan, 2.1, 0.0])}, "is empty"),
        ({"value": np.array([1.0, np.inf, 2.1, 0.0])}, "is not finite"),
        ({"series": ("f01_load", "gossip")}, "is not declared in the case"),
        ({"valid_from": np.array([0, 900, 900, 7])}, "starts off the quarter-hour"),
        ({"valid_from": np.array([900, 0, 0, 0])}, "comes after a later row"),
        ({"known_at": np.array([900, 5000, 1800, 0])}, "comes after a later row"),
        ({"known_at": np.array([900, 5000, 5000, 0]), "ingest_seq": np.array([1, 2, 2, 1])}, "there twice"),
        ({"quality": np.array([0, 0, -1, 0], np.int16)}, "outside"),
    ],
)
def test_bad_observations_are_named(changes: dict, words: str) -> None:
    mistakes = check_observations(load_case("tiny"), observed(**changes))
    assert any(words in mistake.message for mistake in mistakes), mistakes


def test_an_unknown_unit_of_a_series() -> None:
    case = load_case("tiny")
    odd = case.model_copy(update={"series": (case.series[0].model_copy(update={"unit": "hp"}), *case.series[1:])})
    assert any("unit 'hp' is unknown" in mistake.message for mistake in check_observations(odd, observed()))
