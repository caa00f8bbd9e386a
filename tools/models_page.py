"""The page `docs/models.md`: what the model says, from compiled programs of real cases and the laws declared beside the physics."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pipeline.cases.case import Case
from pipeline.cases.load import load_case
from pipeline.cases.settings import Settings
from pipeline.cases.sources import Series
from pipeline.equipment import (
    Branch,
    Chp,
    Commitment,
    Converter,
    Demand,
    EvAggregator,
    EvFleet,
    Generator,
    Market,
    Network,
    Record,
    Source,
    Store,
    Tie,
    Wheeling,
)
from pipeline.physics import laws
from pipeline.physics.assemble import assemble
from pipeline.physics.horizon import Horizon
from pipeline.physics.laws import Entry
from pipeline.program.compile import compile_model
from pipeline.program.linear_program import LinearProgram

TARGET = Path(__file__).resolve().parents[1] / "docs" / "models.md"
ROOT = TARGET.parents[1]
DEFAULT = "networked_microgrids_66_simbench"
RECORDS: dict[str, type[Record]] = {
    "demand": Demand, "source": Source, "generator": Generator, "chp": Chp, "converter": Converter, "store": Store,
    "ev_fleet": EvFleet, "ev_aggregator": EvAggregator, "tie": Tie, "copper_plate": Network, "lindistflow": Network,
}
MORE_FIELDS = {
    "converter": frozenset({"active_factor", "heat_factor", "hydrogen_factor"}), "store": frozenset({"content_factor"}),
    "tie": frozenset((*Market.model_fields, *Wheeling.model_fields)), "generator": frozenset(Commitment.model_fields),
    "lindistflow": frozenset(Branch.model_fields),
}

HEAD = """# The model

Written by `make docs`; do not edit. Every row, column, input and read-out is here of the compiled programs of `{case}` (day-ahead),
of `tiny` (rolling, with binaries) and of `tiny` with every option set. The laws stand in `pipeline/physics/laws.py`.
`tests/rows/test_laws_in_words.py` evaluates every formula, price and injection below against the compiled arrays at random numbers.

- A name is `<device, tie or network>.<component>[index]`: `f01_battery.energy_balance[17]`. Below, the kind stands for the id.
- `[t]` is the position, from 1; `step_h` its length in hours. Powers are means over an interval, stored energy stands at its end.
- `{{..}}` is an input: a number once the program is bound, so whatever changes with time, scenario or step moves no coefficient.
- Injection into the bus is positive. A unit is the end of a name: kw, kvar, kwh, kwth (heat), kv; money is the case's.
- What has a price under "elastic" or "cost" is charged in the named cost term; what is elastic makes a re-dispatch always exist and is
  reported as a finding.

