"""The deviations of a case's day: which series may lie off its forecast by how much, who sees it, and under what budget."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from pipeline.cases.settings import Affine, BoxRobust, HalfWidths
from pipeline.core.clock import local_hour
from pipeline.program.linear_program import Floats, Indices
from pipeline.schedule.desk import Desk
from pipeline.schedule.leaving import Leavers, with_early_departures
from pipeline.schedule.outlook import Outlook
from pipeline.uncertainty.deviations import Deviations

EVERYBODY = -1
_PERCENTILE = 95.0


@dataclass(frozen=True)
class _Moves:
    """M moves: at d = 1 series `series` lies `half_width` above its forecast in interval `slot`, and inputs follow (m, M)."""

    series: Indices
    slot: Indices
    by_input: sp.csr_array


def box_deviations(desk: Desk, outlook: Outlook, inputs: Floats, method: BoxRobust, *, draws: Floats | None = None,
                   leavers: Sequence[Leavers] | None = None) -> Deviations:
    """Two-sided; one budget group per series over the day: at most `budget_share` of the intervals deviate; early departures besides.

    inputs: (m,) the bound forecast, the centre. draws: (D, S, T) drawn futures at the program's step, for empirical half-widths.
    leavers: who may leave early, where the method asks.
    """
    moves = _moves(desk, outlook, inputs, method.half_widths, draws)
    known, group = np.unique(moves.series, return_inverse=True)
    budget = np.full(known.size, method.budget_share * desk.program.positions, dtype=float)
    found = _deviations(desk, inputs, moves, two_sided=True, group=group.ravel(), budget=budget)
    return with_early_departures(desk, found, leavers) if method.early_departures else found


def affine_deviations(desk: Desk, outlook: Outlook, inputs: Floats, method: Affine, *, draws: Floats | None = None) -> Deviations:
    """Budget groups per entity and interval (`slot`), or per entity (`horizon`).

    What may be used up is `budget_share` x the number of deviations of the scope, those whose half-width is 0 just then included:
    with an up and a down deviation of PV and wind it is 4 x share by day and by night.
    """
    moves = _moves(desk, outlook, inputs, method.half_widths, draws)
    two_sided = method.deviations == "two_sided"
    whose = series_entities(desk)[moves.series]
    per = 1 if two_sided else 2
    entities, place = np.unique(whose, return_inverse=True)
    of_entity = np.array([np.unique(moves.series[whose == entity]).size for entity in entities], dtype=float)
    if method.budget_scope == "horizon":
        group, budget = place.ravel(), method.budget_share * per * np.bincount(place.ravel(), minlength=entities.size).astype(float)
    else:
        scopes, group = np.unique(moves.slot * max(entities.size, 1) + place.ravel(), return_inverse=True)
        budget = per * of_entity[scopes % max(entities.size, 1)] * method.budget_share if scopes.size else np.zeros(0)
    return _deviations(desk, inputs, moves, two_sided=two_sided, group=group.ravel(), budget=budget)


def off_nominal_inputs(desk: Desk, inputs: Floats) -> Floats:
    """(m,) the same inputs without the rule of the day's end, which the nominal trajectory keeps and no deviation has to."""
    found = inputs.copy()
    for component, spec in desk.program.inputs.items():
        if spec.data.get("day_end", "none") != "none":
            last = desk.program.input_index[component][-1]
            before = desk.program.input_index[component][-2:-1]
            found[last] = inputs[before[0]] if before.size else spec.data["default"]
    return found


def series_entities(desk: Desk) -> Indices:
    """(S of the binder's plan,) the network whose devices a series feeds; `EVERYBODY` where there are several."""
    labels, plan = desk.layout.inputs.labels, desk.binder.plan
    home = _networks(desk)
    found = np.full(len(plan.series), -2, dtype=np.int64)
    for entries, rows in ((plan.series_entry, plan.series_row), (plan.price_entry, plan.price_row)):
        for entry, row in zip(entries.tolist(), rows.tolist(), strict=True):
            network = home.get(labels[entry].device, EVERYBODY)
            if row >= 0:
                found[row] = network if found[row] in (-2, network) else EVERYBODY
    return np.where(found == -2, EVERYBODY, found)


