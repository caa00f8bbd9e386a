"""What goes into a schedule and what is said about it: forecasts, scenarios, scores, prices, states, commitments, figures."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from pipeline.cases.case import Case
from pipeline.core.clock import DeliveryDay
from pipeline.core.errors import Mistake
from pipeline.validate.balances import rows_of_stage
from pipeline.validate.context import Context, wide
from pipeline.validate.findings import CHECKS
from pipeline.validate.frame import Floats, first, instants, numbers, place, texts
from pipeline.validate.identity import bad_rows

QUANTILES = ("q05", "q10", "q25", "q50", "q75", "q90", "q95")
ORDER = 1e-9
WEIGHTS = 1e-9
ROUNDING = 1e-9  # of a value


def check_forecasts(case: Case, table: pa.Table, day: DeliveryDay) -> list[Mistake]:
    """Quantiles ascend, values inside the series' bounds, leads count from the issue time."""
    if not table.num_rows:
        return []
    mistakes: list[Mistake] = []
    quantile = np.array([numbers(table, name) for name in QUANTILES])
    for below, above in zip(range(len(QUANTILES) - 1), range(1, len(QUANTILES)), strict=True):
        bad = quantile[below] > quantile[above] + ORDER * (1 + np.abs(quantile[above]))
        mistakes += bad_rows(
            "forecasts",
            table,
            bad,
            QUANTILES[above],
            lambda row, b=below, a=above: (  # type: ignore[misc]
                f"{quantile[a][row]:.6g} is below {QUANTILES[b]} = {quantile[b][row]:.6g}"
            ),
        )
    partly = np.isnan(quantile).any(axis=0) & ~np.isnan(quantile).all(axis=0)
    mistakes += bad_rows("forecasts", table, partly, "q50", lambda row: "some quantiles are there and some are not")
    for column in ("mean", *QUANTILES):
        mistakes += _outside("forecasts", table, column, case)
    return mistakes + _issues(table) + _models(table) + _whole_day(table, day)


def _ranges(case: Case, names: list[str]) -> tuple[Floats, Floats]:
    """Lowest and highest value (n,) of each series by the case. What the case does not know is another gate's matter."""
    found = [case.series_by_id[name].bounds if name in case.series_by_id else (-np.inf, np.inf) for name in names]
    low, high = np.array(found).reshape(-1, 2).T
    return low, high


def _outside(table: str, rows: pa.Table, column: str, case: Case) -> list[Mistake]:
    """Rows of `column` beyond the bounds of their series, by more than adding numbers up may move them."""
    codes, names = texts(rows, "series")
    low, high = (bound[codes] for bound in _ranges(case, names))
    value = numbers(rows, column)
    hair = ROUNDING * np.maximum(1.0, np.abs(value))
    bad = (value < low - hair) | (value > high + hair)
    return bad_rows(table, rows, bad, column, lambda row: f"{value[row]:.6g} is outside [{low[row]:.6g}, {high[row]:.6g}]")


def _issues(table: pa.Table) -> list[Mistake]:
    """Issued before the interval starts; within one issue the lead grows by one a step; day-ahead has one issue time.

    What a day-ahead schedule that is made late says of intervals that had begun has lead 0.
    """
    issued, starts, lead = instants(table, "issued_at"), instants(table, "valid_from"), numbers(table, "lead")
    ahead = rows_of_stage(table, "day_ahead")
    begun = ahead & (lead == 0)
    mistakes = bad_rows(
        "forecasts",
        table,
        (issued > starts) & ~begun,
        "issued_at",
        lambda row: f"is issued {int(issued[row] - starts[row])} s after its interval starts",
    )
    mistakes += bad_rows(
        "forecasts", table, (lead == 0) & ((issued <= starts) | ~ahead), "lead", lambda row: "lead 0, and its interval had not begun"
    )
    offset = numbers(table, "lead") - numbers(table, "step")
    series, stage = texts(table, "series")[0], texts(table, "stage")[0]
    _, group = np.unique(np.column_stack([series, stage, issued]), axis=0, return_inverse=True)
    counted, group = ~begun, group.reshape(-1)
    bad = np.zeros(len(offset), dtype=bool)
    if counted.any():
        _, group = np.unique(group[counted], return_inverse=True)
        bad[counted] = offset[counted] != _group_median(offset[counted], group)[group]
    mistakes += bad_rows(
        "forecasts",
        table,
        bad,
        "lead",
        lambda row: f"lead {int(lead[row])} does not follow the issue time of its neighbours",
    )
    if ahead.any():
        usual = int(np.median(issued[ahead]))
        mistakes += bad_rows(
            "forecasts",
            table,
            ahead & (issued != usual),
            "issued_at",
            lambda row: "differs from the issue time of the other day-ahead forecasts",
        )
    return mistakes


def _whole_day(table: pa.Table, day: DeliveryDay) -> list[Mistake]:
    """A day-ahead forecast of a series covers every quarter-hour of the day."""
    mistakes: list[Mistake] = []
    for (stage, series), row in wide(table, ("stage", "series"), "mean").items():
        if stage == "day_ahead":
            there = np.isfinite(np.pad(row, (0, max(0, day.steps() - len(row))), constant_values=np.nan))
            mistakes += first(
                Mistake(place("forecasts", stage=stage, series=series, step=int(t) + 1), "row is missing") for t in np.flatnonzero(~there)
            )
    return mistakes


