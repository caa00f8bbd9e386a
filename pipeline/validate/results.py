"""What is said about a schedule beside its rows: states, prices, commitments, offers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa

from pipeline.cases.case import Case
from pipeline.core.errors import Mistake
from pipeline.validate.balances import rows_of_stage
from pipeline.validate.context import Grid, wide
from pipeline.validate.frame import Floats, Frame, first, numbers, place, texts
from pipeline.validate.identity import bad_rows


def check_states(case: Case, table: pa.Table, long: Frame, *, stage: str) -> list[Mistake]:
    """The state handed on is the energy at the end of the interval, as the long table shows it."""
    scenario = "expected" if stage == "day_ahead" else "settled"
    if not table.num_rows or scenario not in long.scenarios:
        return []
    s = long.scenarios.index(scenario)
    devices = {device.id: device for device in case.devices}
    lower = {tie.id: tie.lower_bus for tie in case.ties}
    mine = rows_of_stage(table, stage)
    step = numbers(table, "step").astype(np.int64)
    at = np.clip(np.searchsorted(long.steps, step), 0, len(long.steps) - 1)
    value, wanted = numbers(table, "value"), np.full(table.num_rows, np.nan)
    device, names = texts(table, "device")
    quantity, quantities = texts(table, "quantity")
    code = device * len(quantities) + quantity
    for pair in np.unique(code[mine]):
        name = names[pair // len(quantities)]
        owner = devices.get(name)
        published = quantities[pair % len(quantities)].replace("_before", "")
        if owner is None:
            row = long.get(name, lower[name], "active", "injection") if name in lower else None
            if row is not None:
                rows = mine & (code == pair) & np.isin(step, long.steps)
                wanted[rows] = row[s][at[rows]]
            continue
        carrier = getattr(owner, "carrier", "active")
        row = long.get(owner.id, owner.bus, carrier, published)
        if row is None and published.startswith("power_kw"):
            row = long.get(owner.id, owner.bus, carrier, "injection")
        if row is not None:
            rows = mine & (code == pair) & np.isin(step, long.steps)
            wanted[rows] = row[s][at[rows]]
    mistakes = _whole_states(case, table.filter(pa.array(mine)), long, stage)
    bad = mine & np.isfinite(wanted) & (np.abs(value - wanted) > 1e-4)
    return mistakes + bad_rows("states", table, bad, "value", lambda row: f"{value[row]:.6g}, {long.table} shows {wanted[row]:.6g}")


def _whole_states(case: Case, table: pa.Table, long: Frame, stage: str) -> list[Mistake]:
    """Every store and cohort hands its energy on at every step."""
    cells = wide(table, ("device", "quantity"), "value")
    mistakes: list[Mistake] = []
    for device, bus, carrier, quantity in long.values:
        if quantity.partition("[")[0] != f"energy_{ENERGY.get(carrier)}":
            continue
        row = cells.get((device, quantity), np.zeros(0))
        there = {int(t) + 1 for t in np.flatnonzero(np.isfinite(row))}
        missing = [int(step) for step in long.steps if int(step) not in there]
        found = (
            Mistake(place("states", stage=stage, device=device, quantity=quantity, step=step), f"row is missing (bus {bus})")
            for step in missing
        )
        mistakes += first(found, of=len(missing))
    return mistakes


ENERGY = {"active": "kwh", "heat": "kwhth", "hydrogen": "m3"}


def check_prices(case: Case, table: pa.Table, grid: Grid, *, stage: str, steps: Floats) -> list[Mistake]:
    """Every bus and carrier of a network with prices has one at each step."""
    mine = rows_of_stage(table, stage)
    if not mine.any():
        return []
    cells = wide(table.filter(pa.array(mine)), ("network", "bus", "carrier"), "price_per_kwh")
    mistakes: list[Mistake] = []
    wanted = {int(step) for step in steps}
    for (network, bus, carrier), row in cells.items():
        missing = sorted(wanted - {int(t) + 1 for t in np.flatnonzero(np.isfinite(row))})
        mistakes += first(
            Mistake(place("prices", stage=stage, network=network, bus=bus, carrier=carrier, step=step), "row is missing")
            for step in missing
        )
    carriers = {network.id: set(network.carriers) for network in case.networks}
    mistakes += [
        Mistake(place("prices", "carrier", stage=stage, network=network, bus=bus, carrier=carrier), "is no carrier of this network")
        for network, bus, carrier in cells
        if carrier not in carriers.get(network, set())
    ]
    return mistakes


def check_commitments(case: Case, table: pa.Table, long: Frame, *, stage: str) -> list[Mistake]:
    """A unit that is off gives nothing; one that is on gives at least its minimum."""
    if not table.num_rows:
        return []
    scenario = long.scenarios.index("expected" if stage == "day_ahead" else "settled")
    devices = {device.id: device for device in case.devices}
    mistakes: list[Mistake] = []
    on = np.asarray(table.column("on").combine_chunks().to_numpy(zero_copy_only=False), dtype=bool)
    codes, names = texts(table, "device")
    step = numbers(table, "step").astype(np.int64)
    for code, name in enumerate(names):
        owner = devices.get(name)
        injection = None if owner is None else long.values.get((name, owner.bus, "active", "injection"))
        if injection is None:
            continue
        rows = rows_of_stage(table, stage) & (codes == code) & np.isin(step, long.steps)
        power = np.abs(np.where(rows, injection[scenario][np.clip(np.searchsorted(long.steps, step), 0, len(long.steps) - 1)], 0.0))
        mistakes += bad_rows("commitments", table, rows & ~on & (power > 1e-4), "on", _giving(power))
    return mistakes


def check_offers(table: pa.Table) -> list[Mistake]:
    """No more is accepted than was offered."""
    if not table.num_rows:
        return []
    offered, accepted = numbers(table, "offered_kw"), numbers(table, "accepted_kw")
    return bad_rows(
        "offers",
        table,
        np.abs(accepted) > np.abs(offered) + 1e-6,
        "accepted_kw",
        lambda row: f"{accepted[row]:.6g}, offered are {offered[row]:.6g}",
    )


def _giving(power_kw: Floats) -> Callable[[int], str]:
    return lambda row: f"is off and gives {power_kw[row]:.6g} kW"
