"""What every row, column, input and read-out of the model says: formula in named quantities, source, the book's identifiers.

Keyed by `kind.component`, where kind is that of the device or network (or `tie`) and component the name that the physics gives. A
component of a heat or hydrogen carrier is found under its electric name (`store.charge_kwth` under `store.charge_kw`): the law is
the same in other units. `docs/models.md` is written from here and from compiled programs; a component without an entry, an entry
without a component and a name that no equipment, column or input bears fail a test.

In a formula `[t]` is the position, counted from 1; stored energy stands at the end of its interval. Names without an index are
fields of the equipment or settings; `{..}` marks an input, a number once the program is bound.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

SOURCES: Final = {
    "000": "Data supplement (tables 1-12) of a paper on distribution operators with networked microgrids; the main paper is not known. "
           "Section numbers are those of the model book *networked microgrids*, which derives equations for the supplement's tables.",
    "003": "Tan, Lin, Zheng, Xiao, Wu, Yan, *Distributionally Robust Energy Management for Multi-Microgrids with Grid-interactive EVs*."
           " Numbers in brackets are its equations, section numbers those of the model book *distributionally robust microgrids*.",
    "004": "Appendix (equations A1-A11, B1-B7) of a paper on hydrogen microgrids; the main paper is not known. Section numbers and the "
           "numbers in brackets are those of the model book *hydrogen microgrids*, which rebuilds equations 13-30.",
    "BW": "Baran and Wu, *Network reconfiguration in distribution systems for loss reduction and load balancing*, IEEE Transactions on "
          "Power Delivery 4(2), 1989: LinDistFlow and the 33-bus feeder.",
    "ours": "A decision of this project, with the reason beside it.",
}
# Systems of these papers are specified beside the one above; no row of this version comes from them.
FURTHER: Final = {
    "001": "Firouzi, Setayesh Nazar, Shafie-khah, Catalao, Applied Energy (2023) 120703, doi 10.1016/j.apenergy.2023.120703.",
    "002": "Bostan, Setayesh Nazar, Shafie-khah, Catalao, Energy 202 (2020) 117789.",
}


@dataclass(frozen=True)
class Entry:
    """`says`: of a row or read-out its formula, of a column or input its meaning. `when`: the option that brings it, else always there.

    `price`: cost per unit of a column, in named quantities. `aliases`: what the book calls it.
    """

    says: str
    source: str
    unit: str = ""
    aliases: tuple[str, ...] = ()
    price: str = ""
    when: str = ""


ROLLING = "rolling window"
NET_LOAD = "`minimum` of the series below 0"
SCHEDULED = "`scheduled`, and a deviation costs something"
SELL = "`sell_price_factor` < 1"
REACTIVE = "reactive limits not 0"
RAMP = "`ramp_kw_per_h` given"
COMMITTED = "`commitment` given"
COMMITTED_RAMP = "`commitment` and `ramp_kw_per_h` given"
OPEN = "`commitment` given, where it is not decided yet"
WHEELED = "`wheeling` given"
CONVERTER = "a converter in the case"
HEAT = "the unit makes heat, and `vent_allowed`"
PAIR = "`exclusive_with` given, and `exclusive: always` or after a solve in which both ran at once"
AGGREGATOR = "an EV aggregator in the case"
AGGREGATOR_RAMP = "an EV aggregator with `ramp_kw_per_h`"
CYCLIC = "`start: cyclic`, day-ahead"
AGGREGATOR_ROLLING = "an EV aggregator, rolling window"
DIRECTION = "`exclusive: always`, or after a solve that charged and discharged at once"

ROWS: Final[dict[str, Entry]] = {
    "demand.shed_limit": Entry("shed_kw[t] <= {load_kw[t]}", "ours: what is not asked for cannot be shed", "kW"),
    "demand.net_shed_limit": Entry("shed_kw[t] <= {sheddable_kw[t]}", "ours: what feeds back cannot be shed", "kW", when=NET_LOAD),
    "demand.net_dump_limit": Entry("dump_kw[t] <= dump_max_kw + {sheddable_kw[t]} - {load_kw[t]}",
                                   "ours: what feeds back can be cut back, inverters do where voltage rises", "kW", when=NET_LOAD),
    "source.curtailment_limit": Entry("curtailed_kw[t] <= {available_kw[t]}", "000 §3", "kW"),
    "source.feed_in": Entry("fed_kw[t] + curtailed_kw[t] = {available_kw[t]}", "003 §5: what is fed in has a running cost", "kW",
                            when="`feed_in_cost_per_kwh` > 0"),
    "generator.power_limits_low": Entry("sum over i of segment_kw[t,i] >= {power_low_kw[t]}", "000, table 11", "kW"),
    "generator.power_limits_high": Entry("sum over i of segment_kw[t,i] <= {power_high_kw[t]}", "000, table 11", "kW"),
    "generator.reactive_limits_low": Entry("reactive_kvar[t] >= {reactive_low_kvar[t]}", "000, table 11", "kvar", when=REACTIVE),
    "generator.reactive_limits_high": Entry("reactive_kvar[t] <= {reactive_high_kvar[t]}", "000, table 11", "kvar", when=REACTIVE),
    "generator.ramp_excess_limit": Entry(
        "ramp_excess_kw[t] <= {ramp_excess_high_kw[t]}", "ours: no price decides whether a ramp holds", "kW", when=RAMP),
    "generator.ramp_up": Entry(
        "P[t] - P[t-1] - ramp_excess_kw[t] - {ramp_release_kw[t]} <= ramp_kw_per_h · step_h, with P[t] = sum over i of segment_kw[t,i],"
        " P[0] = {power_before_kw}",
        "ours: the supplement has no ramps; elastic, since no ramp leads back at once from some measured states", "kW", when=RAMP),
    "generator.ramp_down": Entry("P[t-1] - P[t] - ramp_excess_kw[t] - {ramp_release_kw[t]} <= ramp_kw_per_h · step_h", "ours: as ramp_up",
                                 "kW", when=RAMP),
    "generator.commitment_limits_low": Entry(
        "P[t] >= {power_low_kw[t]} - power_min_kw · (1 - on_share[t])", "003 (18): power_min_kw · on_share[t], unless a word or an outage"
        " moves it", "kW", ("generator_limits",), when=COMMITTED),
    "generator.commitment_limits_high": Entry("P[t] <= power_max_kw · on_share[t]", "003 (18)", "kW", ("generator_limits",),
                                              when=COMMITTED),
    "generator.on_limits_low": Entry("on_share[t] >= {on_low_share[t]}", "ours: least times that began before the first interval", "1",
                                     when=OPEN),
    "generator.on_limits_high": Entry("on_share[t] <= {on_high_share[t]}", "ours: as on_limits_low, and outages", "1", when=OPEN),
    "generator.switching": Entry("on_share[t] - on_share[t-1] = start_share[t] - stop_share[t], with on_share[0] = {on_before_share}",
                                 "003 (16)", "1", ("start_cost", "stop_cost"), when=OPEN),
    "generator.start_limit": Entry("start_share[t] <= on_share[t]", "ours: no start and stop at once where both are free", "1", when=OPEN),
    "generator.stop_limit": Entry("stop_share[t] <= 1 - on_share[t]", "ours: as start_limit", "1", when=OPEN),
    "generator.minimum_up": Entry(
        "sum over k of on_share[k] >= K · (on_share[t] - on_share[t-1]), with k = t .. t + K - 1 and K = min_up_h / step_h rounded up, at"
        " the end of the horizon what is left", "003 (17), mended: the printed sum runs past the horizon", "1", ("minimum_up",), when=OPEN),
    "generator.minimum_down": Entry(
        "sum over k of (1 - on_share[k]) >= K · (on_share[t-1] - on_share[t]), with K = min_down_h / step_h rounded up",
        "003 (17), mended", "1", ("minimum_down",), when=OPEN),
    "generator.commitment_ramp_up": Entry(
        "P[t] - P[t-1] - ramp_excess_kw[t] - {ramp_release_kw[t]} <= ramp_kw_per_h · step_h · on_share[t-1]"
        " + max(ramp_kw_per_h · step_h, power_min_kw) · (on_share[t] - on_share[t-1])",
        "003 (19), mended: the least power exceeds a quarter-hour's ramp", "kW", ("generator_ramp",), when=COMMITTED_RAMP),
    "generator.commitment_ramp_down": Entry(
        "P[t-1] - P[t] - ramp_excess_kw[t] - {ramp_release_kw[t]} <= ramp_kw_per_h · step_h · on_share[t]"
        " + max(ramp_kw_per_h · step_h, power_min_kw) · (on_share[t-1] - on_share[t])",
        "003 (19), mended: as commitment_ramp_up", "kW", ("generator_ramp",), when=COMMITTED_RAMP),
    "chp.power_limits_low": Entry("power_kw[t] >= {power_low_kw[t]}", "000, table 10", "kW"),
    "chp.power_limits_high": Entry("power_kw[t] <= {power_high_kw[t]}", "000, table 10", "kW"),
    "converter.power_limits_low": Entry("power_kw[t] >= {power_low_kw[t]}", "004 §4 (17), (20), (29)", "kW",
                                        ("electrolyzer_limit", "fuel_cell_limit", "boiler_limit"), when=CONVERTER),
    "converter.power_limits_high": Entry("power_kw[t] <= {power_high_kw[t]}", "004 §4 (17), (20), (29)", "kW",
                                         ("electrolyzer_limit", "fuel_cell_limit", "boiler_limit"), when=CONVERTER),
    "converter.exclusive_power": Entry("power_kw[t] <= power_max_kw · mode_share[t]", "004 §4 (17)", "kW", ("electrolyzer_limit",),
                                       when=PAIR),
    "converter.exclusive_partner": Entry(
        "partner.power_kw[t] <= partner.power_max_kw · (1 - mode_share[t]), with partner the unit of exclusive_with", "004 §4 (20)", "kW",
        ("fuel_cell_limit",), when=PAIR),
    "converter.ramp_excess_limit": Entry("ramp_excess_kw[t] <= {ramp_excess_high_kw[t]}", "ours: as the generator's", "kW", when=RAMP),
    "converter.ramp_up": Entry("power_kw[t] - power_kw[t-1] - ramp_excess_kw[t] - {ramp_release_kw[t]} <= ramp_kw_per_h · step_h, with"
                               " power_kw[0] = {power_before_kw}", "003 (19); elastic, as a generator's", "kW",
                               ("fuel_cell_ramp",), when=RAMP),
    "converter.ramp_down": Entry("power_kw[t-1] - power_kw[t] - ramp_excess_kw[t] - {ramp_release_kw[t]} <= ramp_kw_per_h · step_h",
                                 "003 (19)", "kW", ("fuel_cell_ramp",), when=RAMP),
    "store.energy_balance": Entry(
        "energy_kwh[t] = hourly_retention_share^step_h · energy_kwh[t-1] + step_h · (charge_efficiency_share · charge_kw[t]"
        " - discharge_kw[t] / discharge_efficiency_share), with energy_kwh[0] = {energy_before_kwh}",
        "000 §5; 004 §4 (15), (21)", "kWh", ("battery_energy", "thermal_energy", "tank_volume")),
    "store.energy_limits_low": Entry(
        "energy_kwh[t] + energy_short_kwh[t] >= {energy_low_kwh[t]}",
        "000 §5; at the end of the day the lower input is the energy of its start", "kWh",
        ("battery_energy_limits", "battery_cycle", "thermal_cycle", "tank_limits", "tank_cycle")),
    "store.energy_limits_high": Entry(
        "energy_kwh[t] - energy_over_kwh[t] <= {energy_high_kwh[t]}",
        "000 §5; with `cycle: equal` the upper input at the end of the day is the energy of its start too", "kWh",
        ("battery_energy_limits", "battery_cycle", "tank_limits")),
    "store.energy_short_limit": Entry("energy_short_kwh[t] <= {energy_low_kwh[t]}",
                                      "ours: a store may be left below its limit, at a price, but not below empty", "kWh"),
    "store.power_limits_low": Entry(
        "discharge_kw[t] - charge_kw[t] + power_below_kw[t] >= {power_low_kw[t]}",
        "ours: limits and set-points of a person, elastic so that none makes a program infeasible", "kW", ("battery_power_limits",)),
    "store.power_limits_high": Entry(
        "discharge_kw[t] - charge_kw[t] - power_above_kw[t] <= {power_high_kw[t]}", "ours: as power_limits_low", "kW",
        ("battery_power_limits",)),
    "store.terminal_energy": Entry(
        "energy_kwh[T] + terminal_short_kwh - terminal_over_kwh = {energy_reference_kwh}, T the window's last position", "000 §6", "kWh",
        when=ROLLING),
    "store.ramp_excess_limit": Entry("ramp_excess_kw[t] <= {ramp_excess_high_kw[t]}", "ours: as the generator's", "kW", when=RAMP),
    "store.ramp_up": Entry(
        "(discharge_kw[t] - charge_kw[t]) - (discharge_kw[t-1] - charge_kw[t-1]) - ramp_excess_kw[t] - {ramp_release_kw[t]}"
        " <= ramp_kw_per_h · step_h, with {power_before_kw} before the first interval",
        "003 (19); on net power, which a store turns through zero", "kW", ("storage_ramp",), when=RAMP),
    "store.ramp_down": Entry(
        "(discharge_kw[t-1] - charge_kw[t-1]) - (discharge_kw[t] - charge_kw[t]) - ramp_excess_kw[t] - {ramp_release_kw[t]}"
        " <= ramp_kw_per_h · step_h", "003 (19)", "kW", ("storage_ramp",), when=RAMP),
    "store.exclusive_charge": Entry(
        "charge_kw[t] <= charge_max_kw · charging_share[t]", "000 §5", "kW", ("battery_exclusive_charge",), when=DIRECTION),
    "store.exclusive_discharge": Entry(
        "discharge_kw[t] <= discharge_max_kw · (1 - charging_share[t])", "000 §5", "kW", ("battery_exclusive_discharge",), when=DIRECTION),
    "ev_fleet.power_limits_high": Entry("charge_kw[c,t] <= {power_high_kw[c,t]}", "000 §5", "kW", ("ev_power",)),
    "ev_fleet.energy_balance": Entry(
        "energy_kwh[c,t] = energy_kwh[c,t-1] + step_h · charge_efficiency_share · charge_kw[c,t], with energy_kwh[c,0] ="
        " {energy_before_kwh[c]}", "000 §5", "kWh", ("ev_energy",)),
    "ev_fleet.energy_limits_low": Entry(
        "energy_kwh[c,t] + unserved_kwh[c,t] - {unreachable_kwh[c,t]} >= {energy_low_kwh[c,t]}; from the cohort's departure on the lower"
        " energy is its whole need, less what no charging could reach", "000 §5", "kWh", ("ev_lower_envelope", "ev_departure")),
    "ev_fleet.energy_limits_high": Entry(
        "energy_kwh[c,t] <= {energy_high_kwh[c,t]}; never below what is stored already: a cohort may shrink after it was charged",
        "000 §5", "kWh", ("ev_upper_envelope",)),
    "ev_fleet.unserved_monotone": Entry(
        "unserved_kwh[c,t] - {unreachable_kwh[c,t]} >= unserved_kwh[c,t-1] - {unreachable_kwh[c,t-1]}, with both 0 at t = 0",
        "ours: lost energy stays lost, so it is paid once", "kWh"),
    "ev_aggregator.power_limit": Entry(
        "charge_kw[t] + discharge_kw[t] <= charger_kw · {connected_count[t]}",
        "003 §4 (2), its binary relaxed: losses and wear make both at once dearer than either", "kW", ("aggregator_power",),
        when=AGGREGATOR),
    "ev_aggregator.power_limits_low": Entry(
        "discharge_kw[t] - charge_kw[t] + power_below_kw[t] >= {power_low_kw[t]}", "ours: limits and set-points of a person, elastic", "kW",
        when=AGGREGATOR),
    "ev_aggregator.power_limits_high": Entry(
        "discharge_kw[t] - charge_kw[t] - power_above_kw[t] <= {power_high_kw[t]}", "ours: as power_limits_low", "kW", when=AGGREGATOR),
    "ev_aggregator.energy_balance": Entry(
        "energy_kwh[t] = energy_kwh[t-1] + step_h · (charge_efficiency_share · charge_kw[t] - discharge_kw[t] / discharge_efficiency_share)"
        " + ev_slack_kwh[t] - ev_surplus_kwh[t] + battery_kwh · arrival_energy_share · {arrivals_count[t]} - battery_kwh ·"
        " departure_energy_share · {departures_count[t]}, with energy_kwh[0] = {energy_before_kwh} + energy_start_kwh",
        "003 §4 (1), discharge divided by its efficiency (as printed it would create energy); the surplus is ours", "kWh",
        ("aggregator_energy",), when=AGGREGATOR),
    "ev_aggregator.energy_limits_low": Entry(
        "energy_kwh[t] >= battery_kwh · energy_min_share · ({connected_count[t]} + {arrivals_count[t]} - {departures_count[t]})",
        "003 §4 (3)", "kWh", ("aggregator_energy_limits",), when=AGGREGATOR),
    "ev_aggregator.energy_limits_high": Entry(
        "energy_kwh[t] <= battery_kwh · energy_max_share · ({connected_count[t]} + {arrivals_count[t]} - {departures_count[t]})",
        "003 §4 (3)", "kWh", ("aggregator_energy_limits",), when=AGGREGATOR),
    "ev_aggregator.departure_energy": Entry(
        "energy_kwh[t-1] + step_h · (charge_efficiency_share · charge_kw[t] - discharge_kw[t] / discharge_efficiency_share)"
        " + ev_slack_kwh[t] >= battery_kwh · departure_energy_share · {departures_count[t]} + battery_kwh · energy_min_share ·"
        " ({connected_count[t]} - {departures_count[t]})",
        "003 §4 (5), with the power of the slot in which they leave", "kWh", ("departure_energy",),
        when="an EV aggregator, `departure_form` at the end of the slot"),
    "ev_aggregator.departure_energy_before": Entry(
        "energy_kwh[t-1] + ev_slack_kwh[t] >= battery_kwh · departure_energy_share · {departures_count[t]} + battery_kwh ·"
        " remaining_energy_share · ({connected_count[t]} - {departures_count[t]})",
        "003 §4 (5) as printed", "kWh", ("departure_energy",), when="an EV aggregator, `departure_form` at the start of the slot"),
    "ev_aggregator.cross_cycle_reserve": Entry(
        "energy_kwh[t] >= {reserve_kwh[t]}", "003 §4 (11)", "kWh", ("cross_cycle_reserve",), when="an EV aggregator with `cross_cycle`"),
    "ev_aggregator.cyclic_energy": Entry(
        "energy_kwh[T] >= energy_start_kwh, T the day's last position",
        "003 §4; an inequality, so that every scenario can meet it (ours)", "kWh", when=CYCLIC),
    "ev_aggregator.charge_ramp_up": Entry(
        "charge_kw[t] - charge_kw[t-1] - ramp_excess_kw[t] <= ramp_kw_per_h · step_h · {connected_count[t-1]}",
        "003 §4 (4); elastic (ours)", "kW", ("aggregator_ramp",), when=AGGREGATOR_RAMP),
    "ev_aggregator.charge_ramp_down": Entry(
        "charge_kw[t-1] - charge_kw[t] - ramp_excess_kw[t] <= ramp_kw_per_h · step_h · {connected_count[t-1]} + charger_kw ·"
        " {withdrawn_count[t]}", "003 §4 (4), mended: what leaving vehicles drew may fall away at once", "kW", ("aggregator_ramp",),
        when=AGGREGATOR_RAMP),
    "ev_aggregator.discharge_ramp_up": Entry(
        "discharge_kw[t] - discharge_kw[t-1] - ramp_excess_kw[t] <= ramp_kw_per_h · step_h · {connected_count[t-1]}",
        "003 §4 (4); elastic (ours)", "kW", ("aggregator_ramp",), when=AGGREGATOR_RAMP),
    "ev_aggregator.discharge_ramp_down": Entry(
        "discharge_kw[t-1] - discharge_kw[t] - ramp_excess_kw[t] <= ramp_kw_per_h · step_h · {connected_count[t-1]} + charger_kw ·"
        " {withdrawn_count[t]}", "003 §4 (4), mended as charge_ramp_down", "kW", ("aggregator_ramp",), when=AGGREGATOR_RAMP),
    "ev_aggregator.terminal_energy": Entry(
        "energy_kwh[T] + terminal_short_kwh - terminal_over_kwh = {energy_reference_kwh}, T the window's last position", "003 §9", "kWh",
        when=AGGREGATOR_ROLLING),
    "tie.exchange_limits_low": Entry("exchange_kw[t] >= {exchange_low_kw[t]}", "000 §3 and 5", "kW", ("mg_exchange_limits",)),
    "tie.exchange_limits_high": Entry("exchange_kw[t] <= {exchange_high_kw[t]}", "000 §3 and 5", "kW", ("mg_exchange_limits",)),
    "tie.schedule_deviation": Entry(
        "exchange_kw[t] - schedule_kw[t] = deviation_up_kw[t] - deviation_down_kw[t]", "000 §4", "kW", when=SCHEDULED),
    "tie.export_split": Entry("export_kw[t] >= -exchange_kw[t]", "ours: one signed exchange instead of buy and sell", "kW", when=SELL),
    "tie.direction_split": Entry("exchange_kw[t] = forward_kw[t] - backward_kw[t]", "003 (20), (23)", "kW",
                                 ("line_direction", "line_limits"), when=WHEELED),
    "tie.ramp_excess_limit": Entry("ramp_excess_kw[t] <= {ramp_excess_high_kw[t]}", "ours: as the generator's", "kW", when=RAMP),
    "tie.ramp_up": Entry(
        "exchange_kw[t] - exchange_kw[t-1] - ramp_excess_kw[t] - {ramp_release_kw[t]} <= ramp_kw_per_h · step_h, with exchange_kw[0] ="
        " {exchange_before_kw}", "003 (19)", "kW", ("line_ramp",), when=RAMP),
    "tie.ramp_down": Entry("exchange_kw[t-1] - exchange_kw[t] - ramp_excess_kw[t] - {ramp_release_kw[t]} <= ramp_kw_per_h · step_h",
                           "003 (19)", "kW", ("line_ramp",), when=RAMP),
    "tie.network_flow": Entry(
        "exchange_kw[t] - sum over networks n of factor[n] · (sum of exchange_kw leaving n - sum of exchange_kw arriving in n) = 0, with"
        " the power transfer distribution factors of reactance_pu; only for ties that close a loop over those before them",
        "003 (23)", "kW", ("network_limits",), when="`tie_flows: ptdf`"),
    "copper_plate.active_balance": Entry(
        "sum over devices and tie ends of injection[active,t] = 0", "000 §5", "kW", ("mg_balance",)),
    "copper_plate.heat_balance": Entry("sum over devices of injection[heat,t] = 0", "000 §5; 004 §4 (28), its surplus vented by a unit",
                                       "kWth", ("heat_balance",)),
    "copper_plate.hydrogen_balance": Entry("sum over devices of injection[hydrogen,t] = 0",
                                           "004 §4 (18), (19), (21): what is made and not burnt goes into the tank", "m3/h",
                                           ("electrolyzer_hydrogen", "fuel_cell_hydrogen"), when="a network carries hydrogen"),
    "lindistflow.active_flow": Entry(
        "sum of branch_kw[branch,t] arriving - sum of branch_kw[branch,t] leaving + sum over the bus of injection[active,t] = 0",
        "000 §5; BW; losses left out. At the slack bus it is the balance of the grid supply", "kW", ("active_flow", "grid_balance")),
    "lindistflow.reactive_flow": Entry(
        "sum of branch_kvar[branch,t] arriving - sum of branch_kvar[branch,t] leaving + sum over the bus of injection[reactive,t] = 0",
        "000 §5; BW", "kvar", ("reactive_flow", "grid_balance")),
    "lindistflow.voltage_drop": Entry(
        "U[from_bus,t] - U[to_bus,t] = (r_ohm · branch_kw[branch,t] + x_ohm · branch_kvar[branch,t]) / (1000 · base_kv), with"
        " U = voltage_kv + voltage_above_kv - voltage_below_kv", "000 §5; 004; BW", "kV", ("voltage_drop",)),
    "lindistflow.rating_sum": Entry(
        "-sqrt(2) · rating_kva <= branch_kw[branch,t] + branch_kvar[branch,t] <= sqrt(2) · rating_kva",
        "ours: with the bounds of both flows and the next row the octagon around the circle of the rating; the supplement has no ratings",
        "kVA", when="`rating_kva` given"),
    "lindistflow.rating_difference": Entry(
        "-sqrt(2) · rating_kva <= branch_kw[branch,t] - branch_kvar[branch,t] <= sqrt(2) · rating_kva", "ours: as rating_sum", "kVA",
        when="`rating_kva` given"),
}

SLACK: Final = "slack_price_per_kwh"
COLUMNS: Final[dict[str, Entry]] = {
    "demand.shed_kw": Entry(
        "load left unserved; active load takes its reactive load along", "000 §3", aliases=("load_shed_kw", "heat_shed_kw"),
        price="step_h · shed_price_per_kwh (where none is given: slack_price_per_kwh)"),
    "demand.dump_kw": Entry("surplus burnt, up to dump_max_kw, and what a net load feeds back and nothing can take",
                            "000 §3; of net loads ours", aliases=("dump_kw",), price=f"step_h · {SLACK}",
                            when=f"`dump_max_kw` > 0, or {NET_LOAD}"),
    "source.curtailed_kw": Entry("available power left unused", "000 §3", aliases=("res_curtailed_kw",),
                                 price="step_h · curtailment_cost_per_kwh"),
    "source.fed_kw": Entry("power fed in", "003 §3", aliases=("wind_kw", "solar_kw"), price="step_h · feed_in_cost_per_kwh",
                           when="`feed_in_cost_per_kwh` > 0"),
    "generator.segment_kw": Entry(
        "power in chord i of the cost curve, each power_max_kw / segment_count wide; the slopes rise, so cheap chords fill first",
        "000 §5", aliases=("generator_segment_kw", "generator_segments", "generator_kw"),
        price="step_h · (cost_linear_per_kwh + cost_quadratic_per_kw2h · (2 i - 1) · power_max_kw / segment_count)"),
    "generator.reactive_kvar": Entry("reactive power fed in", "000, table 11", aliases=("generator_kvar",), when=REACTIVE),
    "generator.ramp_excess_kw": Entry("change of power beyond the ramp, as far as the state before leaves no other way", "ours",
                                      price="step_h · 10 per kWh", when=RAMP),
    "generator.on_share": Entry("1 while on, 0 while off (binary, first stage)", "003 §3", aliases=("commit",),
                                price="step_h · cost_constant_per_h", when=COMMITTED),
    "generator.start_share": Entry("1 where it starts, else 0", "003 §3", aliases=("start_cost_yuan",), price="start_cost", when=COMMITTED),
    "generator.stop_share": Entry("1 where it stops, else 0", "003 §3", aliases=("stop_cost_yuan",), price="stop_cost", when=COMMITTED),
    "chp.power_kw": Entry("electric power made (electric heater: drawn)", "000 §3", aliases=("cogeneration_kw",),
                          price="step_h · fuel_cost_per_kwh"),
    "chp.vent_kwth": Entry(
        "heat sent to the cooler", "000 §3; bounded (ours): a cooler has a size", aliases=("heat_dump_kw",),
        price="step_h · vent_cost_per_kwh", when="`vent_allowed`"),
    "converter.power_kw": Entry(
        "power of the electric side, drawn or fed in; the heat made where neither side is electric", "004 §4",
        aliases=("electrolyzer_kw", "fuel_cell_kw", "boiler_kw"), price="step_h · cost_per_kwh", when=CONVERTER),
    "converter.vent_kwth": Entry("heat sent to the cooler", "004 §4 (28): an inequality there; bounded and priced (ours)",
                                 aliases=("heat_balance",), price="step_h · vent_cost_per_kwh", when=HEAT),
    "converter.mode_share": Entry("1 while the unit may run, 0 while its partner may (binary)", "004 §4", aliases=("hydrogen_mode",),
                                  when=PAIR),
    "converter.ramp_excess_kw": Entry("change of power beyond the ramp", "ours", price="step_h · 10 per kWh", when=RAMP),
    "store.charge_kw": Entry("power drawn from the bus, up to charge_max_kw", "000 §3", aliases=("charge_kw", "heat_charge_kw"),
                             price="step_h · wear_cost_per_kwh"),
    "store.discharge_kw": Entry("power fed into the bus, up to discharge_max_kw", "000 §3",
                                aliases=("discharge_kw", "heat_discharge_kw"), price="step_h · wear_cost_per_kwh"),
    "store.energy_kwh": Entry("energy stored at the end of the interval", "000 §3", aliases=("energy_kwh", "heat_energy_kwh")),
    "store.energy_short_kwh": Entry("energy missing to the lower limit", "ours: elastic", price=SLACK),
    "store.energy_over_kwh": Entry("energy above the upper limit", "ours: elastic", price=SLACK),
    "store.power_below_kw": Entry("net power missing to its lower limit", "ours: elastic", price=f"step_h · {SLACK}"),
    "store.power_above_kw": Entry("net power above its upper limit", "ours: elastic", price=f"step_h · {SLACK}"),
    "store.terminal_short_kwh": Entry("energy missing to the reference at the window's end", "000 §6",
                                      price="content_factor · {terminal_price_per_kwh}", when=ROLLING),
    "store.terminal_over_kwh": Entry("energy above the reference at the window's end", "000 §6",
                                     price="content_factor · {terminal_price_per_kwh}", when=ROLLING),
    "store.ramp_excess_kw": Entry("change of net power beyond the ramp", "ours", price="step_h · 10 per kWh", when=RAMP),
    "store.charging_share": Entry("1 while it may charge, 0 while it may discharge (binary)", "000 §3", aliases=("storage_direction",),
                                  when=DIRECTION),
    "ev_fleet.charge_kw": Entry("power drawn by cohort c, up to vehicle_count · charger_kw", "000 §3", aliases=("ev_charge_kw",),
                                price="step_h · flexibility_cost_per_kwh"),
    "ev_fleet.energy_kwh": Entry("energy stored in cohort c since the start of the delivery day", "000 §3", aliases=("ev_energy_kwh",)),
    "ev_fleet.unserved_kwh": Entry(
        "energy that cohort c lacks for good; only the last position costs", "000 §3", aliases=("ev_unserved_kwh",),
        price="unserved_price_per_kwh (where none is given: slack_price_per_kwh)"),
    "ev_aggregator.charge_kw": Entry("power drawn", "003 §3", aliases=("aggregator_charge_kw",), when=AGGREGATOR),
    "ev_aggregator.discharge_kw": Entry(
        "power fed in", "003 §3", aliases=("aggregator_discharge_kw",), price="step_h · discharge_cost_per_kwh", when=AGGREGATOR),
    "ev_aggregator.energy_kwh": Entry(
        "energy of all connected vehicles at the end of the interval", "003 §3", aliases=("aggregator_energy_kwh",), when=AGGREGATOR),
    "ev_aggregator.energy_start_kwh": Entry(
        "energy at the start of the day, the same in every scenario (first stage)", "003 §4: E_0 = E_T", when=CYCLIC),
    "ev_aggregator.ev_slack_kwh": Entry("energy lacking", "003 §4", aliases=("ev_slack_kwh", "slack_cost"), when=AGGREGATOR,
                                        price="unserved_price_per_kwh (where none is given: slack_price_per_kwh)"),
    "ev_aggregator.ev_surplus_kwh": Entry("energy that nobody can hold", "ours: keeps a recourse whose vehicles leave early feasible",
                                          when=AGGREGATOR, price="unserved_price_per_kwh (where none is given: slack_price_per_kwh)"),
    "ev_aggregator.ramp_excess_kw": Entry("change of power beyond the ramp", "ours", price="step_h · 10 per kWh", when=AGGREGATOR_RAMP),
    "ev_aggregator.power_below_kw": Entry("net power missing to its lower limit", "ours: elastic", price=f"step_h · {SLACK}",
                                          when=AGGREGATOR),
    "ev_aggregator.power_above_kw": Entry("net power above its upper limit", "ours: elastic", price=f"step_h · {SLACK}",
                                          when=AGGREGATOR),
    "ev_aggregator.terminal_short_kwh": Entry("energy missing to the reference at the window's end", "003 §9",
                                              price="{terminal_price_per_kwh}", when=AGGREGATOR_ROLLING),
    "ev_aggregator.terminal_over_kwh": Entry("energy above the reference at the window's end", "003 §9",
                                             price="{terminal_price_per_kwh}", when=AGGREGATOR_ROLLING),
    "tie.exchange_kw": Entry(
        "power from the upper into the lower end, negative back", "000 §3; one signed column instead of two (ours)",
        aliases=("grid_buy_kw", "grid_sell_kw", "mg_exchange_kw"), price="step_h · {price_per_kwh[t]} where the tie has a market"),
    "tie.exchange_kvar": Entry("reactive power from the upper into the lower end, within ± reactive_max_kvar", "000 §5",
                               when="`reactive_max_kvar` > 0"),
    "tie.forward_kw": Entry("exchange into the lower end, up to exchange_max_kw", "003 §3", aliases=("line_forward_kw",),
                            price="step_h · ({wheeling_upper_price_per_kwh[t]} + {wheeling_lower_price_per_kwh[t]})", when=WHEELED),
    "tie.backward_kw": Entry("exchange out of the lower end, up to -exchange_min_kw", "003 §3", aliases=("line_backward_kw",),
                             price="step_h · ({wheeling_upper_price_per_kwh[t]} + {wheeling_lower_price_per_kwh[t]})", when=WHEELED),
    "tie.ramp_excess_kw": Entry("change of exchange beyond the ramp", "ours", price="step_h · 10 per kWh", when=RAMP),
    "tie.export_kw": Entry("power sold, up to -exchange_min_kw", "ours", aliases=("grid_sell_kw",),
                           price="step_h · {sell_discount_per_kwh[t]}", when=SELL),
    "tie.schedule_kw": Entry("day-ahead position, the same in every scenario (first stage)", "000 §3",
                             aliases=("grid_schedule_kw", "mg_exchange_schedule_kw"), when=SCHEDULED),
    "tie.deviation_up_kw": Entry("exchange above the position", "000 §4", price="step_h · {deviation_up_price_per_kwh[t]}", when=SCHEDULED),
    "tie.deviation_down_kw": Entry("exchange below the position", "000 §4", price="step_h · {deviation_down_price_per_kwh[t]}",
                                   when=SCHEDULED),
    "lindistflow.branch_kw": Entry("active power from from_bus to to_bus", "000 §3", aliases=("branch_kw",)),
    "lindistflow.branch_kvar": Entry("reactive power from from_bus to to_bus", "000 §3", aliases=("branch_kvar",)),
    "lindistflow.voltage_kv": Entry(
        "voltage inside voltage_min_pu .. voltage_max_pu times base_kv; at the slack bus fixed to slack_voltage_pu · base_kv", "000 §5",
        aliases=("voltage_kv", "voltage_limits", "slack_voltage")),
    "lindistflow.voltage_above_kv": Entry("voltage above the upper limit", "ours: elastic",
                                          price="step_h · voltage_price_per_pu_h / base_kv"),
    "lindistflow.voltage_below_kv": Entry("voltage missing to the lower limit", "ours: elastic",
                                          price="step_h · voltage_price_per_pu_h / base_kv"),
}

ENVELOPE: Final = "each vehicle charging"
INPUTS: Final[dict[str, Entry]] = {
    "demand.load_kw": Entry("load: series · series_share", "000, tables 1, 2 and 6"),
    "demand.sheddable_kw": Entry("the positive part of load_kw", "ours", when=NET_LOAD),
    "demand.load_kvar": Entry("reactive load: load · kvar_per_kw, or the ratio of the local hour in kvar_profile", "000, table 1",
                              when="a reactive ratio or profile given"),
    "source.available_kw": Entry("what wind or sun allow: series · series_share, capped by an outage or limit", "000, table 3"),
    "generator.power_low_kw": Entry("lower limit of power: power_min_kw, moved by a person's word", "000, table 11"),
    "generator.power_high_kw": Entry("upper limit of power: power_max_kw, moved by a person's word", "000, table 11"),
    "generator.reactive_low_kvar": Entry("lower limit of reactive power, 0 in an outage", "000, table 11", when=REACTIVE),
    "generator.reactive_high_kvar": Entry("upper limit of reactive power, 0 in an outage", "000, table 11", when=REACTIVE),
    "generator.power_before_kw": Entry("power before the first interval", "ours", when=RAMP),
    "generator.ramp_release_kw": Entry("what the ramp lets go: the whole power past the end of the day and in an outage, else 0", "ours",
                                       when=RAMP),
    "generator.ramp_excess_high_kw": Entry("most that the ramp may be exceeded by: what the state before and the limits force", "ours",
                                           when=RAMP),
    "generator.on_before_share": Entry("1 where it was on before the first interval", "003 (16)", when=COMMITTED),
    "generator.in_state_before_h": Entry("hours that it had been on, or off, before the first interval; on_low_share and on_high_share"
                                         " follow from it", "003 §9", when=COMMITTED),
    "generator.on_low_share": Entry("1 where it must stay on: its least time on began before the first interval", "ours", when=OPEN),
    "generator.on_high_share": Entry("0 where it must stay off: its least time off, or an outage", "ours", when=OPEN),
    "chp.power_low_kw": Entry("lower limit of power: power_min_kw, moved by a person's word", "000, table 10"),
    "chp.power_high_kw": Entry("upper limit of power: power_max_kw, moved by a person's word", "000, table 10"),
    "converter.power_low_kw": Entry("lower limit of power: power_min_kw, moved by a person's word", "004 §1", when=CONVERTER),
    "converter.power_high_kw": Entry("upper limit of power: power_max_kw, moved by a person's word", "004 §1", when=CONVERTER),
    "converter.power_before_kw": Entry("power before the first interval", "ours", when=RAMP),
    "converter.ramp_release_kw": Entry("what the ramp lets go: everything past the end of the day", "ours", when=RAMP),
    "converter.ramp_excess_high_kw": Entry("most that the ramp may be exceeded by", "ours", when=RAMP),
    "store.energy_before_kwh": Entry("energy before the first interval", "000 §6"),
    "store.energy_low_kwh": Entry("lower limit of energy: energy_min_kwh, at the end of the day by the cycle rule", "000 §5"),
    "store.energy_high_kwh": Entry("upper limit of energy: energy_max_kwh, at the end of the day by the cycle rule", "000 §5"),
    "store.power_low_kw": Entry("lower limit of discharge less charge: -charge_max_kw, moved by a person's word", "000, tables 7-9"),
    "store.power_high_kw": Entry("upper limit of discharge less charge: discharge_max_kw, moved by a person's word", "000, tables 7-9"),
    "store.power_before_kw": Entry("discharge less charge before the first interval", "ours", when=RAMP),
    "store.ramp_release_kw": Entry("what the ramp lets go: everything past the end of the day", "ours", when=RAMP),
    "store.ramp_excess_high_kw": Entry("most that the ramp may be exceeded by", "ours", when=RAMP),
    "store.energy_reference_kwh": Entry("energy of the day-ahead schedule at the window's end", "000 §6", when=ROLLING),
    "store.terminal_price_per_kwh": Entry("largest price in the window, or 0", "000 §6", when=ROLLING),
    "ev_fleet.energy_before_kwh": Entry("energy stored since the start of the day, before the first interval", "000 §6"),
    "ev_fleet.power_high_kw": Entry("charging power of the vehicles of cohort c that are connected", "000 §5"),
    "ev_fleet.energy_low_kwh": Entry(f"sum over the vehicles of cohort c, {ENVELOPE} as late as it can", "000 §5"),
    "ev_fleet.energy_high_kwh": Entry(f"sum over the vehicles of cohort c, {ENVELOPE} as early as it can", "000 §5"),
    "ev_fleet.unreachable_kwh": Entry(
        "what vehicles of cohort c that have come want beyond what their chargers can give until they leave", "ours"),
    "ev_aggregator.arrivals_count": Entry("vehicles that connect in the interval", "003 §4", when=AGGREGATOR),
    "ev_aggregator.departures_count": Entry("vehicles that leave in the interval, early ones moved", "003 §4 (9), (12)", when=AGGREGATOR),
    "ev_aggregator.connected_count": Entry("vehicles usable in the interval", "003 §4 (8)", when=AGGREGATOR),
    "ev_aggregator.withdrawn_count": Entry("usable vehicles fewer than in the interval before", "ours", when=AGGREGATOR_RAMP),
    "ev_aggregator.reserve_kwh": Entry(
        "at the end of the day what its vehicles need that leave the next day: battery_kwh · the larger of energy_min_share and"
        " departure_energy_share less what can still be charged, summed; else 0", "003 §4 (11)",
        when="an EV aggregator with `cross_cycle`"),
    "ev_aggregator.energy_before_kwh": Entry("energy before the first interval; 0 where the start is decided", "003 §4", when=AGGREGATOR),
    "ev_aggregator.connected_before_count": Entry("vehicles usable before the first interval", "ours", when=AGGREGATOR_RAMP),
    "ev_aggregator.charge_before_kw": Entry("charging before the first interval", "ours", when=AGGREGATOR_RAMP),
    "ev_aggregator.discharge_before_kw": Entry("discharging before the first interval", "ours", when=AGGREGATOR_RAMP),
    "ev_aggregator.power_low_kw": Entry("lower limit of discharge less charge, moved by a person's word", "ours", when=AGGREGATOR),
    "ev_aggregator.power_high_kw": Entry("upper limit of discharge less charge, moved by a person's word", "ours", when=AGGREGATOR),
    "ev_aggregator.energy_reference_kwh": Entry("energy of the day-ahead schedule at the window's end", "003 §9", when=AGGREGATOR_ROLLING),
    "ev_aggregator.terminal_price_per_kwh": Entry("as a store's", "003 §9", when=AGGREGATOR_ROLLING),
    "tie.exchange_low_kw": Entry("lower limit of the exchange: exchange_min_kw, moved by a person's word",
                                 "000, table 12; the grid's 000 §1.4"),
    "tie.exchange_high_kw": Entry("upper limit of the exchange: exchange_max_kw, moved by a person's word",
                                 "000, table 12; the grid's 000 §1.4"),
    "tie.schedule_kw": Entry("day-ahead position that is the mean exchange of the schedule", "003 §9",
                             when="`position: expected`, once the schedule is decided"),
    "tie.exchange_before_kw": Entry("exchange before the first interval", "ours", when=RAMP),
    "tie.ramp_release_kw": Entry("what the ramp lets go: everything past the end of the day", "ours", when=RAMP),
    "tie.ramp_excess_high_kw": Entry("most that the ramp may be exceeded by", "ours", when=RAMP),
    "tie.wheeling_upper_price_per_kwh": Entry("half the wheeling's share of the price at the upper end", "003 (16), mended: the"
                                              " printed term pays for flow the other way", when=WHEELED),
    "tie.wheeling_lower_price_per_kwh": Entry("half the wheeling's share of the price at the lower end", "003 (16), mended", when=WHEELED),
    "tie.price_per_kwh": Entry("market price: price_series", "000, table 5", when="market"),
    "tie.sell_discount_per_kwh": Entry("(1 - sell_price_factor) · |price|: selling earns price less this, also where it is negative",
                                       "000 §4, mended for negative prices", when=SELL),
    "tie.deviation_up_price_per_kwh": Entry(
        "deviation_price_per_kwh + (imbalance_buy_factor - 1) · |price|; between networks firm_price_factor ·"
        " |firm_price_series|", "000 §4; 004 §7: a firm exchange", when=SCHEDULED),
    "tie.deviation_down_price_per_kwh": Entry(
        "deviation_price_per_kwh + (1 - imbalance_sell_factor) · |price|; between networks as above", "000 §4; 004 §7", when=SCHEDULED),
}

READOUTS: Final[dict[str, Entry]] = {
    "demand.injection": Entry("[carrier,t] shed_kw[t] - {load_kw[t]} - dump_kw[t]; [reactive,t] kvar_per_kw · shed_kw[t] - {load_kvar[t]}",
                              "000 §5"),
    "source.injection": Entry("[active,t] {available_kw[t]} - curtailed_kw[t]", "000 §5"),
    "generator.injection": Entry("[active,t] sum over i of segment_kw[t,i]; [reactive,t] reactive_kvar[t]", "000 §5"),
    "chp.injection": Entry("[active,t] power_kw[t] (electric heater: -power_kw[t]); [heat,t] heat_to_power_factor · power_kw[t]"
                           " - vent_kwth[t]", "000 §5"),
    "converter.injection": Entry("[active,t] active_factor · power_kw[t]; [heat,t] heat_factor · power_kw[t] - vent_kwth[t]; [hydrogen,t]"
                                 " hydrogen_factor · power_kw[t]", "004 §1.1, §4 (18), (19), (27)", when=CONVERTER),
    "store.injection": Entry("[carrier,t] discharge_kw[t] - charge_kw[t]", "000 §5"),
    "ev_fleet.injection": Entry("[active,t] -(sum over c of charge_kw[c,t])", "000 §5"),
    "ev_aggregator.injection": Entry("[active,t] discharge_kw[t] - charge_kw[t]", "003 §6", when=AGGREGATOR),
    "tie.injection_lower": Entry("[active,t] exchange_kw[t]; [reactive,t] exchange_kvar[t]", "000 §5"),
    "tie.injection_upper": Entry("[active,t] -exchange_kw[t]; [reactive,t] -exchange_kvar[t]", "000 §5", when="both ends in the model"),
}

TERMS_SAY: Final = {
    "energy_cost": ("energy bought and sold at ties with a market", ("energy_cost",)),
    "transmission_cost": ("carrying energy over ties between networks", ("transmission_cost",)),
    "storage_wear_cost": ("wear of stores, per kWh moved, and of vehicles that feed in", ("storage_wear_cost",)),
    "generator_cost": ("fuel of generators and running cost of sources; cost_constant_per_h · step_h per interval is a constant, or that"
                       " of a committed unit's intervals on", ("generator_cost",)),
    "commitment_cost": ("starts and stops of units", ("start_cost", "stop_cost")),
    "cogeneration_cost": ("fuel of cogeneration", ("cogeneration_cost",)),
    "conversion_cost": ("running cost of converters, and the fuel they buy", ("microgrid_cost",)),
    "curtailment_cost": ("power left unused, where the case prices it", ()),
    "vent_cost": ("heat sent to the cooler, where the case prices it", ()),
    "flexibility_cost": ("flexible charging, where the case pays for it (0 in the supplement)", ("beta_dra",)),
    "deviation_cost": ("deviation of an exchange from its day-ahead position", ("deviation_cost",)),
    "penalty_cost": ("everything elastic", ("penalty_cost",)),
    "terminal_cost": ("stored energy at the window's end against the day-ahead schedule", ("kappa_soc",)),
}

KINDS: Final = {
    "demand": "Inelastic load: sheddable at a price, never more than itself; a net load that feeds back has nothing to shed.",
    "source": "PV or wind: what is available may be curtailed.",
    "generator": "Dispatchable generator: a convex cost curve cut into chords, limits of active and reactive power, ramps, and on"
                 " or off where it is committed. P[t] is the sum over i of segment_kw[t,i], P[0] is power_before_kw.",
    "chp": "Combined heat and power in a fixed ratio (or the electric-heater reading of the same unit).",
    "converter": "One carrier into another. With f = conversion_factor, energy in and out per unit of power are 1 and f where the input is"
                 " electric, else 1 / f and 1. active_factor is -1 where it draws power, 1 where it feeds it, else 0. hydrogen_factor is"
                 " energy out, or less energy in, over 3 kWh per m3. heat_factor is energy out where heat is the output, else"
                 " waste_heat_share of the energy lost.",
    "store": "One store for electricity, heat or hydrogen; read kWth and kWhth, m3/h and m3 for kW and kWh. content_factor is the kWh per"
             " unit stored: 3 for hydrogen, else 1.",
    "ev_fleet": "A fleet of vehicles: per cohort c of departure, cumulative stored energy between two envelopes.",
    "ev_aggregator": "Vehicles known by their connection matrix, as one energy level: who arrives brings energy, who leaves takes it.",
    "tie": "A tie between two networks, or to the market above; the market's rows are the tie's.",
    "copper_plate": "A network without losses or limits.",
    "lindistflow": "A radial feeder without losses, voltages in magnitude form.",
}

_ELECTRIC: Final = {"_kwhth": "_kwh", "_kwth": "_kw", "_m3h": "_kw", "_m3": "_kwh"}


def electric_name(component: str) -> str:
    """A component of another carrier under its electric name: `charge_kwth` -> `charge_kw`."""
    for unit, electric in _ELECTRIC.items():
        if component.endswith(unit):
            return component.removesuffix(unit) + electric
    return component


def entry_key(entries: dict[str, Entry], kind: str, component: str) -> str | None:
    """Where a component's entry is, or None. Its own name comes first: `chp.vent_kwth` has no electric name."""
    for name in (component, electric_name(component)):
        if f"{kind}.{name}" in entries:
            return f"{kind}.{name}"
    return None
