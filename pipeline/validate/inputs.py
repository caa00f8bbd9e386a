"""What goes into a schedule and what is said about it: forecasts, scenarios, scores, prices, states, commitments, figures."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from pipeline.cases.case import Case
from pipeline.core.clock import DeliveryDay
from pipeline.core.errors import Mistake
from pipeline.validate.balances import rows_of_stage
from pipeline.validate.context import Context, Grid, wide
from pipeline.validate.frame import Floats, Frame, first, instants, numbers, place, texts
from pipeline.validate.identity import bad_rows

QUANTILES = ("q05", "q10", "q25", "q50", "q75", "q90", "q95")
ORDER = 1e-9
WEIGHTS = 1e-9


def check_forecasts(case: Case, table: pa.Table, day: DeliveryDay) -> list[Mistake]:
    """Quantiles ascend, values inside the series' range and capacity, leads count from the issue time."""
    if not table.num_rows:
        return []
    mistakes: list[Mistake] = []
    series, names = texts(table, "series")
    quantile = np.array([numbers(table, name) for name in QUANTILES])
    for below, above in zip(range(len(QUANTILES) - 1), range(1, len(QUANTILES)), strict=True):
        bad = quantile[below] > quantile[above] + ORDER * (1 + np.abs(quantile[above]))
        mistakes += bad_rows("forecasts", table, bad, QUANTILES[above], lambda row, b=below, a=above:  # type: ignore[misc]
                             f"{quantile[a][row]:.6g} is below {QUANTILES[b]} = {quantile[b][row]:.6g}")
    partly = np.isnan(quantile).any(axis=0) & ~np.isnan(quantile).all(axis=0)
    mistakes += bad_rows("forecasts", table, partly, "q50", lambda row: "some quantiles are there and some are not")
    low, high = _ranges(case, names)
    for column in ("mean", *QUANTILES):
        value = numbers(table, column)
        bad = (value < low[series] - 1e-9) | (value > high[series] + 1e-6)
        mistakes += bad_rows("forecasts", table, bad, column, lambda row, v=value:  # type: ignore[misc]
                             f"{v[row]:.6g} is outside [{low[series[row]]:.6g}, {high[series[row]]:.6g}]")
    return mistakes + _issues(table) + _models(table)


def _ranges(case: Case, names: list[str]) -> tuple[Floats, Floats]:
    low, high = [], []
    for name in names:
        series = case.series_by_id.get(name)
        bounded = series is not None and series.kind in ("pv", "wind", "load", "heat")
        low.append(0.0 if bounded else -np.inf)
        high.append(series.capacity_kw * 1.000001 if series is not None and series.capacity_kw and series.kind in ("pv", "wind") else np.inf)
    return np.array(low), np.array(high)


def _issues(table: pa.Table) -> list[Mistake]:
    """Issued before the interval starts; within one issue the lead grows by one a step; day-ahead has one issue time."""
    issued, starts = instants(table, "issued_at"), instants(table, "valid_from")
    mistakes = bad_rows("forecasts", table, issued > starts, "issued_at", lambda row: f"is issued {int(issued[row] - starts[row])} s after its interval starts")
    offset = numbers(table, "lead") - numbers(table, "step")
    series, names = texts(table, "series")
    stage, stages = texts(table, "stage")
    _, group = np.unique(np.column_stack([series, stage, issued]), axis=0, return_inverse=True)
    middle = np.array([np.median(offset[group == g]) for g in range(group.max() + 1)]) if group.max() < 4000 else _group_median(offset, group)
    bad = offset != middle[group]
    mistakes += bad_rows("forecasts", table, bad, "lead", lambda row: f"lead {int(numbers(table, 'lead')[row])} does not follow the issue time of its neighbours")
    ahead = rows_of_stage(table, "day_ahead")
    if ahead.any():
        usual = int(np.median(issued[ahead]))
        mistakes += bad_rows("forecasts", table, ahead & (issued != usual), "issued_at", lambda row: "differs from the issue time of the other day-ahead forecasts")
    return mistakes


