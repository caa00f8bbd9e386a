"""What is asked for: methods by name."""

from __future__ import annotations

import pytest

from pipeline.cases.load import load_case
from pipeline.cases.settings import Affine, Stochastic, Wasserstein
from pipeline.core.errors import InputError
from pipeline.stages.asked import METHODS, request, with_method


def test_another_method_keeps_what_it_shares_with_the_case_s_own():
    case = load_case("tiny")
    assert isinstance(case.settings.method, Stochastic) and case.settings.method.draw_count == 100
    found = with_method(case, "wasserstein").settings.method
    assert isinstance(found, Wasserstein)
    assert (found.draw_count, found.representative_count, found.radius_share) == (100, 3, Wasserstein().radius_share)
    assert with_method(case, "affine").settings.method == Affine()
    assert with_method(case, "stochastic") is case


def test_every_kind_of_method_can_be_asked_for():
    for kind in METHODS:
        assert request({"case": "tiny", "method": kind}).load().settings.method.kind == kind


def test_a_method_that_does_not_exist_is_refused_with_those_that_do():
    with pytest.raises(InputError, match=r"'cvarr' is no method.*wasserstein"):
        request({"case": "tiny", "method": "cvarr"})