def column_entities(desk: Desk) -> Indices:
    """(n,) the network whose deviations a column's rule sees: of devices their own; ties and networks see everybody's."""
    home = _networks(desk)
    found = np.full(len(desk.program.column_names), EVERYBODY, dtype=np.int64)
    for component, columns in desk.program.column_index.items():
        found[columns] = home.get(component.partition(".")[0], EVERYBODY)
    return found


def _networks(desk: Desk) -> dict[str, int]:
    number = {network: i for i, network in enumerate(desk.roster.networks)}
    return {device.id: number[desk.case.network_of_bus[device.bus]] for device in desk.case.devices}


def _moves(desk: Desk, outlook: Outlook, inputs: Floats, widths: HalfWidths, draws: Floats | None) -> _Moves:
    """Directions of the inputs that a series fills as they stand; an input that an instruction holds does not move."""
    plan, index, count = desk.binder.plan, desk.layout.inputs.index, len(desk.program.input_names)
    half = _half_widths(desk, outlook, widths, draws)  # (S of the plan, T)
    values = outlook.values[[outlook.series.index(name) for name in plan.series]] if plan.series else np.zeros((0, len(index)))
    hours = local_hour(desk.starts(), desk.case.time_zone)
    parts = []
    filled = plan.series_factor[:, hours]  # (entries, T)
    parts.append((plan.series_entry, plan.series_row, filled, values[plan.series_row] * filled))
    known = np.flatnonzero(plan.price_row >= 0)
    row = plan.price_row[known]
    slope = plan.price_factor[known, None] + plan.price_factor_abs[known, None] * np.sign(values[row])
    parts.append((plan.price_entry[known], row, slope, plan.price_fixed[known, None] + slope * values[row]))
    key, where, amount = [], [], []
    for entry, row, slope, expected in parts:
        at = index[:, entry].T
        held = np.abs(inputs[at] - expected) > 1e-9 * np.maximum(1.0, np.abs(expected))
        moved = np.where(held, 0.0, slope * half[row])
        i, t = np.nonzero(moved)
        key.append(t * len(plan.series) + row[i])
        where.append(at[i, t])
        amount.append(moved[i, t])
    keys, column = np.unique(np.concatenate(key), return_inverse=True)
    by_input = sp.csr_array((np.concatenate(amount), (np.concatenate(where), column.ravel())), shape=(count, keys.size))
    names = max(len(plan.series), 1)
    return _Moves((keys % names).astype(np.int64), (keys // names).astype(np.int64), by_input)


def _half_widths(desk: Desk, outlook: Outlook, widths: HalfWidths, draws: Floats | None) -> Floats:
    """(S of the plan, T) in the unit of each series; never more than the forecast itself, so that nothing turns negative."""
    plan, kind = desk.binder.plan, {series.id: series.kind for series in desk.case.series}
    rows = [outlook.series.index(name) for name in plan.series]
    share = np.array([float(getattr(widths, f"{kind[name]}_share")) for name in plan.series])
    size = np.abs(outlook.values[rows]) if rows else np.zeros((0, desk.program.positions))
    if widths.source == "constant":
        return np.asarray(share[:, None] * size)
    if draws is None:
        raise ValueError("empirical half-widths are read from draws, and there are none")
    residual = np.percentile(np.abs(draws[:, rows] - outlook.values[rows]), _PERCENTILE, axis=0)
    return np.asarray(np.where(share[:, None] > 0, np.minimum(residual, size), 0.0))


def _deviations(desk: Desk, inputs: Floats, moves: _Moves, *, two_sided: bool, group: Indices, budget: Floats) -> Deviations:
    """One deviation per move, or one up and one down."""
    count, plan = moves.series.size, desk.binder.plan
    signs = np.ones(count) if two_sided else np.tile([1.0, -1.0], count)
    at = np.arange(count) if two_sided else np.repeat(np.arange(count), 2)
    ends = [""] * count if two_sided else ["+", "-"] * count
    names = tuple(f"{plan.series[moves.series[k]]}[{moves.slot[k] + 1}]{end}" for k, end in zip(at.tolist(), ends, strict=True))
    directions = sp.csr_array(moves.by_input[:, at] @ sp.diags_array(signs)) if count else moves.by_input
    return Deviations(
        centre=inputs, directions=directions, low=np.full(at.size, -1.0 if two_sided else 0.0), high=np.ones(at.size), slot=moves.slot[at],
        entity=series_entities(desk)[moves.series][at], group=group[at], budget=budget, names=names, entities=desk.roster.networks)
