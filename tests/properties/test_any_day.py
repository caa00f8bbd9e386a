"""Whatever `case check` calls good and `ingest` accepts ends in a schedule: exit 0 or 5, in 3 only where a bound on supply proves that
none exists, in 2 only where no history precedes the issue; never in 4 or 1.

Forty cases by default; `make hunt` tries five hundred others (FEEDERFLOW_HUNT=first:last names seeds). Seven of eight have their tables
checked by arrays, which give the verdicts of Great Expectations (tests/unit/validate/test_contract_twins.py) in a hundredth of its time.
"""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline.core.errors import FeederflowError, InputError
from pipeline.validate import contract_gate
from pipeline.validate.contract_arrays import broken_by_arrays
from tests.any_case import AnyCase, write_case
from tests.whole_day import at_home, run_day_ahead, run_real_time

HUNT = os.environ.get("FEEDERFLOW_HUNT")
FIRST, LAST = (int(one) for one in (HUNT or "0:40").split(":"))
# Found by hunts. Both emptied a heat store below nothing, at the price of its lower limit.
ONCE_BROKEN = () if HUNT else (1207, 1450)
UNIT_DOUBTED = "declare the unit that the source is in"  # forty times what can be served: ingest does not accept it, so the rule is silent


def exit_of(call: Callable[[], Any]) -> tuple[int, str]:
    """The exit code that the command line would end with, and what it would say."""
    try:
        result = call()
    except FeederflowError as error:
        return error.exit_code, str(error)
    except Exception:  # noqa: BLE001  any other is what the command line ends with 1 for: the very thing that is looked for
        return 1, traceback.format_exc()
    refused = [row["message"] for row in result.get("findings", ()) if row["check"] == "fallback" and "a gate refused" in row["message"]]
    if refused:  # something stood in for it, and yet the first decision was wrong
        return 4, refused[0]
    return (5 if result["status"] == "degraded" else 0), ""


def whole_day(case: AnyCase, home: Path) -> list[tuple[str, int, str]]:
    """Stage, exit code and words of each stage until one ends badly."""
    from pipeline import stages

    name = str(case.folder)
    done = []

    def stage(what: str, call: Callable[[], Any]) -> bool:
        code, said = exit_of(call)
        done.append((what, code, said))
        return code in (0, 5)

    def prepared() -> dict[str, str]:
        with at_home(home):
            found = stages.case_mistakes(name)
            if found:
                raise InputError(found)
            stages.ingest_sources(name)
            for one in case.overrides:
                stages.override(name, **one)
        return {"status": "good"}

    if stage("check and ingest", prepared) and stage("day-ahead", lambda: run_day_ahead(home, case=name)):
        stage("real time", lambda: run_real_time(home, case=name))
    return done


@pytest.mark.parametrize("seed", (*range(FIRST, LAST), *ONCE_BROKEN))
def test_a_legal_case_ends_in_a_schedule(seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if seed % 8:
        monkeypatch.setattr(contract_gate, "broken_by", {**contract_gate.broken_by, "suite": broken_by_arrays})
    case = write_case(tmp_path / f"any_{seed}", seed)
    done = whole_day(case, tmp_path / "home")
    what, code, said = done[-1]
    if what == "check and ingest" and code == InputError.exit_code and UNIT_DOUBTED in said:
        return
    assert code in (0, 5), f"{'; '.join(case.words)}: {what} ended with {code}: {said}"
