"""Two-stage programs that the benchmarks share: networked microgrids, whose series move from scenario to scenario."""

from __future__ import annotations

import numpy as np

from pipeline.bench.programs import day_outlook
from pipeline.cases.case import Case
from pipeline.cases.load import load_case
from pipeline.equipment import Generator
from pipeline.equipment.generator import Commitment
from pipeline.physics.horizon import Horizon
from pipeline.program.cached import compiled
from pipeline.schedule.desk import open_desk
from pipeline.schedule.outlook import Outlook, coarsen
from pipeline.uncertainty.two_stage import TwoStage

NETWORKED = {10: "networked_microgrids_66", 25: "networked_microgrids_165", 50: "networked_microgrids_330"}
SPREAD_SHARE = 0.05  # standard deviation of each value of a series, as a share of it


def networked(microgrids: int) -> Case:
    """Reference variant in which a deviation from the day-ahead position of a tie costs .01 per kWh."""
    case = load_case(NETWORKED[microgrids], variant="reference")
    ties = tuple(tie.model_copy(update={"deviation_price_per_kwh": 0.01}) for tie in case.ties)
    return case.model_copy(update={"ties": ties})


def committed(case: Case) -> Case:
    """The case with generators that are committed ahead: a start costs, and each state lasts three hours at least."""
    rule = Commitment(start_cost=5.0, stop_cost=1.0, min_up_h=3.0, min_down_h=3.0)
    devices = tuple(_committed(device, rule) if isinstance(device, Generator) else device for device in case.devices)
    return case.model_copy(update={"devices": devices})


def _committed(unit: Generator, rule: Commitment) -> Generator:
    return unit.model_copy(update={"commitment": rule, "power_min_kw": 0.3 * unit.power_max_kw})


def two_stage(case: Case, *, steps: int, scenarios: int, seed: int = 1) -> TwoStage:
    """The case's default day in 24 or 96 steps; equally likely scenarios."""
    program = compiled(case, Horizon(steps, 24 / steps), cache_dir=None)
    desk, outlook = open_desk(case, case.day(case.default_date), program), day_outlook(case)
    rng, inputs = np.random.default_rng(seed), []
    for _ in range(scenarios):
        moved = outlook.values * (1 + SPREAD_SHARE * rng.standard_normal(outlook.values.shape))
        here = Outlook(outlook.series, moved, outlook.envelopes)
        here = here if steps == moved.shape[1] else coarsen(here, moved.shape[1] // steps)
        inputs.append(desk.binder.assemble(desk.binder.fill(here, desk.starts()), desk.binder.initial_state(), day_ends=True))
    first_stage = program.columns_like(case.settings.first_stage)
    return TwoStage(program, first_stage, np.array(inputs), np.full(scenarios, 1 / scenarios))