The objective is the sum of the cost terms; in a stochastic schedule its mean over the weighted scenarios, in which the positions
`schedule_kw` and the binaries are shared.
"""

ACCEPTANCE: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("1", "66, 165, 330 buses with 10, 25, 50 microgrids", ("test_1_sizes",)),
    ("2", "the optimal cost scales as 2 : 5 : 10; 1499.2777 USD per feeder in the variant `reference`",
     ("test_2_costs_scale_with_the_feeders", "test_the_reference_costs_what_the_book_measured")),
    ("3", "generators follow the price at their bus (mended: not the market price, where the import sits at its limit)",
     ("test_3_generators_follow_the_nodal_price",)),
    ("4", "cogeneration runs at least at heat need, and flat out above its fuel cost unless the exchange binds",
     ("test_4_units_run_at_least_at_heat_need_and_flat_out_above_their_fuel_cost",)),
    ("5", "a battery cycles only where (p_charge + wear) / 0.9025 + wear <= p_discharge (mended)",
     ("test_5_a_battery_cycles_only_where_it_pays",)),
    ("6", "no slack, every voltage in its limits, no vehicle unserved", ("test_6_no_slack_and_every_voltage_in_its_limits",)),
    ("7", "perfect foresight <= rolling on every day; rolling <= no re-dispatch on the mean of 30 days: study `thirty_days`",
     ("test_7_perfect_foresight_costs_no_more_than_rolling",)),
    ("8", "the errors of the test days have mean 0 within 3 sigma / sqrt(n) and standard deviation 0.01 within 5 %",
     ("test_the_errors_of_each_kind_of_series_have_the_law_of_the_book",)),
)
HAND_WORKED: Mapping[str, str] = {
    "NMG-BS-1": "a battery over two prices costs -8.518475 USD", "NMG-BS-2": "a cycle just pays at 0.0556125 USD/kWh",
    "NMG-BS-3": "30 kW for a quarter-hour stores 7.125 kWh", "NMG-TS-1": "a heat store keeps 48.3 kWhth; discharge capped at 30 kWth",
    "NMG-RC-1": "heat-led cogeneration costs 1.70 USD", "NMG-RC-2": "with venting -4.80 USD", "NMG-RC-3": "below its fuel cost 1.84 USD",
    "NMG-DG-1": "a generator gives 50 kW at 0.1721, profit 2.105 USD/h", "NMG-DG-2": "20 kW at 0.1231, profit 0.462 USD/h",
    "NMG-DRA-1": "two vehicles over three prices cost 1.0409356 USD", "NMG-DRA-2": "4.06 kWh of one vehicle stay unserved",
    "NMG-NET-1": "a drop of 0.000913902 kV", "NMG-NET-2": "12.653947 kV at the third bus",
    "DRMG-EV-1": "departures 1, 2, 4, 1 and 4, 7, 7, 4, 3 vehicles connected",
    "DRMG-EV-2": "three vehicles that leave the next day keep 47.7 kWh", "DRMG-EV-3": "early departures 1, 4, 2, 1 use a budget of 4",
    "DRMG-EV-4": "two vehicles over two prices cost 15.3347368 yuan", "DRMG-EV-5": "111 kWh of ten vehicles cannot be delivered",
    "DRMG-DG-1": "a unit starts for 84 yuan, the backup takes 90", "DRMG-DG-2": "for two hours it stays off: 60 yuan",
    "DRMG-DG-3": "two hours on break a least time of three", "DRMG-FC-1": "a ramp of 100 kW/h leaves 75 kW in a quarter-hour",
    "DRMG-ES-1": "1280 kW fill a store to 0.9", "DRMG-ES-2": "from 0.5 to 0.1 it delivers 1155.2 kWh",
    "DRMG-NET-1": "100 kW over four equal lines: 50, 25, 25, 0", "DRMG-NET-2": "factors 0, -0.5, -0.25, -0.25 of line 1-2",
    "DRMG-BOX-1": "nominal 18.0, worst corner 27.85", "DRMG-W-1": "worst means 121, 130, 140.5, 160 over the radius",
    "DRMG-CCG-1": "bounds 22.5 and 30.6, then 30.2", "DRMG-SOM-1": "a distance of 0.32, a neuron moves to (0.4, 0.2)",
    "DRMG-RED-1": "weights 0.7 and 0.3 stay of three",
    "H2-EL-1": "100 kWh give 26.6667 m3", "H2-EL-2": "a quarter-hour at 450 kW gives 30 m3", "H2-FC-1": "that gas gives 52 kWh",
    "H2-TANK-1": "filled in 10 h, emptied in 5.2 h", "H2-ARB-1": "a cycle pays .0551 yuan/kWh from valley to peak, none to flat",
    "H2-BAT-1": "230 kWh, of which 180.5 kWh can be delivered", "H2-EB-1": "100 kW of electric heat, 78.1778 kW beside the others' heat",
    "H2-MGT-1": "gas turbines in merit order for 765 yuan/h; 540 from the grid", "H2-NET-1": "9.954 and 9.931 kV",
    "H2-ROB-1": "0, 30, 40, 50, 62 over the budget, primal and dual", "H2-ROB-2": "18, 23, 28, 28 over the budget",
    "H2-COORD-1": "cuts find an import of 60 kW and a cost of 62",
}
BOOKS = {  # prefix of the ids: the book and its section
    "NMG": "networked microgrids, section 9", "DRMG": "distributionally robust microgrids, section 13",
    "H2": "hydrogen microgrids, section 10",
}


@dataclass(frozen=True)
class Found:
    """One component of a kind, in its electric name, as the programs have it."""

    kind: str
    component: str
    names: tuple[str, ...]  # as they are in the programs: charge_kw, charge_kwth
    everywhere: bool  # in the plain day-ahead program of the default case
    facts: tuple[str, ...]  # cost terms of a column, role of an input


@dataclass(frozen=True)
class Catalogue:
    rows: tuple[Found, ...]
    columns: tuple[Found, ...]
    inputs: tuple[Found, ...]
    readouts: tuple[Found, ...]
    terms: tuple[str, ...]


def catalogue() -> Catalogue:
    """Everything that the programs hold. The first program is the plain one."""
    plain = load_case(DEFAULT)
    tiny = load_case("tiny")
    stores = frozenset(device.id for device in tiny.devices if device.kind == "store")
    built = [
        (plain, compile_model(assemble(plain, Horizon(2, 1.0)))),
        (tiny, compile_model(assemble(tiny, Horizon(2, 0.25, rolling=True), exclusive_devices=stores))),
    ]
    options = with_every_option(tiny)
    built += [(options, compile_model(assemble(options, Horizon(2, 0.25, rolling)))) for rolling in (False, True)]
    return Catalogue(
        rows=_found(built, laws.ROWS, lambda program: dict.fromkeys(program.row_index, ())),
        columns=_found(built, laws.COLUMNS, _terms_of_columns),
        inputs=_found(built, laws.INPUTS, lambda program: {name: (spec.role,) for name, spec in program.inputs.items()}),
        readouts=_found(built, laws.READOUTS, lambda program: dict.fromkeys(program.readout_index, ())),
        terms=built[0][1].terms,
    )


def with_every_option(case: Case) -> Case:
    """The case with every option that adds a row, a column or a cost."""
    extra = {
        "demand": {"dump_max_kw": 10.0}, "source": {"curtailment_cost_per_kwh": 0.01, "feed_in_cost_per_kwh": 0.02},
        "generator": {"ramp_kw_per_h": 50.0}, "store": {"ramp_kw_per_h": 40.0},
        "chp": {"vent_cost_per_kwh": 0.01}, "ev_fleet": {"flexibility_cost_per_kwh": 0.01},
    }
    devices = tuple(device.model_copy(update=extra.get(device.kind, {})) for device in case.devices)
    on_and_off = Commitment(start_cost=5, stop_cost=3, min_up_h=0.5, min_down_h=0.5)
    changed = {"commitment": on_and_off, "power_min_kw": 20.0, "cost_constant_per_h": 1.0}
    devices += tuple(
        device.model_copy(update={"id": f"{device.id}_committed", **changed})
        for device in devices if isinstance(device, Generator)
    )
    ties = tuple(
        tie if tie.market is None else tie.model_copy(update={"market": tie.market.model_copy(update={"sell_price_factor": 0.9})})
        for tie in case.ties
    )
    price = next(tie.market.price_series for tie in case.ties if tie.market is not None)
    wheeling = Wheeling(upper_price_series=price, lower_price_series=price)
    ties += tuple(
        tie.model_copy(update={"id": f"{tie.id}_{end}", "wheeling": wheeling, "ramp_kw_per_h": 100.0, "position": end})
        for tie in ties if tie.market is None for end in ("first_stage", "expected")
    )
    branches = tuple(branch.model_copy(update={"rating_kva": 1000.0}) for branch in case.branches)
    plate = next(network for network in case.networks if network.kind == "copper_plate")
    networks = tuple(one.model_copy(update={"carriers": (*one.carriers, "hydrogen")}) if one is plate else one for one in case.networks)
    bus = next(bus.id for bus in case.buses if bus.network == plate.id)
    devices += hydrogen(bus) + aggregators(bus) + (Demand(id="behind_a_roof", bus=bus, series="net_load"),)
    series = (*case.series, Series(id="net_load", kind="load", minimum=-50.0))
    changed = {"series": series, "devices": devices, "ties": ties, "branches": branches, "networks": networks, "tie_flows": "ptdf"}
    return case.model_copy(update=changed)


def hydrogen(bus: str) -> tuple[Converter | Store, ...]:
    """One converter of each direction with its options, and a tank."""
    return (
        Converter(id="electrolyser", bus=bus, input_carrier="active", output_carrier="hydrogen", power_max_kw=45, conversion_factor=0.8,
                  waste_heat_share=0.352, cost_per_kwh=0.06, vent_cost_per_kwh=0.01, exclusive_with="fuel_cell", exclusive="always"),
        Converter(id="fuel_cell", bus=bus, input_carrier="hydrogen", output_carrier="active", power_max_kw=40, conversion_factor=0.65,
                  waste_heat_share=0.45, cost_per_kwh=0.07, vent_cost_per_kwh=0.01, ramp_kw_per_h=20),
        Converter(id="boiler", bus=bus, input_carrier="active", output_carrier="heat", power_max_kw=50, conversion_factor=0.9,
                  cost_per_kwh=0.05, vent_cost_per_kwh=0.02),
        Store(id="tank", bus=bus, carrier="hydrogen", charge_max_kw=20, discharge_max_kw=20, charge_efficiency_share=1.0,
              discharge_efficiency_share=1.0, energy_max_kwh=135, energy_min_kwh=15, energy_initial_kwh=75, wear_cost_per_kwh=0.054,
              cycle="at_least"),
    )


def aggregators(bus: str) -> tuple[EvAggregator, ...]:
    """EV aggregators in both readings of start and departure."""
    plain = EvAggregator(
        id="aggregator", bus=bus, vehicle_count=9, charger_kw=4, battery_kwh=40, charge_efficiency_share=0.95,
        discharge_efficiency_share=0.9, arrival_energy_share=0.45, departure_energy_share=0.9, ramp_kw_per_h=8,
        discharge_cost_per_kwh=0.1, unserved_price_per_kwh=90,
    )
    strict = {"id": "strict_aggregator", "departure_form": "start_of_slot", "start": "handed_on"}
    return plain, plain.model_copy(update=strict)


def _terms_of_columns(program: LinearProgram) -> dict[str, tuple[str, ...]]:
    return {
        name: tuple(dict.fromkeys(program.terms[term] for term in program.column_term[index] if term >= 0))
        for name, index in program.column_index.items()
    }


def _found(
    built: list[tuple[Case, LinearProgram]], entries: dict[str, Entry], listed: Callable[[LinearProgram], Mapping[str, Iterable[str]]],
) -> tuple[Found, ...]:
    """One entry per kind and component. `listed`: full name -> facts, of one program."""
    names: dict[tuple[str, str], dict[str, None]] = {}
    facts: dict[tuple[str, str], dict[str, None]] = {}
    everywhere: set[tuple[str, str]] = set()
    for number, (case, program) in enumerate(built):
        kinds = kinds_of(case)
        for full, told in listed(program).items():
            owner, component = full.split(".", 1)
            kind = kinds[owner]
            key = laws.entry_key(entries, kind, component)
            place = (kind, component if key is None else key.split(".", 1)[1])
            names.setdefault(place, {})[component] = None
            facts.setdefault(place, {}).update(dict.fromkeys(told))
            if number == 0:
                everywhere.add(place)
    order = {kind: i for i, kind in enumerate(laws.KINDS)}
    return tuple(
        Found(*place, tuple(sorted(names[place])), place in everywhere, tuple(facts[place]))
        for place in sorted(names, key=lambda place: (order[place[0]], _rank(entries, place)))
    )


def _rank(entries: dict[str, Entry], place: tuple[str, str]) -> int:
    return list(entries).index(".".join(place)) if ".".join(place) in entries else len(entries)


def kinds_of(case: Case) -> dict[str, str]:
    """Kind by identifier: devices, ties, networks."""
    return ({device.id: device.kind for device in case.devices} | {tie.id: "tie" for tie in case.ties}
            | {network.id: network.kind for network in case.networks})


def complaints(found: Catalogue) -> list[str]:
    """What keeps the page from being whole, in words; empty when nothing does."""
    said = []
    for what, items, entries in sections(found):
        present = {f"{item.kind}.{item.component}" for item in items}
        said += [f"{what} {name}: no entry in pipeline/physics/laws.py" for name in sorted(present - set(entries))]
        said += [f"{what} {name}: no program has it" for name in sorted(set(entries) - present)]
        said += [f"{what} {item.kind}.{item.component}: not in every program, so its entry must say when"
                 for item in items if not item.everywhere and f"{item.kind}.{item.component}" in entries
                 and not entries[f"{item.kind}.{item.component}"].when]
    for item in found.columns:
        entry = laws.COLUMNS.get(f"{item.kind}.{item.component}")
        if entry is not None and bool(entry.price) != bool(item.facts):
            said.append(f"column {item.kind}.{item.component}: price '{entry.price}', but cost terms {item.facts}")
        if len(item.facts) > 1:
            said.append(f"column {item.kind}.{item.component}: costs in {item.facts}")
    said += [f"cost term {term}: no entry" for term in found.terms if term not in laws.TERMS_SAY]
    return said


def sections(found: Catalogue) -> tuple[tuple[str, tuple[Found, ...], dict[str, Entry]], ...]:
    return (("row", found.rows, laws.ROWS), ("column", found.columns, laws.COLUMNS), ("input", found.inputs, laws.INPUTS),
            ("read-out", found.readouts, laws.READOUTS))


def page(found: Catalogue) -> str:
    """The whole page. Raises ValueError where a component lacks its entry or a formula names what does not exist."""
    said = complaints(found) or strangers(found)
    if said:
        raise ValueError("\n".join(said))
    parts = [HEAD.format(case=DEFAULT)]
    parts += [_kind(found, kind, doc) for kind, doc in laws.KINDS.items()]
    parts += [_terms(), _aliases(), _acceptance(), _sources()]
    return "\n".join(parts)


def _kind(found: Catalogue, kind: str, doc: str) -> str:
    lines = [f"## {kind}", "", doc, ""]
    rows = [_cells(item, laws.ROWS) for item in found.rows if item.kind == kind]
    if rows:
        lines += _table(("row", "unit", "law", "when", "source", "in the book"),
                        [(name, e.unit, _formula(e.says), e.when, e.source, _codes(e.aliases)) for _, name, e in rows])
    columns = [_cells(item, laws.COLUMNS) for item in found.columns if item.kind == kind]
    if columns:
        lines += _table(("column", "unit", "meaning", "cost or elastic price", "cost term", "when", "source", "in the book"),
                        [(name, _unit(item), e.says, _formula(e.price), _codes(item.facts), e.when, e.source, _codes(e.aliases))
                         for item, name, e in columns])
    inputs = [_cells(item, laws.INPUTS) for item in found.inputs if item.kind == kind]
    if inputs:
        lines += _table(("input", "unit", "role", "meaning", "when", "source"),
                        [(name, _unit(item), ", ".join(item.facts), e.says, e.when, e.source) for item, name, e in inputs])
    readouts = [_cells(item, laws.READOUTS) for item in found.readouts if item.kind == kind]
    if readouts:
        lines += _table(("read-out", "formula", "when", "source"),
                        [(name, "; ".join(_formula(part) for part in e.says.split("; ")), e.when, e.source) for _, name, e in readouts])
    return "\n".join(lines)


def _cells(item: Found, entries: dict[str, Entry]) -> tuple[Found, str, Entry]:
    return item, _codes(item.names), entries[f"{item.kind}.{item.component}"]


def _terms() -> str:
    lines = ["## Cost terms", ""]
    return "\n".join(lines + _table(("term", "what it holds", "in the book"),
                                    [(f"`{term}`", says, _codes(aliases)) for term, (says, aliases) in laws.TERMS_SAY.items()]))


def _aliases() -> str:
    lines = ["## The book's identifiers", "", "Where the model book and the model name a thing differently, either name finds it here.", ""]
    return "\n".join(lines + _table(("in the book", "in the model"), [(f"`{a}`", _codes(names)) for a, names in sorted(aliases().items())]))


def aliases() -> dict[str, tuple[str, ...]]:
    """The model's names by the book's identifier."""
    found: dict[str, list[str]] = {}
    for entries in (laws.ROWS, laws.COLUMNS, laws.INPUTS, laws.READOUTS):
        for key, entry in entries.items():
            for alias in entry.aliases:
                found.setdefault(alias, []).append(key)
    for term, (_, names) in laws.TERMS_SAY.items():
        for alias in names:
            found.setdefault(alias, []).append(term)
    return {alias: tuple(names) for alias, names in found.items()}


def _acceptance() -> str:
    tests = tests_by_name()
    lines = ["## Acceptance checks and hand-worked numbers", "",
             "Section 8 of the networked microgrids book, each with the test that holds it:", ""]
    lines += _table(("check", "what must hold", "test"),
                    [(number, what, ", ".join(f"`{tests[name]}::{name}`" for name in names)) for number, what, names in ACCEPTANCE])
    held = hand_tests()
    for prefix, book in BOOKS.items():
        lines += [f"Hand-worked numbers of the book {book}:", ""]
        lines += _table(("id", "number", "test"), [(key, what, ", ".join(f"`{place}`" for place in held[key]))
                                                   for key, what in HAND_WORKED.items() if key.partition("-")[0] == prefix])
    lines += ["The rows of every device and network over three steps stand as readable text in `tests/rows/baselines`.", ""]
    return "\n".join(lines)


def hand_tests() -> dict[str, list[str]]:
    """Tests of the hand-worked numbers by id, `file::name`: those named by it, as test_DRMG_W_1_what_is_so."""
    found: dict[str, list[str]] = {}
    named = re.compile(rf"^def (test_({'|'.join(BOOKS)})_([A-Z]+)_(\d+)(?:_\w+)?)\(", flags=re.MULTILINE)
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for name, *key in named.findall(path.read_text()):
            found.setdefault("-".join(key), []).append(f"{path.relative_to(ROOT)}::{name}")
    return found


def tests_by_name() -> dict[str, str]:
    """Path of the file by the name of each test in tests/papers."""
    return {
        name: str(path.relative_to(ROOT)) for path in sorted((ROOT / "tests" / "papers").glob("test_*.py"))
        for name in re.findall(r"^def (test_\w+)\(", path.read_text(), flags=re.MULTILINE)
    }


def _sources() -> str:
    own = [f"- **{key}**: {what}" for key, what in laws.SOURCES.items()]
    further = [f"- **{key}**: {what}" for key, what in laws.FURTHER.items()]
    return "\n".join(["## Sources", "", *own, "", "Papers of other systems; no row of this version comes from them:", "", *further, ""])


def _unit(item: Found) -> str:
    units = {"kw": "kW", "kwh": "kWh", "kwth": "kWth", "kwhth": "kWhth", "kvar": "kvar", "kv": "kV", "share": "0 or 1",
             "m3h": "m3/h", "m3": "m3", "h": "h", "count": "vehicles"}
    return ", ".join(dict.fromkeys("money per kWh" if name.endswith("_per_kwh") else units[name.rsplit("_", 1)[1]] for name in item.names))


def _codes(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _formula(text: str) -> str:
    return f"`{text}`" if text else ""


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> list[str]:
    """A Markdown table without its empty columns, and a blank line."""
    kept = [i for i in range(len(head)) if any(row[i] for row in rows)]
    lines = ["| " + " | ".join(head[i] for i in kept) + " |", "|" + "---|" * len(kept)]
    lines += ["| " + " | ".join(row[i].replace("|", "\\|") for i in kept) + " |" for row in rows]
    return [*lines, ""]


def strangers(found: Catalogue) -> list[str]:
    """Names in formulas, prices and meanings that neither the program, the equipment nor the settings bear, in words."""
    fields = {kind: set(record.model_fields) for kind, record in RECORDS.items()}
    everywhere = set(Settings.model_fields) | set(Case.model_fields) | {"step_h"}
    said = []
    for what, items, entries in sections(found):
        for item in items:
            entry = entries[f"{item.kind}.{item.component}"]
            own = {other.component for _, others, _ in sections(found) for other in others if other.kind == item.kind}
            known = everywhere | own | fields[item.kind] | (MORE_FIELDS.get(item.kind, frozenset()))
            used = set(re.findall(r"\b[a-z][a-z0-9]*(?:_[a-z0-9]+)+\b", " ".join((entry.says, entry.price, entry.when, entry.source))))
            said += [f"{what} {item.kind}.{item.component}: nothing is called {name}" for name in sorted(used - known)]
    return said
