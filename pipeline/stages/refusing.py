"""What a gate refuses is decided again by what stands in. The run's record says what was refused, and every stage keeps to it.

A run that is stopped anywhere goes on where it stood: the refusal is recorded before anything is made again, and what was refused
keeps its tables under names of their own, for whoever looks for the fault.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from pipeline.core.errors import GateFailed, Mistake
from pipeline.stages.opening import Run
from pipeline.store.runs import RUNNING

REFUSED = "_refused"
DECIDED_TABLES = "decided"  # parameter of a run: the tables that its last decision wrote
# Rungs of the ladders of schedule/standby.py and of a re-dispatch: the treatment, the deterministic schedule, what is held; a
# re-dispatch, the day-ahead schedule on the limits.
_LAST: Mapping[str, int] = {"day_ahead": 2, "real_time": 1}


@dataclass(frozen=True)
class Refused:
    """The last rung that gates refused, and what they said."""

    rung: int
    said: str
    kept: str  # where the refused tables are, below the home

    @property
    def why(self) -> str:
        """Why something stands in, in words of a finding."""
        return f"a gate refused what was decided ({self.said}; its tables are kept as {self.kept})"


def refused_of(run: Run) -> Refused | None:
    """What was refused of a run so far, None for all runs but a few."""
    known = run.stored.parameters
    kept = f"runs/{run.record.run_id}/*{REFUSED}.parquet"
    return Refused(int(known["refused_rung"]), str(known["refused"]), kept) if "refused" in known else None


def must_decide_again(run: Run) -> bool:
    """Whether what is kept of the run is what a gate refused."""
    refused = refused_of(run)
    return refused is not None and int(run.stored.parameters.get("rung", 0)) <= refused.rung


def refuse(run: Run, mistakes: Sequence[Mistake]) -> None:
    """Record that gates refuse what was decided. Raises GateFailed where no rung is left, with what was refused before."""
    before, rung = refused_of(run), int(run.stored.parameters.get("rung", 0))
    if rung >= _LAST[run.record.product]:
        if before is None:
            raise GateFailed(mistakes)
        aside = f"its tables are kept as {run.home.path}/{before.kept}"
        said = f"this stood in for what was refused before: {before.said}"
        raise GateFailed([*mistakes, Mistake(f"run {run.record.run_id}", said, aside)])
    said = str(mistakes[0]) + (f" and {len(mistakes) - 1} more" if len(mistakes) > 1 else "")
    said = said if before is None else f"{before.said}; then {said}"
    run.home.warehouse.finish_run(run.record.run_id, status=RUNNING, parameters={"refused": said, "refused_rung": rung})


def keep(run: Run, tables: Mapping[str, pa.Table]) -> dict[str, list[str]]:
    """Write the tables that a stage decided; what a gate refused of them is set aside first. Gives their names, for the run's record."""
    lake, run_id = run.home.lake, run.record.run_id
    if must_decide_again(run):
        for name in tables:
            lake.set_aside(run_id, name, name + REFUSED)
    lake.write(run_id, tables)
    return {DECIDED_TABLES: sorted(tables)}
