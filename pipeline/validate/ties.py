"""Ties: both ends, limits, positions and deviations."""

from __future__ import annotations

import numpy as np

from pipeline.cases.case import Case
from pipeline.core.errors import Mistake
from pipeline.equipment import Tie
from pipeline.validate.balances import BALANCE_KW
from pipeline.validate.check import POWER_KW, Check, outside
from pipeline.validate.frame import Frame
from pipeline.validate.ramps import ramp_mistakes


def check_tie(check: Check, tie: Tie) -> list[Mistake]:
    """Limits of a tie, agreement of its ends, of exchange, position and deviation; one position in all scenarios."""
    key = (tie.id, tie.lower_bus, "active", "injection")
    exchange = check.long.values.get(key)
    if exchange is None:
        return []
    excess = check.long.zero_or(tie.id, tie.lower_bus, "active", "exchange_excess_kw")
    mistakes = outside(check, key, exchange, tie.exchange_min_kw - excess, tie.exchange_max_kw + excess, 10 * POWER_KW)
    reactive_key = (tie.id, tie.lower_bus, "reactive", "injection")
    reactive = check.long.values.get(reactive_key)
    if reactive is not None and tie.reactive_max_kvar > 0:
        mistakes += outside(check, reactive_key, reactive, -tie.reactive_max_kvar, tie.reactive_max_kvar, 10 * POWER_KW)
    mistakes += ramp_mistakes(
        check, key, exchange, ramp_kw_per_h=tie.ramp_kw_per_h, before=check.context.before.get((tie.id, "exchange_kw")),
        excess=check.long.zero_or(tie.id, tie.lower_bus, "active", "ramp_excess_kw"),
    )
    forward, backward = (check.long.get(tie.id, tie.lower_bus, "active", f"{way}_kw") for way in ("forward", "backward"))
    if forward is not None and backward is not None:
        mistakes += check.long.mistakes(
            key, np.abs(forward - backward - exchange) > POWER_KW, "{:.6g}, {:.6g} forward less {:.6g} backward is another number",
            exchange, forward, backward,
        )
    schedule = check.long.get(tie.id, tie.lower_bus, "active", "schedule_kw")
    if schedule is not None:
        mistakes += outside(check, (tie.id, tie.lower_bus, "active", "schedule_kw"), schedule, tie.exchange_min_kw, tie.exchange_max_kw)
        if check.stage == "day_ahead":
            mistakes += check.long.mistakes(
                (tie.id, tie.lower_bus, "active", "schedule_kw"),
                np.abs(schedule - schedule[:1]) > POWER_KW,
                "position {:.6g} differs between scenarios, though it is decided before they part",
                schedule,
            )
        up, down = (check.long.get(tie.id, tie.lower_bus, "active", f"deviation_{side}_kw") for side in ("up", "down"))
        if up is not None and down is not None:
            mistakes += check.long.mistakes(
                key,
                np.abs(exchange - schedule - up + down) > POWER_KW,
                "{:.6g} less the position {:.6g} is not the deviation {:.6g} up and {:.6g} down",
                exchange,
                schedule,
                up,
                down,
            )
    return mistakes


def check_ties(case: Case, long: Frame) -> list[Mistake]:
    """What leaves the upper end enters the lower end; the exchange is what enters the lower end."""
    mistakes: list[Mistake] = []
    for tie in case.ties:
        for carrier, quantity in (("active", "exchange_kw"), ("reactive", "exchange_kvar")):
            lower_key = (tie.id, tie.lower_bus, carrier, "injection")
            lower = long.values.get(lower_key)
            if lower is None:
                continue
            if tie.upper_bus is not None:
                upper_key = (tie.id, tie.upper_bus, carrier, "injection")
                upper = long.values.get(upper_key)
                if upper is not None:
                    mistakes += long.mistakes(
                        upper_key,
                        np.abs(lower + upper) > BALANCE_KW,
                        "{:.6g} here and {:.6g} at the lower end are not opposite",
                        upper,
                        lower,
                    )
            for bus in (tie.lower_bus, tie.upper_bus):
                exchange = long.values.get((tie.id, bus or "", carrier, quantity))
                if exchange is not None:
                    mistakes += long.mistakes(
                        (tie.id, bus or "", carrier, quantity),
                        np.abs(exchange - lower) > BALANCE_KW,
                        "exchange {:.6g}, injection at the lower end {:.6g}",
                        exchange,
                        lower,
                    )
    return mistakes
