"""Run settings: choices are typed records, not flags."""

from __future__ import annotations

from datetime import time
from typing import Annotated, Literal

from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt, ValidationInfo, field_validator, model_validator

from pipeline.equipment import Record
from pipeline.equipment.base import NonNegativePrice


class Setting(Record):
    """A record of settings: true and false are no numbers here, though Python counts with them."""

    @model_validator(mode="before")
    @classmethod
    def _no_truth_for_a_number(cls, given: object) -> object:
        for name, value in given.items() if isinstance(given, dict) else ():
            if isinstance(value, bool) and name in cls.model_fields and cls.model_fields[name].annotation is not bool:
                raise ValueError(f"{name}: {str(value).lower()} is neither a number nor a word of this setting")
        return given


class Deterministic(Setting):
    """One scenario: the forecast itself."""

    kind: Literal["deterministic"] = "deterministic"


class Sampled(Setting):
    """What every treatment over weighted representatives shares: how many are drawn, kept, and what stands for a cluster.

    `worst_member`: the member with the largest recourse cost at the forecast's own decision. `adverse_envelope`: largest load and
    least renewable power of the members, component by component. `pre_reduction_count`: draws kept by probability distance first.
    `gap_share`: proven gap at which a search by rounds (decomposition, column-and-constraint generation) ends.
    """

    draw_count: PositiveInt = 1000
    representative_count: PositiveInt = 7
    reducer: Literal["som", "k_medoids", "fast_forward", "backward", "two_step", "random"] = "som"
    representative: Literal["medoid", "worst_member", "adverse_envelope", "mean"] = "medoid"
    pre_reduction_count: PositiveInt | None = None
    gap_share: PositiveFloat = 1e-3


class Stochastic(Sampled):
    """Two-stage over weighted representatives."""

    kind: Literal["stochastic"] = "stochastic"


class Cvar(Sampled):
    """(1 - aversion) x mean + aversion x mean of the dearest `tail_share` (Rockafellar and Uryasev, 2000)."""

    kind: Literal["cvar"] = "cvar"
    aversion_share: float = Field(default=0.5, ge=0, le=1)
    tail_share: float = Field(default=0.1, gt=0, le=1)


class Wasserstein(Sampled):
    """Worst law over the representatives' support within a transport distance of their weights."""

    kind: Literal["wasserstein"] = "wasserstein"
    representative: Literal["medoid", "worst_member", "adverse_envelope", "mean"] = "worst_member"
    pre_reduction_count: PositiveInt | None = 100
    radius_share: float = Field(default=0.1, ge=0, le=1e9)
    radius_basis: Literal["share_of_median", "absolute"] = "share_of_median"  # of the pairwise distances; absolute: mean relative deviation
    solution: Literal["auto", "monolith", "column_and_constraint"] = "auto"


class HalfWidths(Setting):
    """How far each kind of series may lie from its forecast, as a share of it. `empirical`: 95th percentile of |residual| of the draws."""

    source: Literal["constant", "empirical"] = "constant"
    load_share: float = Field(default=0.15, ge=0, le=1)
    heat_share: float = Field(default=0.0, ge=0, le=1)
    pv_share: float = Field(default=0.30, ge=0, le=1)
    wind_share: float = Field(default=0.30, ge=0, le=1)
    price_share: float = Field(default=0.0, ge=0, le=1)
    other_share: float = Field(default=0.0, ge=0, le=1)


class BoxRobust(Setting):
    """Worst corner of a box around the forecast; per series, at most `budget_share` of the intervals deviate.

    `early_departures`: vehicles may leave early besides, within their aggregator's `early_departure_budget_count`.
    """

    kind: Literal["box_robust"] = "box_robust"
    half_widths: HalfWidths = Field(default_factory=HalfWidths)
    budget_share: float = Field(default=1.0, ge=0, le=1)
    early_departures: bool = False
    gap_share: PositiveFloat = 1e-4


