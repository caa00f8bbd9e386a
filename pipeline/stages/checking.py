"""A case against the program that it becomes: what a night's run would refuse of its settings, found where a person edits them."""

from __future__ import annotations

from pipeline.cases.case import Case
from pipeline.cases.load import load_case, mistakes_of, variants
from pipeline.core.errors import InputError, Mistake
from pipeline.physics.horizon import Horizon
from pipeline.program.cached import compiled, program_key
from pipeline.program.linear_program import LinearProgram
from pipeline.schedule.carrying import check_treatment
from pipeline.schedule.desk import open_desk


def case_mistakes(name: str, *, variant: str | None = None) -> list[Mistake]:
    """Mistakes of a case, each once: of its records, or where these are good of its settings against its day-ahead program.

    variant: that one only; default: all. Variants that differ in settings alone share one program.
    """
    programs: dict[str, LinearProgram] = {}
    if variant is not None:
        return list(_of_settings(load_case(name, variant=variant), programs))
    of_records = mistakes_of(name)
    if of_records:
        return of_records
    found: dict[Mistake, None] = {}
    for one in variants(name):
        found |= dict.fromkeys(_of_settings(load_case(name, variant=one), programs))
    return list(found)


def _of_settings(case: Case, programs: dict[str, LinearProgram]) -> tuple[Mistake, ...]:
    day, step_min = case.day(case.default_date), case.settings.day_ahead_step_min
    horizon = Horizon(positions=day.steps(step_min), step_h=step_min / 60)
    key = program_key(case, horizon)
    if key not in programs:
        programs[key] = compiled(case, horizon, cache_dir=None)
    try:
        check_treatment(open_desk(case, day, programs[key]))
    except InputError as error:
        return error.mistakes
    return ()
