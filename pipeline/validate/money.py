"""Costs from quantities and prices, term by term; settlement rows; totals."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from pipeline.core.errors import Mistake
from pipeline.equipment import Chp, Converter, EvAggregator, EvFleet, Generator, Source, Store, Tie
from pipeline.validate.balances import rows_of_stage
from pipeline.validate.check import SUFFIX, Check
from pipeline.validate.context import wide
from pipeline.validate.converters import converter_power
from pipeline.validate.frame import Floats, numbers, place, texts
from pipeline.validate.identity import bad_rows
from pipeline.validate.penalty import penalty

MONEY_SHARE = 1e-6  # relative to the sum of the absolute parts
MONEY = 1e-5
PRICE = 1e-9


def generator_cost_per_h(device: Generator, power_kw: Floats) -> Floats:
    """a + b P + c P^2 by chords of equal width, cheapest first. Same shape as `power_kw`."""
    width = device.power_max_kw / device.segment_count
    cost = np.full(power_kw.shape, device.cost_constant_per_h)
    for i in range(device.segment_count):
        slope = device.cost_linear_per_kwh + device.cost_quadratic_per_kw2h * (2 * i + 1) * width
        cost += slope * np.clip(power_kw - i * width, 0.0, width)
    return cost


def trade_cost_per_h(tie: Tie, price: Floats, exchange_kw: Floats) -> Floats:
    """lambda P, sold at lambda - (1 - factor) |lambda|."""
    assert tie.market is not None
    return price * exchange_kw + (1 - tie.market.sell_price_factor) * np.abs(price) * np.maximum(-exchange_kw, 0.0)


def deviation_cost_per_h(tie: Tie, price: Floats, exchange_kw: Floats, schedule_kw: Floats) -> Floats:
    """kappa |P - P_DA|, and for a market the two-price imbalance on |lambda|, or a multiple of |lambda| both ways."""
    up, down = np.maximum(exchange_kw - schedule_kw, 0.0), np.maximum(schedule_kw - exchange_kw, 0.0)
    multiple = 0.0 if tie.firm_price_series is None else tie.firm_price_factor
    buy = tie.market.imbalance_buy_factor - 1 if tie.market else multiple
    sell = 1 - tie.market.imbalance_sell_factor if tie.market else multiple
    return (tie.deviation_price_per_kwh + buy * np.abs(price)) * up + (tie.deviation_price_per_kwh + sell * np.abs(price)) * down


def wheeling_cost_per_h(check: Check, tie: Tie, exchange_kw: Floats) -> Floats:
    """A share of the mean of the prices at both ends, either way."""
    assert tie.wheeling is not None
    ways = [check.long.get(tie.id, tie.lower_bus, "active", f"{way}_kw") for way in ("forward", "backward")]
    carried = np.abs(exchange_kw) if ways[0] is None or ways[1] is None else ways[0] + ways[1]
    mean = (check.series(tie.wheeling.upper_price_series) + check.series(tie.wheeling.lower_price_series)) / 2
    return tie.wheeling.price_share * mean * carried


def terms(check: Check, positions: Mapping[str, Floats]) -> dict[str, Floats]:
    """Cost of each term per scenario and step, (S, T), currency. `positions`: tie -> day-ahead position, broadcast to (S, T)."""
    case, long, dt = check.case, check.long, check.grid.step_h
    zero = np.zeros(long.shape)
    cost = {
        name: zero.copy()
        for name in (
            "energy_cost",
            "transmission_cost",
            "commitment_cost",
            "deviation_cost",
            "storage_wear_cost",
            "generator_cost",
            "cogeneration_cost",
            "conversion_cost",
            "curtailment_cost",
            "vent_cost",
            "flexibility_cost",
            "penalty_cost",
        )
    }
    for tie in case.ties:
        exchange = np.nan_to_num(long.zero_or(tie.id, tie.lower_bus, "active", "injection"))
        priced_by = tie.market.price_series if tie.market else tie.firm_price_series
        price = zero if priced_by is None else check.series(priced_by)
        if tie.market:
            cost["energy_cost"] += dt * trade_cost_per_h(tie, price, exchange)
        if tie.wheeling:
            cost["transmission_cost"] += dt * wheeling_cost_per_h(check, tie, exchange)
        position = positions.get(tie.id)
        if position is not None and has_position(tie):
            cost["deviation_cost"] += dt * deviation_cost_per_h(tie, price, exchange, np.broadcast_to(position, exchange.shape))
    for device in case.devices:
        match device:
            case Source():
                cost["curtailment_cost"] += (
                    dt * device.curtailment_cost_per_kwh * long.zero_or(device.id, device.bus, "active", "curtailed_kw")
                )
                fed_in = long.zero_or(device.id, device.bus, "active", "injection")
                cost["generator_cost"] += dt * device.feed_in_cost_per_kwh * fed_in
            case Generator():
                power = long.zero_or(device.id, device.bus, "active", "injection")
                cost["generator_cost"] += dt * generator_cost_per_h(device, power)
                unit = check.units.get(device.id)
                if unit is not None and device.commitment is not None:
                    cost["generator_cost"] -= dt * device.cost_constant_per_h * ~unit.on
                    cost["commitment_cost"] += device.commitment.start_cost * unit.start + device.commitment.stop_cost * unit.stop
            case Chp():
                power = np.abs(long.zero_or(device.id, device.bus, "active", "injection"))
                heat = long.zero_or(device.id, device.bus, "heat", "injection")
                cost["cogeneration_cost"] += dt * device.fuel_cost_per_kwh * power
                cost["vent_cost"] += dt * device.vent_cost_per_kwh * np.maximum(device.heat_to_power_factor * power - heat, 0.0)
            case Converter():
                power = converter_power(long, device)
                cost["conversion_cost"] += dt * device.cost_per_kwh * power
                vent = long.zero_or(device.id, device.bus, "heat", "vent_kwth")
                cost["vent_cost"] += dt * device.vent_cost_per_kwh * vent
            case Store():
                kw = SUFFIX[device.carrier][0]
                moved = sum(long.zero_or(device.id, device.bus, device.carrier, f"{way}_{kw}") for way in ("charge", "discharge"))
                cost["storage_wear_cost"] += dt * device.wear_cost_per_kwh * moved
            case EvAggregator():
                fed_in = long.zero_or(device.id, device.bus, "active", "discharge_kw")
                cost["storage_wear_cost"] += dt * device.discharge_cost_per_kwh * fed_in
            case EvFleet():
                cost["flexibility_cost"] += (
                    dt * device.flexibility_cost_per_kwh * -long.zero_or(device.id, device.bus, "active", "injection")
                )
    cost["penalty_cost"] = penalty(check)
    return cost


def has_position(tie: Tie) -> bool:
    """A tie has a day-ahead position where deviating from it costs something."""
    imbalance = tie.market is not None and (tie.market.imbalance_buy_factor != 1 or tie.market.imbalance_sell_factor != 1)
    return tie.scheduled and (tie.deviation_price_per_kwh > 0 or tie.firm_price_series is not None or imbalance)


def _term_rows(check: Check, made: Mapping[str, Floats], published: Mapping[str, object]) -> list[Mistake]:
    """One row per term, zero or not: a row under another name or stage would else pass for one that is not there."""
    missing = [Mistake(place("costs", stage=check.stage, term=name), "row is missing") for name in made if name not in published]
    strange = [name for name in published if name not in made and name != "total"]
    return missing + [Mistake(place("costs", "term", stage=check.stage, term=name), "is no term of cost") for name in strange]


def check_costs(check: Check, tables: Mapping[str, pa.Table], weights: Mapping[str, float]) -> list[Mistake]:
    """Every term of `costs` of the stage; `total` is their sum; day-ahead's total is the program's objective."""
    table = tables.get("costs")
    if table is None or not table.num_rows:
        return [Mistake(place("costs", stage=check.stage), "has no row")]
    codes, names = texts(table, "term")
    value, mine = numbers(table, "value"), rows_of_stage(table, check.stage)
    published = {names[codes[row]]: (int(row), float(value[row])) for row in np.flatnonzero(mine)}
    mistakes: list[Mistake] = []
    if "total" not in published:
        mistakes.append(Mistake(place("costs", stage=check.stage, term="total"), "row is missing"))
    else:
        row, total = published["total"]
        parts = [cost for name, (_, cost) in published.items() if name != "total"]
        if abs(total - sum(parts)) > _tolerance(parts):
            mistakes += bad_rows(
                "costs", table, np.arange(table.num_rows) == row, "value", lambda _: f"{total:.9g}, the terms sum to {sum(parts):.9g}"
            )
        if check.context.objective is not None and check.stage == "day_ahead":
            goal = check.context.objective
            if abs(total - goal) > check.context.objective_tolerance_share * max(1.0, *(abs(part) for part in parts)):
                mistakes.append(
                    Mistake(place("costs", "value", stage=check.stage, term="total"), f"{total:.9g}, the program's objective is {goal:.9g}")
                )
    share = np.array([weights.get(name, 0.0) for name in check.long.scenarios])
    if check.stage == "real_time":
        share = np.array([1.0 if name == "settled" else 0.0 for name in check.long.scenarios])
    if abs(share.sum() - 1) > 1e-6 or check.long.steps[0] != 1 or check.long.steps[-1] != check.grid.count:
        return mistakes
    made = terms(check, day_ahead_positions(check))
    mistakes += _term_rows(check, made, published)
    for name, per_step in made.items():
        wanted = float(share[share > 0] @ per_step[share > 0].sum(axis=1))
        size = float(share[share > 0] @ np.abs(per_step[share > 0]).sum(axis=1))
        if not np.isfinite(wanted):
            continue
        row, cost = published.get(name, (-1, 0.0))
        if abs(cost - wanted) > MONEY + MONEY_SHARE * size:
            mistakes.append(
                Mistake(place("costs", "value", stage=check.stage, term=name), f"{cost:.9g}, quantities times prices make {wanted:.9g}")
            )
    return mistakes


def _tolerance(parts: list[float]) -> float:
    return MONEY + MONEY_SHARE * sum(abs(part) for part in parts)


def day_ahead_positions(check: Check) -> dict[str, Floats]:
    """Positions per tie (T,): of this schedule, or of the parent day-ahead run spread over the quarters of its steps."""
    if check.stage == "day_ahead":
        return {
            tie.id: found[0]
            for tie in check.case.ties
            if (found := check.long.get(tie.id, tie.lower_bus, "active", "schedule_kw")) is not None
        }
    table = check.context.parents.get("schedule")
    if table is None:
        return {}
    found_rows = wide(table, ("scenario", "device", "carrier", "quantity"), "value")
    positions: dict[str, Floats] = {}
    for tie in check.case.ties:
        quantity = "schedule_kw" if tie.position == "first_stage" else "exchange_kw"
        row = found_rows.get(("expected", tie.id, "active", quantity))
        if row is not None:
            quarters, rest = divmod(check.grid.count, len(row))
            if rest == 0:
                positions[tie.id] = np.repeat(row, quarters)[check.long.steps - 1]
    return positions


def check_settlement(check: Check, tables: Mapping[str, pa.Table]) -> list[Mistake]:
    """Rows of `settlement`: realised power is what the dispatch shows at the tie; costs are price times power."""
    table = tables.get("settlement")
    markets = {tie.id: tie for tie in check.case.ties if tie.market}
    if table is None or "settled" not in check.long.scenarios:
        return []
    mistakes: list[Mistake] = []
    s = check.long.scenarios.index("settled")
    columns = ("scheduled_kw", "dispatched_kw", "realised_kw", "price_per_kwh", "energy_cost", "deviation_cost")
    grids = {column: wide(table, ("tie",), column) for column in columns}
    positions = day_ahead_positions(check)
    for name, tie in markets.items():
        if (name,) not in grids["realised_kw"]:
            mistakes.append(Mistake(place("settlement", tie=name), "has no row"))
            continue
        width = check.grid.count
        rows = {
            column: np.pad(grids[column][(name,)], (0, width), constant_values=np.nan)[:width][check.long.steps - 1] for column in columns
        }
        exchange = check.long.values[(name, tie.lower_bus, "active", "injection")][s]
        price = rows["price_per_kwh"]
        known = check.series(tie.market.price_series)[s] if tie.market else price
        wanted = {
            "scheduled_kw": (positions[name] if name in positions and has_position(tie) else rows["scheduled_kw"], 1e-4),
            "realised_kw": (exchange, 1e-4),
            "price_per_kwh": (np.where(np.isfinite(known), known, price), PRICE),
            "energy_cost": (check.grid.step_h * trade_cost_per_h(tie, price, exchange), MONEY),
            "deviation_cost": (check.grid.step_h * deviation_cost_per_h(tie, price, exchange, rows["scheduled_kw"]), MONEY),
        }
        for column, (expected, tolerance) in wanted.items():
            bad = ~(np.abs(rows[column] - expected) <= tolerance * (1 + 1e-4 * np.abs(expected)))
            mistakes += [
                Mistake(
                    place("settlement", column, tie=name, step=int(check.long.steps[t])),
                    f"{rows[column][t]:.9g}, recomputed {expected[t]:.9g}",
                )
                for t in np.flatnonzero(bad)[:20]
            ]
        limit = max(abs(tie.exchange_min_kw), abs(tie.exchange_max_kw)) * (1 + 1e-6)
        bad = ~(np.abs(rows["dispatched_kw"]) <= limit + 1e-3)
        mistakes += [
            Mistake(
                place("settlement", "dispatched_kw", tie=name, step=int(check.long.steps[t])),
                f"{rows['dispatched_kw'][t]:.6g} is beyond the tie's limit",
            )
            for t in np.flatnonzero(bad)[:20]
        ]
    return mistakes
