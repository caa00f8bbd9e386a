"""Everything about a case, a delivery day and a program that no interval changes: made once, read by every step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from pipeline.cases.case import Case
from pipeline.core.clock import QUARTER_S, DeliveryDay, Instants
from pipeline.program.linear_program import Floats, Indices, LinearProgram
from pipeline.schedule.bind import Binder
from pipeline.schedule.feeder import Feeder, feeder_of
from pipeline.schedule.layout import Layout
from pipeline.schedule.ledger import Ledger, ledger_of
from pipeline.schedule.roster import Roster
from pipeline.schedule.rostering import roster_of


@dataclass(frozen=True)
class Readouts:
    """Injections of one interval: R x + S u + s. `bus[r]`: row of the bus in the case, -1 for the market's end of a tie."""

    device: tuple[str, ...]
    quantity: tuple[str, ...]
    carrier: tuple[str, ...]
    bus: Indices
    by_column: sp.csr_array  # (R, J)
    by_input: sp.csr_array  # (R, I)
    offset: Floats

    def __call__(self, columns: Floats, inputs: Floats) -> Floats:
        """(K, J), (K, I) -> (K, R)."""
        return np.asarray((self.by_column @ columns.T + self.by_input @ inputs.T).T + self.offset)


@dataclass(frozen=True)
class Desk:
    """One program of one case."""

    case: Case
    day: DeliveryDay
    program: LinearProgram
    layout: Layout
    binder: Binder
    roster: Roster
    feeders: tuple[Feeder, ...]
    ledger: Ledger
    readouts: Readouts

    @property
    def step_s(self) -> int:
        return round(self.program.step_h * 3600)

    def starts(self) -> Instants:
        """Starts of the day's intervals at the program's own step."""
        return self.day.starts(self.step_s // 60)

    def window_starts(self, step: int) -> Instants:
        """Starts of the window's positions from `step` (1-based) on, past the end of the day too."""
        return self.day.start + QUARTER_S * np.arange(step - 1, step - 1 + self.program.positions, dtype=np.int64)


def open_desk(case: Case, day: DeliveryDay, program: LinearProgram) -> Desk:
    """Index everything once. Costs milliseconds; holds no state of the day."""
    binder = Binder(case, program)
    layout = binder.layout
    ledger = ledger_of(program, layout)
    return Desk(
        case=case, day=day, program=program, layout=layout, binder=binder,
        roster=roster_of(case, program, layout, ledger, binder.state_names, binder.units, binder.ramps),
        feeders=tuple(feeder_of(case, network) for network in case.networks if network.kind == "lindistflow"),
        ledger=ledger, readouts=_readouts(case, program, layout),
    )


def _readouts(case: Case, program: LinearProgram, layout: Layout) -> Readouts:
    number = {bus.id: i for i, bus in enumerate(case.buses)}
    home: dict[tuple[str, str], str | None] = {(device.id, "injection"): device.bus for device in case.devices}
    for tie in case.ties:
        home[(tie.id, "injection_lower")], home[(tie.id, "injection_upper")] = tie.lower_bus, tie.upper_bus
    axis = layout.readouts
    rows, columns, inputs = axis.index[0], layout.columns.index[0], layout.inputs.index[0]
    buses: Sequence[str | None] = [home[(label.device, label.quantity)] for label in axis.labels]
    return Readouts(
        device=tuple(label.device for label in axis.labels), quantity=tuple(label.quantity for label in axis.labels),
        carrier=tuple(label.part for label in axis.labels),
        bus=np.array([-1 if bus is None else number[bus] for bus in buses], dtype=np.int64),
        by_column=sp.csr_array(program.readout[rows][:, columns]), by_input=sp.csr_array(program.readout_by_input[rows][:, inputs]),
        offset=program.readout_offset[rows],
    )
