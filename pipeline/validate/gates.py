"""The entry points: a stage's tables before they are published, and what is published against what was written."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from pipeline.cases.case import Case
from pipeline.core.clock import DeliveryDay
from pipeline.core.errors import Mistake
from pipeline.validate.ac import ac_check
from pipeline.validate.balances import check_complete, check_feeders, check_network_sums
from pipeline.validate.check import Check
from pipeline.validate.context import Context, grid_of, scenario_values
from pipeline.validate.contract_gate import check_contracts
from pipeline.validate.devices import check_devices
from pipeline.validate.findings import Finding
from pipeline.validate.frame import Floats, frame
from pipeline.validate.identity import check_identity
from pipeline.validate.inputs import check_forecasts, check_scenarios, check_scores
from pipeline.validate.money import check_costs, check_settlement
from pipeline.validate.results import check_commitments, check_offers, check_prices, check_states
from pipeline.validate.ties import check_ties

LONG = {"day_ahead": "schedule", "real_time": "dispatch"}


def check_stage(
    case: Case, tables: Mapping[str, pa.Table], *, day: DeliveryDay, product: str, context: Context | None = None, contracts: bool = True
) -> tuple[list[Mistake], list[Finding]]:
    """Integrity gates over the tables of one product, at whatever stage they are complete: what is not there is not checked.

    Contracts first: rows that break their declaration are not computed with. `contracts=False` leaves Great Expectations out,
    where the same tables passed it a moment ago.
    """
    context = context or Context()
    mistakes = check_contracts(tables) if contracts else []
    if mistakes:
        return mistakes, []
    mistakes = check_identity(case, tables, day, context)
    if mistakes:
        return mistakes, []
    mistakes = _inputs(case, tables, day, context)
    findings: list[Finding] = []
    name = LONG[product]
    if name in tables:
        more, findings = _operation(case, tables, day=day, stage=product, context=context)
        mistakes += more
    return mistakes, findings


def _inputs(case: Case, tables: Mapping[str, pa.Table], day: DeliveryDay, context: Context) -> list[Mistake]:
    mistakes = check_forecasts(case, tables["forecasts"], day) if "forecasts" in tables else []
    if "scenarios" in tables:
        mistakes += check_scenarios(case, tables["scenarios"], (day.steps(15), day.steps(case.settings.day_ahead_step_min)))
    mistakes += check_offers(tables["offers"]) if "offers" in tables else []
    return mistakes + check_scores(tables.get("forecast_scores"), tables.get("scenario_quality"), context)


def _operation(
    case: Case, tables: Mapping[str, pa.Table], *, day: DeliveryDay, stage: str, context: Context
) -> tuple[list[Mistake], list[Finding]]:
    name = LONG[stage]
    if not tables[name].num_rows:
        return [Mistake(f"table {name}", "has no row")], []
    long, grid = frame(name, tables[name]), grid_of(case, day, stage)
    published, weights = scenario_values(tables)
    values: dict[str, Mapping[str, Floats]] = {**(published if stage == "day_ahead" else {}), **context.values}
    check = Check(case, long, grid, context, values, stage)
    mistakes = check_complete(case, long)
    if stage == "day_ahead" and not np.array_equal(long.steps, np.arange(1, grid.count + 1)):
        mistakes.append(Mistake(f"table {name}, column step", f"holds {len(long.steps)} steps, the day has {grid.count}"))
    if mistakes:
        return mistakes, []
    mistakes += check_network_sums(case, long) + check_ties(case, long)
    mistakes += check_feeders(case, long, tables, stage=stage) if "bus_state" in tables or "branch_state" in tables else []
    more, findings = check_devices(check)
    mistakes += more
    if not any(scenario.isdigit() for scenario in long.scenarios):
        weights = {"expected": 1.0}
    mistakes += check_costs(check, tables, weights) if "costs" in tables else []
    mistakes += check_settlement(check, tables) if stage == "real_time" else []
    mistakes += check_states(case, tables["states"], long, stage=stage) if "states" in tables else []
    mistakes += check_prices(case, tables["prices"], grid, stage=stage, steps=long.steps.astype(float)) if "prices" in tables else []
    mistakes += check_commitments(case, tables["commitments"], long, stage=stage) if "commitments" in tables else []
    return mistakes, findings


__all__ = ["Check", "Context", "ac_check", "check_stage"]
