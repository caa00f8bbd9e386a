"""Words of the page `docs/case.md` that no comment beside a field says: its head, and meanings by field or by record and field."""

from __future__ import annotations

HEAD = """
# The case folder

Tables written from the schemas by `make docs`; do not edit. `feederflow case new FOLDER` writes a commented case that runs as it is,
`feederflow case check FOLDER` names every mistake with file, line, column, value and remedy.

## Layout

A case is one folder. `case.yaml` is needed; every table may be a CSV file beside it, or, for all but devices, a list in `case.yaml`
under its name (`networks`, `buses`, `branches`, `ties`, `series`, `ev_connections`), or both. Devices stand in one CSV file per kind:
`demand.csv`, `source.csv`, `generator.csv`, `chp.csv`, `converter.csv`, `store.csv`, `ev_fleet.csv`, `ev_aggregator.csv`. Under
`devices: {kind: {field: value}}` in `case.yaml` stands what all devices of a kind share; a cell that is not empty wins over it. An
empty cell takes the default.

CSV files have a header line with the names below, comma or semicolon, UTF-8; lines that begin with `#` are comments. A cell that holds
a list separates its values by blanks (`6 7`); a record inside a record is written with a dot (`market.price_series`).
`profiles.csv` has a row per hourly slot (column `slot`, 1 to 24; slot 1 starts at `slot_start_hour`) and a column per profile, which a
series names by `profile` as its expectation table and a demand by `kvar_profile`. Other CSV files in the folder are histories, read where
a source names them.

Identifiers are a-z, 0-9 and _. Networks, devices and ties share one space of names; buses, branches, and series with forecasts of
them, have their own.

## Units and signs

The unit is the end of a field's name: kW, kvar, kVA, kWh, kWth and kWhth for heat, ohm, kV, p.u., hours, minutes; shares are 0 to 1,
prices in the case's `currency` per kWh. Sources convert on import: W, kW, MW, GW, Wth, kWth, MWth, kvar, Mvar, `CUR/kWh` and `CUR/MWh` in
the case's currency, `ct/kWh` for EUR, and `1` with a `scale_factor` for a profile.

Loads are positive as loads, sources as generation. Exchange of a tie is positive from its upper into its lower end: at the tie to the
market, import is positive and `exchange_min_kw: -200` allows an export of 200 kW. Power of stores, chargers and exchange is at the bus.
Local times are on the clock of `time_zone`; an interval is named by its start.

## Heat beside a feeder

A feeder (`lindistflow`) carries active and reactive power. Heat has a network of its own, a copper plate that carries `active` and `heat`,
with a bus for the devices of heat, and a tie without a market brings it power from the feeder, or takes what a CHP there makes. Beside a
feeder with the buses `b1` and `b2`:

```yaml
networks:
  - {id: feeder, kind: lindistflow, carriers: [active, reactive], base_kv: 0.4, slack_bus: b1}
  - {id: heating, kind: copper_plate, carriers: [active, heat]}
ties:
  - {id: grid, lower_bus: b1, exchange_min_kw: -200, exchange_max_kw: 250, reactive_max_kvar: 150, market: {price_series: price}}
  - {id: basement, upper_bus: b2, lower_bus: h1, exchange_min_kw: -60, exchange_max_kw: 60}
```

```csv
buses.csv:   h1,heating
demand.csv:  id,bus,series,carrier     warmth,h1,heat,heat
chp.csv:     id,bus,mode,power_max_kw,heat_to_power_factor,fuel_cost_per_kwh     heatpump,h1,electric_heater,15,3.0,0
```

## Real EV sessions

`sessions: observed`, the default of an `ev_fleet`, takes the vehicles' sessions from the store. They come from a file:

```yaml
sources:
  - {kind: sessions, id: charging_log, path: sessions.csv, time_zone: Europe/Berlin}
```

```csv
fleet,arrival,departure,need_kwh,charger_kw
depot,2024-05-02 17:40,2024-05-03 06:30,21.5,11
```

`fleet` is the id of the ev_fleet, `need_kwh` the energy that the battery is to gain (stored, not drawn from the grid). `charger_kw` may be
left out: then it is the fleet's. A column `session` may name each session, so that a changed departure replaces the earlier one. The
sessions of the 14 days before delivery are what the fleet is expected to do.

## Measured states

What the plant's own meters say of stores and units replaces what was computed, from the next run on. A source of `kind: states` reads it
from a file or, with `url_env` and `query` in place of `path`, from a database; `feederflow state` takes it from a person:

```yaml
sources:
  - {kind: states, id: scada, path: states.csv, time_zone: Europe/Berlin}
```

```csv
measured_at,device,quantity,value,unit,since
2024-05-02 17:40,battery,energy_kwh,0.2,MWh,
2024-05-02 17:40,tank,soc_share,55,%,
2024-05-02 17:40,diesel,on_share,1,,2024-05-02 11:15
```

`quantity` is named as in the table `states`: `energy_kwh`, `energy_kwhth` or `energy_m3` of a store or `ev_aggregator`, `soc_share` (of the
largest energy), `on_share` (1 or 0) and `in_state_h` of a unit with commitment, `power_kw` and `exchange_kw` of what ramps (positive feeds
into the bus). `unit` and `since` may be left out; a row without a value says nothing. The vehicles of an `ev_fleet` are told by sessions.

A value counts from the first interval that starts after it was measured and was decided when it was known, carried there by what the device
did since. The next day's schedule starts from it, too, carried by the rest of today's. The difference to the computed state is a finding.

## Vehicles by connection matrix

An `ev_aggregator` knows its vehicles by how many connect in an hourly slot of the delivery day and for how long they stay, one row of
`ev_connections.csv` each; the day repeats:

```csv
aggregator,connect_slot,dwell_h,vehicle_count
car_park,14,10,2
```

Two vehicles connect in slot 14 (with a day that starts at 03:00: between 16:00 and 17:00), can be used in the ten slots after it, and
leave in the last of these.

## Variants

`variants` maps a name, chosen by `--variant`, to what differs from the rest of the file. `settings`, `sources`, `title`, `currency`,
`default_date`, `balancing_tie`, `balancing_chain`, `tie_flows`, `time_zone` and `day_start_local` are merged key by key (lists are
replaced, and so is a record of another `kind`). Under the name of a table stands an id (one record) or a field (all of them); under
`devices` an id or a kind:

```yaml
variants:
  two_price:
    ties:
      grid:
        market: {imbalance_buy_factor: 1.3, imbalance_sell_factor: 0.7}
    devices:
      store: {wear_cost_per_kwh: 0.002}   # every store
      battery_2: {energy_max_kwh: 200}    # this one
    settings:
      method: {kind: deterministic}
```
"""

