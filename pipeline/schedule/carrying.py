"""What a treatment can be asked of a case, checked before anything is solved: all mistakes named in the words of the run settings."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from fnmatch import fnmatchcase

import numpy as np

from pipeline.cases.case import Case
from pipeline.cases.settings import FIRST_STAGE, Affine, BoxRobust, HalfWidths, Sampled
from pipeline.core.errors import InputError, Mistake
from pipeline.equipment import EvAggregator
from pipeline.program.freeze import freeze
from pipeline.program.linear_program import Indices
from pipeline.schedule.desk import Desk
from pipeline.schedule.leaving import NOBODY_LEAVES
from pipeline.uncertainty.affine_roles import check_followers
from pipeline.uncertainty.refusals import check_continuous_recourse

# Units are switched, and positions taken, before the scenario is known.
_COMMITMENTS = {"on_share": "'*.on_share', '*.start_share' and '*.stop_share'"}
_POSITIONS = {"schedule_kw": "'*.schedule_kw'"}


def check_first_stage(desk: Desk, *, scenarios: int) -> None:
    """Patterns that name something, commitments ahead of the scenarios, rules within the day. Raises InputError."""
    mistakes = _of_the_program(desk, scenarios, _COMMITMENTS)
    if mistakes:
        raise InputError(mistakes)


def check_treatment(desk: Desk) -> None:
    """All that a day-ahead run would refuse of the run settings before it solves. Raises InputError with every mistake.

    What depends on the day's data (NaN, an empty sample) shows only there.
    """
    method, program = desk.case.settings.method, desk.program
    first = program.columns_like(desk.case.settings.first_stage)
    scenarios = method.representative_count if isinstance(method, Sampled) else 1
    mistakes = _of_the_program(desk, scenarios, _COMMITMENTS | _POSITIONS)
    if isinstance(method, Sampled):
        mistakes += _too_few_draws(method)
    if isinstance(method, BoxRobust | Affine) and method.half_widths.price_share > 0 and program.cost_by_input.nnz:
        mistakes.append(Mistake("settings.method.half_widths.price_share", f"{method.kind} cannot carry uncertain prices",
                                "take 0 (price: expected), and settings.budgeted_prices to guard against prices"))
    if isinstance(method, BoxRobust):
        mistakes += _nobody_leaves(desk.case, method)
        mistakes += _refused(lambda: check_continuous_recourse(
            program, first, treatment="the box", remedy="name it in settings.first_stage, or take another method"))
    if isinstance(method, Affine) and method.budget_share > 0:
        mistakes += _refused(lambda: check_followers(program, first, _may_deviate(desk, method.half_widths)))
    mistakes += _refused(lambda: freeze(program, first))
    if mistakes:
        raise InputError(mistakes)


def _may_deviate(desk: Desk, widths: HalfWidths) -> Indices:
    """Inputs (p,) of the program that series fill which may lie off their forecast; with empirical half-widths all of them may."""
    kind, plan = {series.id: series.kind for series in desk.case.series}, desk.binder.plan
    wide = np.array([widths.source == "empirical" or getattr(widths, f"{kind[name]}_share") > 0 for name in plan.series], dtype=bool)
    return desk.layout.inputs.index[:, plan.series_entry[wide[plan.series_row]]].ravel()


def _of_the_program(desk: Desk, scenarios: int, decisions: Mapping[str, str]) -> list[Mistake]:
    """A mistyped pattern may be what is missing of the first stage: it is told first."""
    method = desk.case.settings.method
    mistakes = list(_patterns(desk)) or list(_late_decisions(desk, scenarios, decisions))
    if isinstance(method, Affine):
        mistakes += _far_memory(method, desk.program.positions)
    return mistakes


def _refused(asked: Callable[[], object]) -> tuple[Mistake, ...]:
    try:
        asked()
    except InputError as error:
        return error.mistakes
    return ()


def _patterns(desk: Desk) -> Iterator[Mistake]:
    """Patterns that name nothing, and what real time cannot hold: it re-dispatches everything but positions and commitments."""
    settings, components = desk.case.settings, tuple(desk.program.column_index)
    for field in ("first_stage", "held_in_real_time"):
        for pattern in getattr(settings, field):
            named = [name for name in components if fnmatchcase(name, pattern)]
            if not named and pattern not in FIRST_STAGE:
                yield Mistake(f"settings.{field}", f"'{pattern}' matches no column of the case",
                              f"name columns of docs/models.md, as {', '.join(FIRST_STAGE[:2])}")
            loose = [name for name in named if not any(fnmatchcase(name, known) for known in FIRST_STAGE)]
            if field == "held_in_real_time" and loose:
                yield Mistake(f"settings.{field}", f"'{pattern}' holds {loose[0]}, and a re-dispatch holds positions and commitments only",
                              f"leave it to settings.first_stage, and name here some of {', '.join(FIRST_STAGE)}")


def _late_decisions(desk: Desk, scenarios: int, decisions: Mapping[str, str]) -> Iterator[Mistake]:
    """Decisions (column name -> patterns to add), of which a day has one, that every scenario would take anew."""
    if scenarios == 1:
        return
    index, first = desk.program.column_index, desk.program.columns_like(desk.case.settings.first_stage)
    for what, patterns in decisions.items():
        late = sorted(name for name in index if name.endswith(f".{what}") and not np.isin(index[name], first).all())
        if late:
            yield Mistake("settings.first_stage", f"{late[0]} ({len(late) - 1} more) would be decided anew in every scenario",
                          f"add {patterns}, or take method deterministic")


def _too_few_draws(method: Sampled) -> Iterator[Mistake]:
    for field in ("draw_count", "pre_reduction_count"):
        drawn = getattr(method, field)
        if drawn is not None and drawn < method.representative_count:
            yield Mistake(f"settings.method.{field}", f"{method.representative_count} representatives cannot be kept of {drawn} draws",
                          f"raise {field} or lower representative_count")


def _nobody_leaves(case: Case, method: BoxRobust) -> Iterator[Mistake]:
    """Early departures of a case without an aggregator whose vehicles may: a budget of 2 lets one of them leave."""
    if method.early_departures and not any(isinstance(device, EvAggregator) and device.early_departure_h
                                           and device.early_departure_budget_count >= 2 for device in case.devices):
        yield NOBODY_LEAVES


def _far_memory(method: Affine, steps: int) -> Iterator[Mistake]:
    if method.memory_steps > steps - 1:
        yield Mistake("settings.method.memory_steps", f"a rule would look {method.memory_steps} steps back, and the day has {steps}",
                      f"memory_steps is at most the number of steps less one: take at most {steps - 1}")
