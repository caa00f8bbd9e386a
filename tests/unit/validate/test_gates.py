from __future__ import annotations

import pytest

from pipeline.validate.gates import ac_check, check_stage
from tests.unit.validate.synthetic import Day, make_day


@pytest.fixture(scope="module")
def made() -> Day:
    return make_day()


@pytest.mark.parametrize("product", ["day_ahead", "real_time"])
def test_a_consistent_day_passes(made: Day, product: str) -> None:
    mistakes, findings = check_stage(made.case, made.tables[product], day=made.day, product=product, context=made.context[product])
    assert [str(mistake) for mistake in mistakes] == []
    assert [finding for finding in findings if finding.severity == "warning"] == []


@pytest.mark.parametrize("product", ["day_ahead", "real_time"])
def test_ac_columns_are_filled_and_stay_near(made: Day, product: str) -> None:
    done, findings = ac_check(made.case, made.tables[product], stage=product)
    assert done["bus_state"].column("voltage_ac_pu").null_count == 0
    assert done["branch_state"].column("loss_ac_kw").null_count == 0
    assert done["branch_state"].column("loading_share").null_count == done["branch_state"].num_rows  # no ratings
    assert {finding.severity for finding in findings} == {"info"}