READING_FIELDS = {
    "variants": ("mapping", "none", "name -> what differs; see above"),
    "slot_start_hour": ("whole number", "none", "local hour at which slot 1 of profiles.csv starts"),
    "normalise_load_ratio": ("true or false", "`false`", "divide the demands' series_share by their sum per series"),
}

MEANINGS = {
    "id": "identifier", "kind": "which of its kind", "bus": "bus at which it stands", "name": "the folder's name",
    "title": "what a person calls it", "currency": "code of ISO 4217 for all money of the case",
    "time_zone": "zone of the market, as Europe/Berlin",
    "day_start_local": "wall-clock time at which a delivery day starts", "default_date": "delivery day that is taken without --date",
    "networks": "below, or networks.csv", "buses": "below, or buses.csv", "branches": "below, or branches.csv",
    "ties": "below, or ties.csv",
    "devices": "fields that devices of a kind share", "Case.series": "below, or series.csv", "sources": "where histories come from",
    "settings": "how the case is run", "carriers": "what flows in it; lindistflow needs active and reactive",
    "Network.kind": "tree of branches with voltages, or one balance over all buses", "base_kv": "rated line-to-line voltage",
    "voltage_min_pu": "lowest voltage allowed", "voltage_max_pu": "highest voltage allowed", "slack_voltage_pu": "voltage of the slack bus",
    "slack_bus": "lindistflow: the bus that the grid feeds", "voltage_price_per_pu_h": "price of a voltage beyond its limits",
    "network": "network it belongs to", "from_bus": "one end", "to_bus": "other end", "r_ohm": "resistance; 0 for a busbar tie",
    "x_ohm": "reactance", "rating_kva": "what loading is measured against; empty: not reported",
    "upper_bus": "upper end; empty where it leads to a market", "lower_bus": "lower end",
    "exchange_min_kw": "lowest exchange into the lower end; negative: out of it", "exchange_max_kw": "highest exchange into the lower end",
    "firm_price_series": "series of kind price; between networks a deviation costs a multiple of it",
    "market": "prices of what is exchanged, where there is no upper bus", "price_series": "series of kind price",
    "Demand.carrier": "what it takes", "Store.carrier": "what it holds", "Demand.series": "load in kW, or heat in kWth, that it follows",
    "Source.series": "available power that it follows", "series_share": "its part of the series",
    "curtailment_cost_per_kwh": "cost of energy left unused", "power_max_kw": "highest power", "power_min_kw": "lowest power",
    "reactive_min_kvar": "lowest reactive power", "reactive_max_kvar": "highest reactive power",
    "cost_constant_per_h": "a of the cost a + b P + c P²", "cost_linear_per_kwh": "b", "cost_quadratic_per_kw2h": "c",
    "segment_count": "chords that the cost curve is cut into", "ramp_kw_per_h": "largest change of power; empty: none",
    "wheeling": "what carrying energy over it costs", "Wheeling.price_share": "of the mean of both prices",
    "upper_price_series": "series of kind price at the upper end", "lower_price_series": "at the lower end",
    "Tie.ramp_kw_per_h": "largest change of exchange; empty: none",
    "reactance_pu": "between networks: shares flows where `tie_flows: ptdf`",
    "position": "what the exchange is scheduled at: a decision of the first stage, or its mean, left at a price in real time only",
    "on_initially": "on before the first day",
    "mode": "makes heat and power, or heat from power", "vent_cost_per_kwh": "cost of heat let go, per kWhth",
    "vent_allowed": "heat may be let go",
    "input_carrier": "what it takes; fuel is bought outside, at cost_per_kwh", "output_carrier": "what it makes",
    "cost_per_kwh": "running cost, and the fuel it buys, per kWh of power",
    "exclusive_with": "a converter that never runs in the same interval; one of the two names the other",
    "charge_max_kw": "highest charging power", "discharge_max_kw": "highest discharging power",
    "charge_efficiency_share": "stored over drawn energy", "discharge_efficiency_share": "fed over taken energy",
    "energy_max_kwh": "most it holds", "energy_min_kwh": "least it holds", "energy_initial_kwh": "what it holds at the start of a day",
    "vehicle_count": "vehicles in the fleet", "charger_kw": "power of one charger", "battery_kwh": "one vehicle's battery",
    "flexibility_cost_per_kwh": "cost of charging moved by the schedule", "arrival_h": "local hour of arrival",
    "arrival_energy_share": "energy on arrival, of the battery", "departure_energy_share": "energy wanted on departure, of the battery",
    "seed": "of the draws", "mean": "of the law", "sd": "standard deviation", "low": "nothing below", "high": "nothing above",
    "Series.kind": "what it measures; `other` may follow any device", "unit": "unit in which it is kept; sources convert to it",
    "by_local_hour": "expectation table, 24 values by local hour; in series.csv `profile` names a column of profiles.csv",
    "Series.resolution_min": "length of its intervals", "GivenForecast.resolution_min": "length of its intervals",
    "GivenForecast.kind": "what it forecasts; weather is `other`", "GivenForecast.capacity_kw": "for the checks of size on import",
 "maximum": "plausible range: above is flagged or refused on import",
    "FileSource.path": "in the case folder, shipped (`pipeline/data/series/`), or absolute", "FolderSource.path": "folder that is watched",
    "pattern": "names of the files that are read", "mapping": "how its columns become series",
    "url_env": "environment variable with the address",
    "query": "table name or query", "first_date": "first delivery day, YYYY-MM-DD", "training_days": "days before the test days",
    "test_days": "days after them", "sigma": "standard deviation of the error, as a share",
    "truncate_sd": "errors stay within so many sigma",
    "Mapping.available_after_min": "how long after its end a value was known, or a forecast after its issue",
    "available_after_min": "how long after its end a value was known", "SessionSampleSource.days": "delivery days that are drawn",
    "decimal": "decimal mark", "separator": "between cells", "time_column": "column of the stamps",
    "time_is": "the stamp names start or end",
    "Mapping.resolution_min": "length of the intervals in the source",
    "columns": "value columns, or `every_series`: columns named as the series",
    "series_column": "long table: column of the names", "value_column": "long table: column of the values", "column": "name in the source",
    "ColumnMap.series": "series that it fills", "sign": "-1 where the source counts the other way",
    "scale_factor": "further factor on the values",
    "method": "one forecast, or weighted scenarios", "forecast": "how series are forecast",
    "day_ahead_step_min": "step of the day-ahead schedule",
    "real_time_window_steps": "quarter-hours that each re-dispatch looks ahead",
    "first_interval": "what a re-dispatch knows of its first interval", "slack_price_per_kwh": "price of energy not served",
    "solver_time_limit_s": "limit of one day-ahead solve", "real_time_time_limit_s": "limit of one re-dispatch",
    "mip_gap_share": "gap at which a solve with binaries ends", "draw_count": "scenarios drawn", "representative_count": "scenarios kept",
    "reducer": "how they are chosen", "model": "ARIMA from history, or the expectation tables",
    "window_days": "history of a series that is fitted",
    "price_window_days": "the same for prices",
    "budgeted_prices": "protection against uncertain prices, on top of any method", "representative": "what stands for a cluster",
    "pre_reduction_count": "draws kept by probability distance before the reducer; null: all",
    "aversion_share": "0: the mean, 1: the tail alone", "tail_share": "probability of the outcomes that count as the tail",
    "radius_share": "transport distance of the laws guarded against; 0: none", "Wasserstein.solution": "auto: by size",
    "gap_share": "proven gap at which it ends", "half_widths": "how far a series may lie from its forecast",
    "HalfWidths.source": "the shares below, or what the draws show", "load_share": "of loads", "heat_share": "of heat loads",
    "pv_share": "of PV", "wind_share": "of wind", "price_share": "of prices: for `budgeted_prices` only", "other_share": "of other series",
    "budget_share": "share of the deviations that may be at their worst at once; 0: the forecast",
    "budget_scope": "what a budget counts over", "deviations": "up and down apart, or one that goes both ways",
    "early_departures": "vehicles may leave early, too",
    "memory_steps": "intervals back that a rule looks", "information": "whose deviations a rule sees",
    "rule_distance_price_per_kwh": "weight of leaving the rules when re-dispatching",
    "half_width_share": "of the price's size", "aggregator": "id of the ev_aggregator",
    "EvConnection.vehicle_count": "so many vehicles",
    "Study.kind": "run every day, day-ahead and in real time", "Evaluation.kind": "plan every day with every treatment",
    "case": "name of a shipped case, or path of a case folder", "variant": "of the case", "Study.method": "as `--method`",
    **{f"{kind}.{field}": said for kind in ("Study", "Evaluation") for field, said in (
        ("first_date", "first delivery day; none: the case's default_date"), ("last_date", "last delivery day; none: `days` of them"),
        ("days", "how many, where last_date is not given; none: 1"))},
    "treatments": "by name the fields of `settings.method`, and `budgeted_prices`; what is left out is the case's own. "
                  "`sweep: {radius_share: [0, 0.1]}` makes one treatment of each value",
    "reference": "treatment that the others are compared with; none: the first", "against": "scenarios drawn afresh, what came, or both",
    "held_out_count": "scenarios drawn afresh, per day", "confidence_share": "of every interval",
}  # fmt: skip
