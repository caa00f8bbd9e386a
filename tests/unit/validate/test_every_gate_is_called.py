"""Every gate of the roster is called, and what it finds blocks the publication, of a schedule and of a re-dispatch."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from pipeline.core.errors import Mistake
from pipeline.tables import TABLES
from pipeline.validate import gates
from pipeline.validate.gates import check_stage
from tests.unit.validate.synthetic import Day, make_day

ENTRIES = {"check_stage", "check_published", "check_provenance"}  # the roster itself, and what reads published files
ONE_PRODUCT = {"check_settlement": "real_time"}
ROSTER = sorted(name for name in vars(gates) if name.startswith("check_") and name not in ENTRIES)
PLANTED = Mistake("planted", "a fault that only this gate sees")


@pytest.fixture(scope="module")
def made() -> Day:
    return make_day()


@pytest.mark.parametrize("product", ["day_ahead", "real_time"])
@pytest.mark.parametrize("gate", ROSTER)
def test_what_a_gate_finds_is_never_lost(made: Day, gate: str, product: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found: object = ([PLANTED], []) if gate == "check_devices" else [PLANTED]
    monkeypatch.setattr(gates, gate, lambda *_, **__: found)
    tables = {name: table.empty() for name, table in TABLES.items()} | made.tables[product]
    mistakes, _ = check_stage(made.case, tables, day=made.day, product=product, context=made.context[product], contracts="arrays")
    assert (PLANTED in mistakes) == (ONE_PRODUCT.get(gate, product) == product)


def test_the_roster_holds_every_gate_of_the_room() -> None:
    """A gate that is written and never entered in the roster checks nothing."""
    room = Path(gates.__file__).parent
    written = {node.name for path in room.glob("*.py") if path.name != "gates.py" for node in ast.parse(path.read_text()).body
               if isinstance(node, ast.FunctionDef) and node.name.startswith("check_")}
    called = {node.func.id for path in room.glob("*.py") for node in ast.walk(ast.parse(path.read_text()))
              if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
    named = {node.id for node in ast.walk(ast.parse((room / "devices.py").read_text())) if isinstance(node, ast.Name)}
    assert written - called - named == {"check_observations"}, "that one is the gate after ingest"
