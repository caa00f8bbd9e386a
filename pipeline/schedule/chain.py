"""The balancing chain: who takes what is left over, in which order, over the ties between networks. One small program per interval.

Used where no single tie can take it: islands of several networks, whose ties may form loops. Earlier entries of the chain move first
and ties carry as little as they must; what neither chain nor ties can take stays where every network takes it itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import scipy.sparse as sp

from pipeline.cases.case import Case
from pipeline.equipment import Converter, Generator, Store
from pipeline.program.linear_program import Floats, Indices, LinearProgram
from pipeline.program.solve import SolveOptions, solve
from pipeline.schedule.layout import Layout

Kind = Literal["generator", "converter", "store", "tie"]
_STEP = 10.0  # each rank costs so many times the one before: earlier entries move first
_CARRY = 1e-3  # and carrying is cheaper than moving anything


@dataclass(frozen=True)
class Entry:
    """One device of the chain: its kind, its row in the roster's group of that kind and the network it feeds."""

    rank: int
    kind: Kind
    row: int
    network: int


@dataclass(frozen=True)
class Chain:
    """Entries in order of rank; `lines`: rows of the ties between networks. `program`: rooms and balances in, movements out."""

    entries: tuple[Entry, ...]
    lines: Indices
    count: int  # networks
    program: LinearProgram

    def move(self, balance: Floats, entries: tuple[Floats, Floats], lines: tuple[Floats, Floats], own: Sequence[Floats]) -> Moved:
        """What entries, ties and networks do about `balance` (networks,), what each network has too much of, in kW.

        entries, lines: how far each may rise and fall. own: (networks,) what each can do about lack and spare itself, first by what
        is flexible, then by shedding and dumping.
        """
        rooms = np.concatenate([*entries, *lines, *own])
        found = solve(self.program.bind(np.concatenate([np.maximum(rooms, 0.0), balance])), SolveOptions(method="simplex"))
        if found.x is None:
            raise RuntimeError(f"the balancing chain ended as {found.status.value}: it always has a solution")
        e, n = len(self.entries), len(self.lines)
        parts = np.split(found.x[: 2 * (e + n)], np.cumsum([e, e, n]))
        return Moved(parts[0] - parts[1], parts[2] - parts[3], float(found.x[2 * (e + n):].sum()))


@dataclass(frozen=True)
class Moved:
    """entries, lines: by how much each rises. left_kw: what is left to the networks, all together."""

    entries: Floats
    lines: Floats
    left_kw: float


def chain_of(case: Case, program: LinearProgram, layout: Layout, number: Mapping[str, int]) -> Chain | None:
    """The chain of a case, None where its balancing tie is all there is. number: network of each bus."""
    if not case.balancing_chain:
        return None
    entries = _entries(case, number)
    inner = [(row, tie) for row, tie in enumerate(case.ties) if tie.upper_bus is not None]
    ends = [(number[tie.upper_bus], number[tie.lower_bus]) for _, tie in inner if tie.upper_bus is not None]
    loops = _loops(program, layout, [tie.id for _, tie in inner])
    count = len(case.networks)
    lines = np.array([row for row, _ in inner], dtype=np.int64)
    return Chain(entries, lines, count, _program(entries, ends, loops, count))


def _entries(case: Case, number: Mapping[str, int]) -> tuple[Entry, ...]:
    """Devices in the order of the chain, a kind for all of it at one rank; last the balancing tie."""
    kinds: dict[str, tuple[Kind, type]] = {"generator": ("generator", Generator), "converter": ("converter", Converter),
                                           "store": ("store", Store)}
    found: dict[str, Entry] = {}
    for rank, name in enumerate(case.balancing_chain):
        for key, (kind, record) in kinds.items():
            group = [device for device in case.devices if isinstance(device, record)
                     and (not isinstance(device, Store) or device.carrier == "active")]
            for row, device in enumerate(group):
                fits = not isinstance(device, Converter) or device.feeds_bought_power
                if device.id not in found and fits and name in (device.id, key):
                    found[device.id] = Entry(rank, kind, row, number[device.bus])
    if case.balancing_tie is not None:
        row = next(row for row, tie in enumerate(case.ties) if tie.id == case.balancing_tie)
        found[case.balancing_tie] = Entry(len(case.balancing_chain), "tie", row, number[case.ties[row].lower_bus])
    return tuple(found.values())


