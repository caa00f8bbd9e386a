from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from pipeline.tables import TABLES
from pipeline.validate.contract_gate import check_contract, check_contracts
from pipeline.validate.contract_suite import suite

GOOD = {
    "run_id": ["rt-1", "rt-1"],
    "stage": ["real_time"] * 2,
    "step": [1, 2],
    "valid_from": [0, 900],
    "network": ["n", "n"],
    "branch": ["a", "a"],
    "p_kw": [1.0, 2.0],
    "q_kvar": [0.5, 0.5],
    "loading_share": [None, 0.4],
    "loss_ac_kw": [None, 0.1],
}


def table(**changes: list) -> pa.Table:
    """Not by `build`: a broken table is what the gate is for."""
    contract = TABLES["branch_state"]
    columns = {**GOOD, **changes}
    arrays = []
    for field in contract.schema:
        values = columns[field.name]
        seconds = field.name == "valid_from"
        arrays.append(
            pa.array(values, pa.int64()).cast(pa.timestamp("s", tz="UTC")).cast(field.type) if seconds else pa.array(values, field.type)
        )
    return pa.table(arrays, schema=pa.schema([field.with_nullable(True) for field in contract.schema]))


def test_a_good_table_passes() -> None:
    assert check_contract(TABLES["branch_state"], table()) == []


@pytest.mark.parametrize(
    ("changes", "column", "words"),
    [
        ({"p_kw": [1.0, None]}, "p_kw", "is empty"),
        ({"p_kw": [1.0, np.nan]}, "p_kw", "is empty"),
        ({"p_kw": [1.0, np.inf]}, "p_kw", "is not finite"),
        ({"loss_ac_kw": [None, np.nan]}, "loss_ac_kw", "is NaN"),
        ({"loading_share": [None, -0.1]}, "loading_share", "outside"),
        ({"step": [1, 0]}, "step", "outside"),
        ({"stage": ["real_time", "tomorrow"]}, "stage", "is not one of day_ahead, real_time"),
        ({"branch": ["a", ""]}, "branch", "empty text"),
        ({"valid_from": [0, None]}, "valid_from", "is empty"),
        ({"run_id": ["rt-1", None]}, "run_id", "is empty"),
    ],
)
def test_a_bad_cell_is_named_by_table_row_and_column(changes: dict, column: str, words: str) -> None:
    mistakes = check_contract(TABLES["branch_state"], table(**changes))
    place = [mistake.place for mistake in mistakes if words in mistake.message]
    assert len(place) == 1
    assert place[0].startswith("table branch_state, row stage=")
    assert place[0].endswith(f"column {column}")


def test_a_key_that_is_there_twice() -> None:
    mistakes = check_contract(TABLES["branch_state"], table(step=[1, 1]))
    assert {mistake.message for mistake in mistakes} == {"more than one row has this key"}


def test_columns_missing_foreign_and_of_another_type() -> None:
    broken = table().drop_columns(["q_kvar"]).append_column("cable", pa.array(["x", "y"]))
    broken = broken.set_column(broken.schema.get_field_index("p_kw"), "p_kw", pa.array(["1", "2"]))
    places = {mistake.place for mistake in check_contract(TABLES["branch_state"], broken)}
    assert places == {f"table branch_state, column {name}" for name in ("q_kvar", "cable", "p_kw")}


def test_an_undeclared_table() -> None:
    assert check_contracts({"gossip": table()})[0].place == "table gossip"


@pytest.mark.parametrize("name", list(TABLES))
def test_every_declaration_makes_a_suite(name: str) -> None:
    kinds = {expectation.expectation_type for expectation in suite(TABLES[name]).expectations}
    assert "expect_table_columns_to_match_set" in kinds


def test_many_bad_rows_are_counted_not_listed() -> None:
    contract = TABLES["kpis"]
    many = contract.build(
        {
            "run_id": ["r"] * 50,
            "stage": ["real_time"] * 50,
            "kpi": [f"k{i}" for i in range(50)],
            "unit": ["1"] * 50,
            "value": [float("inf")] * 50,
        }
    )
    mistakes = check_contract(contract, many)
    assert len(mistakes) == 20
    assert mistakes[-1].message.endswith("(and 30 more rows like it)")