class Affine(Setting):
    """Decisions are affine in the deviations known by then; every row holds for every deviation inside the budget.

    `budget_share` x the number of deviations of a scope is what may be used up: per interval and entity (`slot`), or over the day
    (`horizon`). `memory_steps`: intervals back that a rule looks, 0 the same interval only. `information`: an entity sees its own
    deviations only, or all. `rule_distance_price_per_kwh`: what the re-dispatch weighs leaving the rules at, in the interval that binds:
    nobody pays it.
    """

    kind: Literal["affine"] = "affine"
    half_widths: HalfWidths = Field(default_factory=HalfWidths)
    budget_share: float = Field(default=0.25, ge=0, le=1)
    budget_scope: Literal["slot", "horizon"] = "slot"
    deviations: Literal["one_sided", "two_sided"] = "one_sided"
    memory_steps: NonNegativeInt = 0
    information: Literal["own", "all"] = "own"
    rule_distance_price_per_kwh: NonNegativePrice = 0.02
    solution: Literal["auto", "monolith", "cuts"] = "auto"  # cuts: network and microgrids coordinated by cutting planes


Method = Annotated[Deterministic | Stochastic | Cvar | Wasserstein | BoxRobust | Affine, Field(discriminator="kind")]


class BudgetedPrices(Setting):
    """On top of any treatment: at most `budget_share` of the intervals have a price `half_width_share` off, to the worse side each."""

    half_width_share: float = Field(default=0.1, ge=0, le=1)
    budget_share: float = Field(default=0.25, ge=0, le=1)


# Decided before anything uncertain is known: positions of ties, commitments, the energy a cyclic fleet starts with.
FIRST_STAGE = ("*.schedule_kw", "*.on_share", "*.start_share", "*.stop_share", "*.energy_start_kwh")


RESIDUAL_LOAD = "residual_load"  # a regressor: demand minus sources over all devices of the case


class ForecastSettings(Setting):
    """`table`: the case's slot tables are the forecast. `arima`: from history."""

    model: Literal["arima", "table"] = "arima"
    window_days: PositiveInt = 56
    price_window_days: PositiveInt = 84
    regressors: dict[str, tuple[str, ...]] = Field(default_factory=dict)  # series -> other series, forecasts of others, or residual_load
    given: dict[str, str] = Field(default_factory=dict)  # series -> forecast of others that stands in place of ours
    holiday_country: str | None = None  # ISO code for public holidays (they count as Sundays); None: the time zone's country


class Settings(Setting):
    """How a case is run. Hours and minutes are local; prices are in the case's currency per kWh."""

    method: Method = Field(default_factory=Stochastic)
    budgeted_prices: BudgetedPrices | None = None
    first_stage: tuple[str, ...] = FIRST_STAGE  # shell patterns of columns, binaries included
    held_in_real_time: tuple[str, ...] = FIRST_STAGE  # of these, what a re-dispatch takes as decided
    forecast: ForecastSettings = Field(default_factory=ForecastSettings)
    day_ahead_step_min: Literal[15, 30, 60] = 60
    day_ahead_issue_local: time = time(11)  # on the day before delivery
    real_time_window_steps: PositiveInt = 16
    real_time_lead_min: int = Field(default=0, ge=0)  # decided so long before the interval starts
    first_interval: Literal["forecast", "measured"] = "forecast"
    slack_price_per_kwh: NonNegativePrice = 10.0
    terminal_energy_price: Literal["max_price", "none"] = "max_price"  # kappa_soc on |E_end - E_ref| of a rolling window
    terminal_fixed_price_per_kwh: NonNegativePrice | None = None  # fixed, in the place of `terminal_energy_price`; null: that
    ev_laxity_share: float = Field(default=0.0, ge=0, le=1)  # of the way from latest to earliest charging, kept by vehicles yet to come
    heat_reserve_share: NonNegativeFloat = 0.25  # of an interval's heat load, kept in heat stores when re-dispatching
    exchange_reserve_share: float = Field(default=0.0, ge=0, lt=1)  # of the balancing tie's range, kept free when re-dispatching
    solver_time_limit_s: PositiveFloat = 600.0
    real_time_time_limit_s: PositiveFloat = 60.0
    mip_gap_share: NonNegativeFloat = 1e-4
    start_state: Literal["initial", "previous_day"] = "previous_day"  # of real time: the case's, or where yesterday's dispatch ended
    stale_after_min: PositiveInt = 180  # newest observation older than this at issue time: finding

    @field_validator("method", "budgeted_prices", mode="before")
    @classmethod
    def _a_record(cls, value: object, info: ValidationInfo) -> object:
        written = "{kind: %s}" if info.field_name == "method" else "{budget_share: %s}"
        if isinstance(value, str | int | float) and not isinstance(value, bool):
            raise ValueError(f"write it as {written % value}")
        return value