def _loops(program: LinearProgram, layout: Layout, ties: Sequence[str]) -> Floats:
    """(loops, ties): the laws that flows in loops obey, where reactances share them out."""
    rows = [index[0] for name, index in program.row_index.items() if name.endswith(".network_flow")]
    columns = [int(layout.columns.index[0, layout.columns.one(tie, "exchange_kw")]) for tie in ties]
    return np.asarray(program.matrix[rows][:, columns].toarray()) if rows else np.zeros((0, len(ties)))


def _program(entries: tuple[Entry, ...], ends: Sequence[tuple[int, int]], loops: Floats, count: int) -> LinearProgram:
    """Columns: entries up and down, ties up and down; per network lack and spare taken flexibly, by shedding or dumping, or by nothing."""
    e, n = len(entries), len(ends)
    feeds = np.zeros((count, e))
    for column, entry in enumerate(entries):
        feeds[entry.network, column] = 1.0
    carries = np.zeros((count, n))
    for column, (upper, lower) in enumerate(ends):
        carries[upper, column], carries[lower, column] = -1.0, 1.0
    own, none = np.eye(count), np.zeros((len(loops), count))
    balance = np.hstack([feeds, -feeds, carries, -carries, *[own, -own] * 3])
    cycles = np.hstack([np.zeros((len(loops), 2 * e)), loops, -loops, *[none] * 6])
    bounded = 2 * e + 2 * n + 4 * count
    rooms = np.hstack([np.eye(bounded), np.zeros((bounded, 2 * count))])
    matrix = sp.csr_array(np.vstack([rooms, balance, cycles]))
    by_input = sp.csr_array(np.vstack([
        np.hstack([-np.eye(bounded), np.zeros((bounded, count))]), np.hstack([np.zeros((count, bounded)), own]),
        np.zeros((len(loops), bounded + count)),
    ]))
    ranks = [_STEP**entry.rank for entry in entries]
    last = _STEP ** (1 + max((entry.rank for entry in entries), default=0))
    own_cost = np.repeat(last * _STEP ** np.arange(3), 2 * count)
    cost = np.concatenate([ranks, ranks, np.full(2 * n, _CARRY), own_cost])
    return _plain(cost, matrix, by_input, free=bounded)


def _plain(cost: Floats, matrix: sp.csr_array, by_input: sp.csr_array, *, free: int) -> LinearProgram:
    """min c'x: the first `free` rows at most 0, the others 0; x >= 0. Names count."""
    rows, columns = matrix.shape
    inputs = by_input.shape[1]
    return LinearProgram(
        cost=cost, cost_by_input=sp.csr_array((columns, inputs)), offset=0.0, offset_by_input=np.zeros(inputs), matrix=matrix,
        matrix_by_input=by_input, row_lower=np.where(np.arange(rows) < free, -np.inf, 0.0), row_upper=np.zeros(rows),
        col_lower=np.zeros(columns), col_upper=np.full(columns, np.inf), integer=np.zeros(columns, dtype=bool),
        row_names=tuple(f"chain.row[{i}]" for i in range(rows)), column_names=tuple(f"chain.moved_kw[{i}]" for i in range(columns)),
        input_names=tuple(f"chain.room_kw[{i}]" for i in range(inputs)), column_term=np.full(columns, -1, dtype=np.int16), terms=(),
        readout=sp.csr_array((0, columns)), readout_by_input=sp.csr_array((0, inputs)), readout_offset=np.zeros(0), readout_names=(),
        inputs={}, positions=1, step_h=1.0, rolling=False,
    )
