"""The entry points: a stage's tables before they are published, and what is published against what was written."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import numpy as np
import pyarrow as pa

from pipeline.cases.case import Case
from pipeline.core.clock import DeliveryDay
from pipeline.core.errors import Mistake
from pipeline.store.lake import Lake
from pipeline.store.publications import Day
from pipeline.store.warehouse import Warehouse
from pipeline.validate.ac import ac_check
from pipeline.validate.balances import check_complete, check_feeders, check_network_sums, left_over, voltage_findings
from pipeline.validate.check import Check
from pipeline.validate.connections import check_connections
from pipeline.validate.context import Context, grid_of, scenario_values
from pipeline.validate.contract_gate import Checker, check_contracts
from pipeline.validate.devices import check_devices
from pipeline.validate.findings import Finding
from pipeline.validate.frame import Floats, frame, texts
from pipeline.validate.identity import check_identity
from pipeline.validate.inputs import check_departures, check_distances, check_findings, check_forecasts, check_scenarios, check_scores
from pipeline.validate.measured import check_measured, read_taken
from pipeline.validate.money import check_costs, check_settlement
from pipeline.validate.provenance import check_provenance
from pipeline.validate.results import check_commitments, check_offers, check_prices, check_states
from pipeline.validate.room import room_findings
from pipeline.validate.ties import check_ties
from pipeline.validate.treatment import check_bounds, check_distribution, check_rules
from pipeline.validate.units import check_units, read_units

LONG = {"day_ahead": "schedule", "real_time": "dispatch"}


def check_stage(
    case: Case, tables: Mapping[str, pa.Table], *, day: DeliveryDay, product: str, context: Context | None = None,
    contracts: Checker | None = "suite",
) -> tuple[list[Mistake], list[Finding]]:
    """Integrity gates over the tables of one product, at whatever stage they are complete: what is not there is not checked.

    Contracts first: rows that break their declaration are not computed with. `contracts` says who checks them, with the same verdict;
    None: the same tables passed a moment ago.
    """
    context = context or Context()
    mistakes = check_contracts(tables, by=contracts) if contracts is not None else []
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
    if "scenario_distances" in tables:
        mistakes += check_distances(tables["scenario_distances"], tables.get("scenarios"))
    if "scenario_departures" in tables:
        mistakes += check_departures(tables["scenario_departures"], tables.get("scenarios"))
    mistakes += check_bounds(tables["bounds"]) if "bounds" in tables else []
    mistakes += check_distribution(tables["distribution"], tables.get("scenarios")) if "distribution" in tables else []
    mistakes += check_rules(case, tables["affine_rule"]) if "affine_rule" in tables else []
    mistakes += check_findings(tables["findings"]) if "findings" in tables else []
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
    units, mistakes = read_units(case, tables.get("commitments"), stage=stage, steps=long.steps)
    taken = read_taken(tables.get("states"), stage=stage, steps=long.steps)
    check = Check(case, long, grid, context, values, stage, units, _excused(tables), taken)
    mistakes += check_complete(case, long)
    if stage == "day_ahead" and not np.array_equal(long.steps, np.arange(1, grid.count + 1)):
        mistakes.append(Mistake(f"table {name}, column step", f"holds {len(long.steps)} steps, the day has {grid.count}"))
    if mistakes:
        return mistakes, []
    mistakes += check_network_sums(case, long, left_over(tables.get("findings"))) + check_ties(case, long)
    mistakes += check_feeders(case, long, tables, stage=stage) if "bus_state" in tables or "branch_state" in tables else []
    more, findings = check_devices(check)
    mistakes += more + check_units(check, tables) + check_connections(check, tables.get("ev_connection"))
    findings += room_findings(check) if stage == "real_time" else []
    findings += voltage_findings(case, tables["bus_state"], stage=stage) if "bus_state" in tables else []
    if not any(scenario.isdigit() for scenario in long.scenarios):
        weights = {"expected": 1.0}
    mistakes += check_costs(check, tables, weights) if "costs" in tables else []
    mistakes += check_settlement(check, tables) if stage == "real_time" else []
    mistakes += check_states(case, tables["states"], long, stage=stage) if "states" in tables else []
    mistakes += check_measured(check) if "states" in tables else []
    mistakes += check_prices(case, tables["prices"], grid, stage=stage, steps=long.steps.astype(float)) if "prices" in tables else []
    mistakes += check_commitments(case, tables["commitments"], long, stage=stage) if "commitments" in tables else []
    return mistakes, findings


def _excused(tables: Mapping[str, pa.Table]) -> frozenset[str]:
    """What the run itself warns of: a person reads it in the findings, so it does not stop the publication."""
    table = tables.get("findings")
    return frozenset() if table is None else frozenset(texts(table, "check")[1])


def check_published(warehouse: Warehouse, lake: Lake, case: Case, delivery_date: str, *, variant: str | None = None) -> list[Mistake]:
    """Everything that is published for a day, as it lies on disk: provenance row by row, then the gates of both products.

    `variant` is the published one (`<variant>~<method>` where the method is not the variant's own); by default the case's.
    """
    day = Day(case.name, variant or case.variant, delivery_date)
    mistakes, tables, known = check_provenance(warehouse, lake, day)
    if mistakes:
        return mistakes
    delivery = case.day(date.fromisoformat(delivery_date))
    mistakes = check_contracts(tables, by="arrays")
    for product, long in LONG.items():
        if mistakes or long not in tables:
            continue
        parents = {"schedule": tables["schedule"]} if "schedule" in tables else {}
        context = Context(known_runs=known, parents=parents)
        mistakes, _ = check_stage(case, tables, day=delivery, product=product, context=context, contracts=None)
    return mistakes


__all__ = ["Context", "ac_check", "check_published", "check_stage"]
