"""What is said of a treatment's decision: bounds that enclose its cost, laws that are laws, rules that can be followed."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from pipeline.cases.case import Case
from pipeline.cases.settings import Affine
from pipeline.core.errors import Mistake
from pipeline.validate.frame import first, numbers, place, texts
from pipeline.validate.identity import bad_rows

BOUND_SHARE = 1e-6  # of the bound: what a solver's tolerance may leave between two of them
GAP = 1e-9
WEIGHTS = 1e-9


def check_bounds(table: pa.Table) -> list[Mistake]:
    """Rounds count from 1; lower <= upper; the lower bound never falls, the upper never rises; the gap is that of the two."""
    if not table.num_rows:
        return []
    iteration, lower, upper, gap = (numbers(table, name) for name in ("iteration", "lower", "upper", "gap_share"))
    order = np.argsort(iteration, kind="stable")
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(1, len(order) + 1)
    mistakes = bad_rows("bounds", table, iteration != rank, "iteration", lambda row: f"is number {int(rank[row])} of the rounds")
    low, high = np.where(np.isfinite(lower), lower, -np.inf), np.where(np.isfinite(upper), upper, np.inf)
    slack = BOUND_SHARE * np.maximum(1.0, np.abs(np.where(np.isfinite(lower), lower, 0.0)))
    mistakes += bad_rows("bounds", table, low > high + slack, "lower", lambda row: f"{low[row]:.9g} is above upper = {high[row]:.9g}")
    best_low, best_high = _before(low, order, np.maximum, -np.inf), _before(high, order, np.minimum, np.inf)
    mistakes += bad_rows("bounds", table, low < best_low, "lower",
                         lambda row: f"{low[row]:.9g} falls: {best_low[row]:.9g} was proven before")
    mistakes += bad_rows("bounds", table, high > best_high, "upper",
                         lambda row: f"{high[row]:.9g} rises: {best_high[row]:.9g} was found before")
    both = np.isfinite(lower) & np.isfinite(upper)
    wanted = np.full(len(gap), np.nan)
    wanted[both] = np.maximum(0.0, upper[both] - lower[both]) / np.maximum(np.abs(lower[both]), 1e-9)
    off = np.where(both, ~(np.abs(gap - wanted) <= GAP * np.maximum(1.0, np.abs(wanted))), np.isfinite(gap))
    return mistakes + bad_rows("bounds", table, off, "gap_share", lambda row: f"{gap[row]:.9g}, the bounds give {wanted[row]:.9g}")


def _before(values: np.ndarray, order: np.ndarray, best: np.ufunc, none: float) -> np.ndarray:
    """The best value of all earlier rounds, in the table's order of rows."""
    found = np.empty(len(values))
    found[order] = np.concatenate([[none], best.accumulate(values[order])[:-1]])
    return found


def check_distribution(table: pa.Table, scenarios: pa.Table | None) -> list[Mistake]:
    """The weights of each law sum to one; all laws weigh the same scenarios of the run."""
    if not table.num_rows:
        return []
    weight, iteration = numbers(table, "weight"), numbers(table, "iteration")
    codes, names = texts(table, "scenario")
    known = set(names) if scenarios is None or not scenarios.num_rows else set(texts(scenarios, "scenario")[1])
    mistakes = bad_rows("distribution", table, np.array([name not in known for name in names], dtype=bool)[codes], "scenario",
                        lambda row: f"scenario '{names[codes[row]]}' is not one of the run's")
    for one in np.unique(iteration):
        mine = iteration == one
        missing = sorted((set(names) & known) - {names[code] for code in codes[mine]}, key=lambda name: (len(name), name))
        mistakes += first(Mistake(place("distribution", iteration=int(one), scenario=name), "row is missing") for name in missing)
        total = float(weight[mine].sum())
        if abs(total - 1.0) > WEIGHTS:
            mistakes += bad_rows("distribution", table, mine, "weight",
                                 lambda row, t=total: f"{weight[row]:.9g}, and the law's weights sum to {t:.12g}")  # type: ignore[misc]
    return mistakes


def check_rules(case: Case, table: pa.Table) -> list[Mistake]:
    """A rule is of a device or tie of the case, follows one of its series, and looks at nothing that has not come."""
    if not table.num_rows:
        return []
    devices, series = texts(table, "device"), texts(table, "deviation")
    known = {device.id for device in case.devices} | {tie.id for tie in case.ties}
    watched = {one.id for one in case.series}
    strange = np.array([name not in known for name in devices[1]], dtype=bool)[devices[0]]
    unseen = np.array([name.rstrip("+-") not in watched for name in series[1]], dtype=bool)[series[0]]
    lag = numbers(table, "lag_count")
    memory = case.settings.method.memory_steps if isinstance(case.settings.method, Affine) else 0
    return [
        *bad_rows("affine_rule", table, strange, "device", lambda row: f"'{devices[1][devices[0][row]]}' is no device or tie of the case"),
        *bad_rows("affine_rule", table, unseen, "deviation", lambda row: f"'{series[1][series[0][row]]}' is no series of the case"),
        *bad_rows("affine_rule", table, (lag < 0) | (lag > memory), "lag_count",
                  lambda row: f"{int(lag[row])} steps back, and the rule looks 0 to {memory} back"),
        *bad_rows("affine_rule", table, ~np.isfinite(numbers(table, "value")), "value", lambda row: "no finite number"),
    ]
