"""What is expected (or what came): series, vehicle envelopes and connections, as arrays over the intervals of a window or a day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from pipeline.core.errors import InputError, Mistake
from pipeline.physics.vehicles import FleetEnvelopes, Stays, cohort_envelopes
from pipeline.program.linear_program import Floats

Envelopes = Mapping[str, FleetEnvelopes]  # by fleet; energies count from the start of the delivery day

# aggregator -> (5, T), rows in this order. `withdrawn`: fewer usable than in the interval before; `reserve`: what is
# needed after the interval by who stays, kept where a horizon ends.
CONNECTION = ("arrivals_count", "departures_count", "connected_count", "withdrawn_count", "reserve_kwh")
Connections = Mapping[str, Floats]


@dataclass(frozen=True)
class Outlook:
    """`values[s, t]`: series s in its own unit, mean over interval t."""

    series: tuple[str, ...]
    values: Floats  # (S, T)
    envelopes: Envelopes = field(default_factory=dict)
    connections: Connections = field(default_factory=dict)
    stays: Mapping[str, Stays] = field(default_factory=dict)  # of fleets whose vehicles are known one by one, on top of the envelopes

    def vehicles(self, fleet: str) -> FleetEnvelopes:
        """Envelopes of a fleet, of the vehicles known one by one too. Raises KeyError where nothing is known of it."""
        mine = self.stays.get(fleet)
        return self.envelopes[fleet] if mine is None else self.envelopes[fleet].plus(cohort_envelopes(mine))

    def all_vehicles(self) -> dict[str, FleetEnvelopes]:
        """The envelopes of every fleet, of the vehicles known one by one too."""
        return {fleet: self.vehicles(fleet) for fleet in dict.fromkeys((*self.envelopes, *self.stays))}

    @property
    def count(self) -> int:
        """Number of intervals T."""
        return int(self.values.shape[1])

    def window(self, first: int, length: int) -> Outlook:
        """Intervals first .. first+length-1 (0-based); the last one is repeated where the outlook is shorter."""
        at = np.minimum(np.arange(first, first + length), self.count - 1)
        return Outlook(self.series, self.values[:, at],
                       {fleet: parts.at(at) for fleet, parts in self.envelopes.items()},
                       {name: counts[:, at] for name, counts in self.connections.items()},
                       {fleet: stays.window(first, length) for fleet, stays in self.stays.items()})

    def with_first(self, measured: Outlook, interval: int) -> Outlook:
        """The same outlook whose first interval is what was measured (`first_interval: measured`).

        Vehicles known one by one stay those that have come.
        """
        rows = [measured.series.index(name) for name in self.series]
        values = self.values.copy()
        values[:, 0] = measured.values[rows, interval]
        envelopes = {}
        for fleet, parts in self.envelopes.items():
            envelopes[fleet] = FleetEnvelopes(*(part.copy() for part in parts))
            if fleet in self.stays:
                continue
            for copy, truth in zip(envelopes[fleet], measured.envelopes[fleet], strict=True):
                copy[:, 0] = truth[:, interval]
        connections = {name: counts.copy() for name, counts in self.connections.items()}
        for name, counts in connections.items():
            counts[:, 0] = measured.connections[name][:, interval]
        return Outlook(self.series, values, envelopes, connections, self.stays)


def coarsen(outlook: Outlook, factor: int) -> Outlook:
    """Quarter-hours -> steps of `factor` quarter-hours: means of powers and prices, energies at the end of the step.

    Raises InputError where the day is no whole number of such steps: a run of it is refused before (`stages.opening`).
    """
    if factor == 1:
        return outlook
    if outlook.count % factor:
        raise InputError(Mistake("settings.day_ahead_step_min", f"{outlook.count} quarter-hours make no whole number of steps of "
                                 f"{15 * factor} min", "give 15, or another number that divides the day"))

    def mean(rows: Floats) -> Floats:
        return np.asarray(rows.reshape(*rows.shape[:-1], outlook.count // factor, factor).mean(axis=-1))

    ends = slice(factor - 1, None, factor)
    return Outlook(outlook.series, mean(outlook.values),
                   {fleet: FleetEnvelopes(mean(power), *(energy[:, ends].copy() for energy in energies))
                    for fleet, (power, *energies) in outlook.all_vehicles().items()},
                   coarse_connections(outlook.connections, factor))


def coarse_connections(connections: Connections, factor: int) -> dict[str, Floats]:
    """Connections in steps of `factor` quarter-hours."""
    return {name: _coarse_counts(counts, factor) for name, counts in connections.items()}


def _coarse_counts(counts: Floats, factor: int) -> Floats:
    """(5, T) -> (5, T / factor): who comes and goes is added up, who is usable is so from the start of the step."""
    parts = counts.reshape(len(counts), -1, factor)
    connected = parts[2, :, 0]
    withdrawn = np.concatenate([parts[3, :1, 0], np.maximum(connected[:-1] - connected[1:], 0.0)])
    return np.stack([parts[0].sum(axis=1), parts[1].sum(axis=1), connected, withdrawn, parts[4, :, -1]])


def weighted_mean(outlooks: Sequence[Outlook], weights: Floats) -> Outlook:
    """Probability-weighted outlook."""
    values = np.tensordot(weights, np.stack([outlook.values for outlook in outlooks]), axes=1)
    envelopes = {}
    everybody = [outlook.all_vehicles() for outlook in outlooks]
    for fleet in everybody[0]:
        parts = zip(*(vehicles[fleet] for vehicles in everybody), strict=True)
        envelopes[fleet] = FleetEnvelopes(*(np.tensordot(weights, np.stack(part), axes=1) for part in parts))
    connections = {name: np.tensordot(weights, np.stack([o.connections[name] for o in outlooks]), axes=1)
                   for name in outlooks[0].connections}
    return Outlook(outlooks[0].series, values, envelopes, connections)
