"""A made evaluation study: three treatments, one of them swept, over two days, with rounds of bounds."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from pipeline.tables.studies import STUDY_TABLES

DAYS = ("2016-03-26", "2016-03-27")
CELLS = (
    ("plain", None, None, 0.0), ("mean", None, None, -2.0), ("guarded", "radius_share", 0.0, -2.0), ("guarded", "radius_share", 0.1, 3.0),
)
ORDER = ("plain", "mean", "guarded radius_share=0", "guarded radius_share=0.1")


def made_study(count: int = 12, warning: str | None = None, lost: str | None = None) -> dict[str, pa.Table]:
    """evaluation, summary, bounds, timings, warnings.

    `warning`: said once while planning with guarded radius_share=0.1, if any. `lost`: a treatment without the second day.
    """
    rng = np.random.default_rng(3)
    base = 1000 + 40 * rng.standard_normal((2, count))
    days_of = {treatment: DAYS if treatment != lost else DAYS[:1] for treatment, *_ in CELLS}
    rows: dict[str, list[dict[str, object]]] = {name: [] for name in STUDY_TABLES}
    quiet = {"penalty_cost": 0.0, "shed_kwh": 0.0, "unserved_kwh": 0.0, "other_slack_kwh": 0.0, "currency": "USD"}
    for treatment, parameter, value, shift in CELLS:
        head = {"treatment": treatment, "parameter": parameter, "parameter_value": value}
        cost = base + 20 + shift + rng.random((2, count))
        for d, day in enumerate(days_of[treatment]):
            rows["timings"].append({**head, "delivery_date": day, "way": "simplex", "cpu_s": 0.5 + d, "wall_s": 0.6 + d})
            rows["evaluation"] += [
                {**head, **quiet, "delivery_date": day, "against": "held_out", "scenario": str(s + 1), "cost": cost[d, s],
                 "perfect_cost": base[d, s]} for s in range(count)]
            if treatment == "guarded":
                rounds = ((1, None, 1100.0), (2, 1000.0, 1030.0), (3, 1020.0, 1021.0))
                rows["bounds"] += [
                    {**head, "delivery_date": day, "iteration": at, "lower": low, "upper": high, "currency": "USD",
                     "gap_share": None if low is None else (high - low) / low} for at, low, high in rounds]
        mean = float(cost.mean())
        rows["summary"].append({
            **head, **quiet, "against": "held_out", "day_count": len(days_of[treatment]), "scenario_count": count, "confidence_share": 0.95,
            "mean_cost": mean,
            "mean_low_cost": mean - 9, "mean_high_cost": mean + 9, "difference_cost": shift, "difference_low_cost": shift - 1,
            "difference_high_cost": shift + 1, "q95_cost": float(np.quantile(cost, 0.95)), "q95_low_cost": None, "q95_high_cost": None,
            "worst_cost": float(cost.max()), "perfect_cost": float(base.mean()), "starts_stops_count": 2.0, "commitment_changes_count": 0.0,
            "planned_cost": mean - 5,
            "objective_cost": mean - 5, "gap_share": 0.001 if treatment == "guarded" else None,
            "warning_count": int(value == 0.1 and warning is not None)})
        if value == 0.1 and warning is not None:
            rows["warnings"].append({**head, "delivery_date": DAYS[1], "stage": "planned", "place": "schedule", "message": warning})
    return {name: table.build({column.name: [row[column.name] for row in rows[name]] for column in table.columns})
            for name, table in STUDY_TABLES.items()}
