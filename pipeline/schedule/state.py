"""What is handed from interval to interval. A value: nothing remembers yesterday."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from pipeline.program.linear_program import Floats


@dataclass(frozen=True)
class State:
    """Before interval `step` (1-based).

    `names`/`values`: the program's state inputs (`f01_battery.energy_before_kwh`, `f01_ev.energy_before_kwh[2]`).
    `start`: the same at the start of the delivery day, which the cycle rule of the day's end refers to.
    `lost_names`/`lost_kwh`: EV energy that was not served when its vehicles left, per cohort (`f01_ev[2]`).
    `basis_columns`, `basis_rows`: the simplex basis the next solve starts from, so that it depends on nothing else.
    """

    step: int
    names: tuple[str, ...]
    values: Floats
    start: Floats
    lost_names: tuple[str, ...]
    lost_kwh: Floats
    basis_columns: NDArray[np.int8] | None = None
    basis_rows: NDArray[np.int8] | None = None
    stored_kwh: Mapping[str, Mapping[str, float]] = field(default_factory=dict)  # fleet -> session -> energy since the day's start

    def value(self, name: str) -> float:
        return float(self.values[self.names.index(name)])

    def with_values(self, changes: Mapping[str, float]) -> State:
        """Measured states replace carried ones; an unknown name is an error."""
        values = self.values.copy()
        for name, value in changes.items():
            values[self.names.index(name)] = value
        return replace(self, values=values)

    def begun_after(self, before: State) -> State:
        """This start of a day, with the stores and units as the day before left them.

        `start` stays: the cycle rule returns to the case's own energies, not to where a bad day ended. Vehicles count anew, and what
        the day before does not know keeps its own value.
        """
        daily = {name.partition("[")[0] for name in self.lost_names}
        known = zip(before.names, before.values.tolist(), strict=True)
        return self.with_values({name: value for name, value in known if name in self.names and name.partition(".")[0] not in daily})

    def running_on(self, handed: Mapping[str, float]) -> State:
        """This start of a day, with units and ramps as the schedule of the day before leaves them; what it lacks keeps its own value."""
        return self.with_values({name: value for name, value in handed.items() if name in self.names})

    def to_arrays(self) -> dict[str, NDArray[np.generic]]:
        """Arrays for a cache or a file; `from_arrays` gives back an equal state."""
        none = np.zeros(0, dtype=np.int8)
        return {
            "step": np.array([self.step], dtype=np.int64),
            "names": np.array(self.names, dtype=np.str_),
            "values": self.values, "start": self.start,
            "lost_names": np.array(self.lost_names, dtype=np.str_), "lost_kwh": self.lost_kwh,
            "basis_columns": none if self.basis_columns is None else self.basis_columns,
            "basis_rows": none if self.basis_rows is None else self.basis_rows,
            "vehicles": np.array([(fleet, name) for fleet, mine in self.stored_kwh.items() for name in mine], dtype=np.str_).reshape(-1, 2),
            "vehicle_kwh": np.array([value for mine in self.stored_kwh.values() for value in mine.values()], dtype=float),
        }

    @staticmethod
    def from_arrays(arrays: Mapping[str, NDArray[np.generic]]) -> State:
        stored: dict[str, dict[str, float]] = {}
        if "vehicles" in arrays:  # a state of before vehicles were told apart has none, and nobody's energy outlives the day
            for (fleet, name), value in zip(arrays["vehicles"].tolist(), arrays["vehicle_kwh"].tolist(), strict=True):
                stored.setdefault(str(fleet), {})[str(name)] = float(value)
        columns, rows = arrays["basis_columns"].astype(np.int8), arrays["basis_rows"].astype(np.int8)
        return State(
            step=int(arrays["step"].astype(np.int64)[0]),
            names=tuple(str(name) for name in arrays["names"]),
            values=arrays["values"].astype(float), start=arrays["start"].astype(float),
            lost_names=tuple(str(name) for name in arrays["lost_names"]), lost_kwh=arrays["lost_kwh"].astype(float),
            basis_columns=columns if columns.size else None, basis_rows=rows if rows.size else None,
            stored_kwh=stored,
        )