def _group_median(offset: Floats, group: np.ndarray[tuple[int], np.dtype[np.int64]]) -> Floats:
    order = np.lexsort((offset, group))
    edges = np.searchsorted(group[order], np.arange(group.max() + 2))
    return offset[order][(edges[:-1] + edges[1:] - 1) // 2]


def _models(table: pa.Table) -> list[Mistake]:
    """One rung per series and stage of one issue; the rungs are known."""
    known = {"arima", "arima_statespace", "ar3_burg", "profile", "table"}
    codes, names = texts(table, "model")
    bad = np.array([name.partition("+")[0] not in known for name in names], dtype=bool)[codes]
    return bad_rows("forecasts", table, bad, "model", lambda row: f"'{names[codes[row]]}' is no rung of the ladder")


def check_scenarios(case: Case, table: pa.Table, grid_count: tuple[int, ...]) -> list[Mistake]:
    """Weights sum to one, none is zero, every scenario holds every series and step, and one weight."""
    if not table.num_rows:
        return []
    mistakes: list[Mistake] = []
    codes, names = texts(table, "scenario")
    weight = numbers(table, "weight")
    own = np.array([np.median(weight[codes == code]) for code in range(len(names))])
    mistakes += bad_rows("scenarios", table, weight != own[codes], "weight", lambda row: f"{weight[row]:.9g}, the scenario's other rows say {own[codes[row]]:.9g}")
    mistakes += bad_rows("scenarios", table, weight <= 0, "weight", lambda row: "is not positive")
    mistakes += bad_rows("scenarios", table, ~np.array([name.isdigit() for name in names], dtype=bool)[codes], "scenario", lambda row: "is no number")
    if abs(own.sum() - 1) > WEIGHTS:
        mistakes.append(Mistake(place("scenarios", "weight"), f"the weights sum to {own.sum():.12g}, not to 1"))
    cells = wide(table, ("scenario", "series"), "value")
    count = max(len(row) for row in cells.values())
    if count not in grid_count:
        mistakes.append(Mistake(place("scenarios", "step"), f"has {count} steps, the day has {' or '.join(map(str, grid_count))}"))
    series = sorted({key[1] for key in cells})
    for name in names:
        for wanted in series:
            row = cells.get((name, wanted))
            missing = np.arange(count) if row is None else np.flatnonzero(np.isnan(row))
            mistakes += first((Mistake(place("scenarios", scenario=name, series=wanted, step=int(t) + 1), "row is missing") for t in missing))
    label, names_series = texts(table, "series")
    low, high = _ranges(case, names_series)
    value = numbers(table, "value")
    bad = (value < low[label] - 1e-9) | (value > high[label] + 1e-6)
    return mistakes + bad_rows("scenarios", table, bad, "value", lambda row: f"{value[row]:.6g} is outside [{low[label[row]]:.6g}, {high[label[row]]:.6g}]")


def check_states(case: Case, table: pa.Table, long: Frame, *, stage: str) -> list[Mistake]:
    """The state handed on is the energy at the end of the interval, as the long table shows it."""
    scenario = "expected" if stage == "day_ahead" else "settled"
    if not table.num_rows or scenario not in long.scenarios:
        return []
    s = long.scenarios.index(scenario)
    devices = {device.id: device for device in case.devices}
    mine = rows_of_stage(table, stage)
    step = numbers(table, "step").astype(np.int64)
    at = np.clip(np.searchsorted(long.steps, step), 0, len(long.steps) - 1)
    value, wanted = numbers(table, "value"), np.full(table.num_rows, np.nan)
    device, names = texts(table, "device")
    quantity, quantities = texts(table, "quantity")
    code = device * len(quantities) + quantity
    for pair in np.unique(code[mine]):
        owner = devices.get(names[pair // len(quantities)])
        if owner is None:
            continue
        carrier = getattr(owner, "carrier", "active")
        published = quantities[pair % len(quantities)].replace("_before", "")
        row = long.get(owner.id, owner.bus, carrier, published)
        if row is None and published.startswith("power_kw"):
            row = long.get(owner.id, owner.bus, carrier, "injection")
        if row is not None:
            rows = mine & (code == pair) & np.isin(step, long.steps)
            wanted[rows] = row[s][at[rows]]
    bad = mine & np.isfinite(wanted) & (np.abs(value - wanted) > 1e-4)
    return bad_rows("states", table, bad, "value", lambda row: f"{value[row]:.6g}, {long.table} shows {wanted[row]:.6g}")


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
        mistakes += first(Mistake(place("prices", stage=stage, network=network, bus=bus, carrier=carrier, step=step), "row is missing") for step in missing)
    carriers = {network.id: set(network.carriers) for network in case.networks}
    mistakes += [Mistake(place("prices", "carrier", stage=stage, network=network, bus=bus, carrier=carrier), "is no carrier of this network")
                 for network, bus, carrier in cells if carrier not in carriers.get(network, set())]
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
        mistakes += bad_rows("commitments", table, rows & ~on & (power > 1e-4), "on", lambda row, p=power: f"is off and gives {p[row]:.6g} kW")  # type: ignore[misc]
    return mistakes


def check_offers(table: pa.Table) -> list[Mistake]:
    if not table.num_rows:
        return []
    offered, accepted = numbers(table, "offered_kw"), numbers(table, "accepted_kw")
    return bad_rows("offers", table, np.abs(accepted) > np.abs(offered) + 1e-6, "accepted_kw", lambda row: f"{accepted[row]:.6g}, offered are {offered[row]:.6g}")


def check_scores(forecast_scores: pa.Table | None, quality: pa.Table | None, context: Context) -> list[Mistake]:
    """Errors are not negative, coverages and ratios are shares, weights are weights."""
    mistakes: list[Mistake] = []
    if forecast_scores is not None and forecast_scores.num_rows:
        value = numbers(forecast_scores, "value")
        codes, names = texts(forecast_scores, "score")
        positive = np.array([name.startswith(("rmse", "mae", "mase", "rmae", "crps", "coverage", "fit_days", "flag_")) for name in names], dtype=bool)[codes]
        share = np.array([name.startswith(("coverage", "flag_")) for name in names], dtype=bool)[codes]
        skill = np.array([name.startswith("skill") for name in names], dtype=bool)[codes]
        bad = (positive & (value < 0)) | (share & (value > 1)) | (skill & (value > 1))
        mistakes += bad_rows("forecast_scores", forecast_scores, bad, "value", lambda row: f"{value[row]:.6g} is no value of {names[codes[row]]}")
    if quality is not None and quality.num_rows:
        value = numbers(quality, "value")
        codes, names = texts(quality, "measure")
        never = np.array([name.startswith(("w1", "dead", "smallest", "weight", "distinct")) for name in names], dtype=bool)[codes]
        mistakes += bad_rows("scenario_quality", quality, never & (value < 0), "value", lambda row: f"{value[row]:.6g} is negative")
    return mistakes


