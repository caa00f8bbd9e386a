"""What the re-dispatch pays for leaving the affine rules, in the interval that binds: set-points are inputs of one program a day."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp

from pipeline.cases.case import Case
from pipeline.cases.settings import Affine
from pipeline.equipment import EvAggregator, EvFleet
from pipeline.program.linear_program import Floats, Indices, InputSpec, LinearProgram
from pipeline.schedule.desk import Desk
from pipeline.schedule.layout import Label, layout_of
from pipeline.schedule.plan import Plan, hold
from pipeline.schedule.rules import Rules
from pipeline.schedule.state import State


@dataclass(frozen=True)
class Followed:
    """Rules that a rolling program keeps near to. `entry[k]`: column of an interval, `inputs[k]`: flat input of its set-point, kW."""

    rules: Rules
    entry: Indices
    inputs: Indices


def price_of(case: Case) -> float:
    """Price per kWh by which the dispatch differs from the rules; 0 where the case decides by other means."""
    method = case.settings.method
    return method.rule_distance_price_per_kwh if isinstance(method, Affine) else 0.0


def followed_labels(case: Case, rules: Rules, present: tuple[Label, ...]) -> tuple[Label, ...]:
    """Electric powers of devices among the columns that follow a deviation: what else a rule moves follows from them.

    Not of vehicles: rules were made for those that were expected, and who came is no deviation that they know. Nor of ties, which carry
    what vehicles draw: where leaving a rule costs in the binding interval alone, whoever came would be charged too late.
    """
    moved, devices = set(rules.moved), {device.id for device in case.devices if not isinstance(device, EvFleet | EvAggregator)}
    return tuple(label for label in present if label in moved and label.quantity.endswith("_kw") and label.device in devices)


def with_rule_distance(case: Case, program: LinearProgram, rules: Rules | None) -> tuple[LinearProgram, tuple[Label, ...]]:
    """x - over + under = set-point at the first position of every followed power, after all own columns, rows and inputs.

    Both sides cost price x step_h; no term holds them, as nobody pays them. The very program where the price is 0 or no power
    follows a rule.
    """
    columns, price_per_kwh = layout_of(program).columns, price_of(case)
    labels = () if rules is None or price_per_kwh == 0.0 else followed_labels(case, rules, columns.labels)
    if not labels:
        return program, ()
    count = len(labels)
    own, inputs = program.matrix.shape[1], len(program.input_names)
    x = np.array([columns.index[0, columns.entry[label]] for label in labels], dtype=np.int64)
    each, one = np.arange(count), np.ones(count)
    laws = sp.coo_array((np.concatenate([one, -one, one]), (np.tile(each, 3), np.concatenate([x, own + each, own + count + each]))),
                        shape=(count, own + 2 * count))
    set_points = sp.coo_array((-one, (each, inputs + each)), shape=(count, inputs + count))
    names = tuple(f"{label.device}.{label.quantity}" + "".join(f"_{part}" for part in label.part.split(",") if part) for label in labels)
    words = {f"{name}_rule": InputSpec(label.device, name.partition(".")[2], role="frozen")
             for name, label in zip(names, labels, strict=True)}
    zeros, free = np.zeros(count), np.full(2 * count, np.inf)
    terms = program.input_term
    return replace(
        program,
        cost=np.concatenate([program.cost, np.full(2 * count, price_per_kwh * program.step_h)]),
        cost_by_input=_grown(program.cost_by_input, 2 * count, count),
        offset_by_input=np.concatenate([program.offset_by_input, zeros]),
        matrix=sp.csr_array(sp.vstack([_grown(program.matrix, 0, 2 * count), laws], format="csr")),
        matrix_by_input=sp.csr_array(sp.vstack([_grown(program.matrix_by_input, 0, count), set_points], format="csr")),
        row_lower=np.concatenate([program.row_lower, zeros]), row_upper=np.concatenate([program.row_upper, zeros]),
        col_lower=np.concatenate([program.col_lower, zeros, zeros]), col_upper=np.concatenate([program.col_upper, free]),
        integer=np.concatenate([program.integer, np.zeros(2 * count, dtype=bool)]),
        row_names=program.row_names + tuple(f"{name}_rule_distance" for name in names),
        column_names=program.column_names + tuple(f"{name}_{side}_rule" for side in ("over", "under") for name in names),
        input_names=program.input_names + tuple(words),
        column_term=np.concatenate([program.column_term, np.full(2 * count, -1, dtype=program.column_term.dtype)]),
        readout=_grown(program.readout, 0, 2 * count), readout_by_input=_grown(program.readout_by_input, 0, count),
        inputs={**program.inputs, **words},
        input_term=None if terms is None else np.concatenate([terms, np.full(count, -1, dtype=terms.dtype)]),
    ), labels


def followed_by(desk: Desk, rules: Rules | None, labels: tuple[Label, ...]) -> Followed | None:
    """Where the set-points of `with_rule_distance` are: its inputs are the program's last ones."""
    if rules is None or not labels:
        return None
    last = len(desk.program.input_names)
    entry = np.array([desk.layout.columns.entry[label] for label in labels], dtype=np.int64)
    return Followed(rules, entry, np.arange(last - len(labels), last))


def set_points_kw(desk: Desk, followed: Followed, state: State, now: Floats, so_far: Floats) -> Floats:
    """Set-points of the rules in interval `state.step`, one per followed power, as `rule_only` follows them.

    now: (I,) inputs of that interval as its dispatch knows them. so_far: (n, I) realised ones of the day's first intervals; between
    them and now, where values had not come in yet, what is known of now stands in.
    """
    values = np.repeat(now[None, :], state.step, axis=0)
    values[: len(so_far)] = so_far
    rules, step = followed.rules, state.step - 1
    point = rules.set_points(rules.deviations(values, desk.layout.inputs.labels, step), step)
    held = hold(desk, Plan(rules.labels, point[None, :]), dict(zip(state.names, state.start, strict=True)))
    return np.asarray(held.set_points[0, followed.entry])


def _grown(matrix: sp.csr_array, more_rows: int, more_columns: int) -> sp.csr_array:
    pointer = np.concatenate([matrix.indptr, np.full(more_rows, matrix.indptr[-1], dtype=matrix.indptr.dtype)])
    return sp.csr_array((matrix.data, matrix.indices, pointer), shape=(matrix.shape[0] + more_rows, matrix.shape[1] + more_columns))
