"""Run settings: choices are typed records, not flags."""

from __future__ import annotations

from datetime import time
from typing import Annotated, Literal

from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt

from pipeline.equipment import Record
from pipeline.equipment.base import NonNegativePrice


class Deterministic(Record):
    """One scenario: the forecast itself."""

    kind: Literal["deterministic"] = "deterministic"


class Stochastic(Record):
    """Two-stage over weighted representatives."""

    kind: Literal["stochastic"] = "stochastic"
    draw_count: PositiveInt = 1000
    representative_count: PositiveInt = 7
    reducer: Literal["som", "k_medoids", "fast_forward", "backward", "two_step", "random"] = "som"


Method = Annotated[Deterministic | Stochastic, Field(discriminator="kind")]


class ForecastSettings(Record):
    """`table`: the case's slot tables are the forecast. `arima`: from history."""

    model: Literal["arima", "table"] = "arima"
    window_days: PositiveInt = 56
    price_window_days: PositiveInt = 84
    regressors: dict[str, tuple[str, ...]] = Field(default_factory=dict)  # series -> other series, or residual_load
    holiday_country: str | None = None  # ISO code for public holidays (they count as Sundays); None: the time zone's country


class Settings(Record):
    """How a case is run. Hours and minutes are local; prices are in the case's currency per kWh."""

    method: Method = Field(default_factory=Stochastic)
    forecast: ForecastSettings = Field(default_factory=ForecastSettings)
    day_ahead_step_min: Literal[15, 30, 60] = 60
    day_ahead_issue_local: time = time(11)  # on the day before delivery
    real_time_window_steps: PositiveInt = 16
    real_time_lead_min: int = Field(default=0, ge=0)  # decided so long before the interval starts
    first_interval: Literal["forecast", "measured"] = "forecast"
    slack_price_per_kwh: NonNegativePrice = 10.0
    terminal_energy_price: Literal["max_price", "none"] = "max_price"  # kappa_soc on |E_end - E_ref| of a rolling window
    ev_laxity_share: float = Field(default=0.05, ge=0, le=1)  # of the way from latest to earliest charging, kept when re-dispatching
    heat_reserve_share: NonNegativeFloat = 0.25  # of an interval's heat load, kept in heat stores when re-dispatching
    solver_time_limit_s: PositiveFloat = 600.0
    real_time_time_limit_s: PositiveFloat = 60.0
    mip_gap_share: NonNegativeFloat = 1e-4
    start_state: Literal["initial", "previous_day"] = "previous_day"  # of real time: the case's, or where yesterday's dispatch ended
    stale_after_min: PositiveInt = 180  # newest observation older than this at issue time: finding
