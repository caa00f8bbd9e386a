"""The column contracts between stages, one file per table. `TABLES` holds them all by name."""

from pipeline.tables.affine_rule import AFFINE_RULE
from pipeline.tables.bounds import BOUNDS
from pipeline.tables.branch_state import BRANCH_STATE
from pipeline.tables.bus_state import BUS_STATE
from pipeline.tables.commitments import COMMITMENTS
from pipeline.tables.contract import Column, Table
from pipeline.tables.costs import COSTS
from pipeline.tables.dispatch import DISPATCH
from pipeline.tables.distribution import DISTRIBUTION
from pipeline.tables.ev_connection import EV_CONNECTION
from pipeline.tables.findings import FINDINGS
from pipeline.tables.forecast_scores import FORECAST_SCORES
from pipeline.tables.forecasts import FORECASTS
from pipeline.tables.kpis import KPIS
from pipeline.tables.offers import OFFERS
from pipeline.tables.prices import PRICES
from pipeline.tables.scenario_departures import SCENARIO_DEPARTURES
from pipeline.tables.scenario_distances import SCENARIO_DISTANCES
from pipeline.tables.scenario_quality import SCENARIO_QUALITY
from pipeline.tables.scenarios import SCENARIOS
from pipeline.tables.schedule import SCHEDULE
from pipeline.tables.settlement import SETTLEMENT
from pipeline.tables.states import STATES

TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        FORECASTS, FORECAST_SCORES, SCENARIOS, SCENARIO_QUALITY, SCENARIO_DISTANCES, SCENARIO_DEPARTURES, BOUNDS, DISTRIBUTION, AFFINE_RULE,
        SCHEDULE,
        DISPATCH, COMMITMENTS, BUS_STATE, BRANCH_STATE, PRICES, OFFERS, SETTLEMENT, COSTS, STATES, EV_CONNECTION, KPIS,
        FINDINGS,
    )
}

__all__ = ["TABLES", "Column", "Table"]