def _group_median(offset: Floats, group: np.ndarray[tuple[int], np.dtype[np.int64]]) -> Floats:
    order = np.lexsort((offset, group))
    edges = np.searchsorted(group[order], np.arange(group.max() + 2))
    return np.asarray(offset[order][(edges[:-1] + edges[1:] - 1) // 2])


def _models(table: pa.Table) -> list[Mistake]:
    """One rung per series and stage of one issue; the rungs are known."""
    known = {"arima", "arima_statespace", "ar3_burg", "profile", "table", "known", "given"}
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
    mistakes += bad_rows(
        "scenarios",
        table,
        weight != own[codes],
        "weight",
        lambda row: f"{weight[row]:.9g}, the scenario's other rows say {own[codes[row]]:.9g}",
    )
    mistakes += bad_rows("scenarios", table, weight <= 0, "weight", lambda row: "is not positive")
    mistakes += bad_rows(
        "scenarios", table, ~np.array([name.isdigit() for name in names], dtype=bool)[codes], "scenario", lambda row: "is no number"
    )
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
            mistakes += first(Mistake(place("scenarios", scenario=name, series=wanted, step=int(t) + 1), "row is missing") for t in missing)
    return mistakes + _outside("scenarios", table, "value", case)


def check_distances(table: pa.Table, scenarios: pa.Table | None) -> list[Mistake]:
    """Between the representatives, each with each: symmetric, zero to itself, not negative."""
    if not table.num_rows:
        return []
    value = numbers(table, "distance_share")
    ends = list(zip(table["from_scenario"].to_pylist(), table["to_scenario"].to_pylist(), strict=True))
    known = dict(zip(ends, value.tolist(), strict=True))
    back = np.array([known.get((other, one), np.nan) for one, other in ends])
    itself = np.array([one == other for one, other in ends])
    name, column = "scenario_distances", "distance_share"
    mistakes = bad_rows(name, table, itself & (value != 0), column, lambda row: f"{value[row]:.6g} from a scenario to itself is not zero")
    mistakes += bad_rows(name, table, ~(value >= 0), column, lambda row: f"{value[row]:.6g} is no distance")
    mistakes += bad_rows(name, table, ~itself & ~(value == back), column, lambda row: f"{value[row]:.6g}, and {back[row]:.6g} back")
    names = {one for one, _ in ends} if scenarios is None else set(texts(scenarios, "scenario")[1])
    strange = np.array([not {one, other} <= names for one, other in ends])
    mistakes += bad_rows(name, table, strange, "from_scenario", lambda row: f"from {ends[row][0]} to {ends[row][1]}: no such scenario")
    missing = [(one, other) for one in sorted(names) for other in sorted(names) if (one, other) not in known]
    return mistakes + first(Mistake(place(name, from_scenario=one, to_scenario=other), "row is missing") for one, other in missing)


def check_departures(table: pa.Table, scenarios: pa.Table | None) -> list[Mistake]:
    """Vehicles leave early in scenarios that there are. Who may, and how many, is held where the vehicles themselves are published."""
    if scenarios is None or not table.num_rows:
        return []
    known, (codes, names) = set(texts(scenarios, "scenario")[1]), texts(table, "scenario")
    strange = np.array([name not in known for name in names], dtype=bool)[codes]
    return bad_rows("scenario_departures", table, strange, "scenario", lambda row: f"'{names[codes[row]]}' is no scenario")


def check_scores(forecast_scores: pa.Table | None, quality: pa.Table | None, context: Context) -> list[Mistake]:
    """Errors are not negative, coverages and ratios are shares, weights are weights."""
    mistakes: list[Mistake] = []
    if forecast_scores is not None and forecast_scores.num_rows:
        value = numbers(forecast_scores, "value")
        codes, names = texts(forecast_scores, "score")
        positive = np.array(
            [name.startswith(("rmse", "mae", "mase", "rmae", "crps", "coverage", "fit_days", "flag_")) for name in names], dtype=bool
        )[codes]
        share = np.array([name.startswith(("coverage", "flag_")) for name in names], dtype=bool)[codes]
        skill = np.array([name.startswith("skill") for name in names], dtype=bool)[codes]
        bad = (positive & (value < 0)) | (share & (value > 1)) | (skill & (value > 1))
        mistakes += bad_rows(
            "forecast_scores", forecast_scores, bad, "value", lambda row: f"{value[row]:.6g} is no value of {names[codes[row]]}"
        )
    if quality is not None and quality.num_rows:
        value = numbers(quality, "value")
        codes, names = texts(quality, "measure")
        never = np.array([name.startswith(("w1", "dead", "smallest", "weight", "distinct")) for name in names], dtype=bool)[codes]
        mistakes += bad_rows("scenario_quality", quality, never & (value < 0), "value", lambda row: f"{value[row]:.6g} is negative")
    return mistakes


def check_findings(table: pa.Table) -> list[Mistake]:
    """A finding is one of the checks that docs/gates.md explains."""
    if not table.num_rows:
        return []
    codes, names = texts(table, "check")
    bad = np.array([name not in CHECKS for name in names], dtype=bool)[codes]
    return bad_rows("findings", table, bad, "check", lambda row: f"'{names[codes[row]]}' is no check that is known")
