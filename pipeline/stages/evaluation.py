"""The file of an evaluation study: a case, days, treatments to compare, and what their plans are met with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from pydantic import Field, PositiveInt

from pipeline.cases.case import Case
from pipeline.cases.load import load_case
from pipeline.cases.mistakes import Mistakes
from pipeline.cases.raw import Raw, nearest
from pipeline.cases.records import build
from pipeline.cases.settings import BudgetedPrices, Method
from pipeline.core.errors import InputError
from pipeline.core.ids import canonical_json
from pipeline.equipment import Record
from pipeline.equipment.base import Identifier
from pipeline.stages.asked import METHODS, shared_fields
from pipeline.tables.studies import name_of

Against = Literal["held_out", "realised"]


class Evaluation(Record):
    """Plan every day of a period with every treatment, and meet the plans with what they were not made for.

    `held_out`: `held_out_count` scenarios a day, drawn from the same forecast with another seed. `realised`: what came. Both are
    met by the best recourse of the day-ahead program to the frozen first stage. `reference`: the treatment that differences and
    commitment changes are taken against, by default the first; of a swept one its first value.
    """

    kind: Literal["evaluation"]
    title: str
    case: str
    variant: str | None = None
    first_date: date | None = None
    last_date: date | None = None
    days: PositiveInt | None = None
    treatments: dict[Identifier, dict[str, Any]] = Field(min_length=1)
    reference: str | None = None
    against: tuple[Against, ...] = Field(default=("held_out",), min_length=1)
    held_out_count: int = Field(default=50, ge=2)
    confidence_share: float = Field(default=0.95, gt=0, lt=1)


class _Treatment(Record):
    """What a treatment changes of the run settings."""

    method: Method
    budgeted_prices: BudgetedPrices | None = None


@dataclass(frozen=True)
class Cell:
    """One treatment at one value of its swept parameter. `settings`: what it changes of the run settings, as JSON."""

    treatment: str
    parameter: str | None
    value: float | None
    settings: str

    @property
    def name(self) -> str:
        """Of its files, and to a person: `wasserstein radius_share=0.05`."""
        return name_of({"treatment": self.treatment, "parameter": self.parameter, "parameter_value": self.value})


@dataclass(frozen=True)
class Plan:
    """An evaluation study, checked: its record, its case and its cells. The first of the reference's cells is the reference."""

    study: Evaluation
    case: Case
    cells: tuple[Cell, ...]
    reference: Cell

    def cell(self, name: str) -> Cell:
        return next(cell for cell in self.cells if cell.name == name)


def evaluation_of(raw: Raw) -> Plan:
    """Raises InputError with every mistake of the file."""
    mistakes = Mistakes()
    study = build(Evaluation, raw, "study", mistakes)
    if study is None:
        raise InputError(mistakes)
    case = load_case(study.case, variant=study.variant)
    if "realised" in study.against and case.settings.forecast.model == "table":
        mistakes.note(raw.place(("against",)), f"nothing came of {case.name} ({case.variant}): its tables are the forecast",
                      "take against: [held_out], or a case whose forecast is arima")
    if len(set(study.against)) < len(study.against):
        mistakes.note(raw.place(("against",)), "a word stands twice", "name each once")
    cells: list[Cell] = []
    for name in study.treatments:
        cells += _cells(name, raw, case, mistakes)
    reference = study.reference or next(iter(study.treatments))
    if reference not in study.treatments:
        mistakes.note(raw.place(("reference",)), f"there is no treatment '{reference}'", nearest(reference, study.treatments))
    if mistakes:
        raise InputError(mistakes)
    return Plan(study, case, tuple(cells), next(cell for cell in cells if cell.treatment == reference))


def _cells(name: str, raw: Raw, case: Case, mistakes: Mistakes) -> Iterator[Cell]:
    given = raw.at("treatments", name)
    assert given is not None, "the record was built from the same values"
    fields = dict(given.value)
    sweep = fields.pop("sweep", None)
    if sweep is None:
        yield from _cell(name, None, None, fields, given, case, mistakes)
        return
    swept = _swept(sweep, given, name, mistakes)
    for parameter, values in swept.items():
        if parameter in fields:
            mistakes.note(given.place((parameter,)), f"treatment {name}: {parameter} is given and swept", "leave one of the two out")
        for value in values:
            yield from _cell(name, parameter, value, {**fields, parameter: value}, given, case, mistakes)


def _swept(sweep: Any, given: Raw, name: str, mistakes: Mistakes) -> dict[str, list[float]]:
    """The one field that is swept, with its values."""
    place = given.place(("sweep",))
    if not isinstance(sweep, dict) or len(sweep) != 1:
        mistakes.note(place, f"treatment {name}: sweep must name one field", "write `sweep: {radius_share: [0, 0.05, 0.1]}`")
        return {}
    (parameter, values), = sweep.items()
    good = isinstance(values, list) and values and all(isinstance(v, int | float) and not isinstance(v, bool) for v in values)
    if not good or len(set(values)) < len(values):
        mistakes.note(given.place(("sweep", parameter)), f"treatment {name}: the values of {parameter} are no list of different numbers",
                      "write [0, 0.05, 0.1]")
        return {}
    return {parameter: values}


def _cell(name: str, parameter: str | None, value: float | None, fields: dict[str, Any], given: Raw, case: Case,
          mistakes: Mistakes) -> Iterator[Cell]:
    """The treatment's record: what it gives, then what it shares with the case's own method, then the defaults."""
    prices = {"budgeted_prices": fields["budgeted_prices"]} if "budgeted_prices" in fields else {}
    method = {field: inner for field, inner in fields.items() if field != "budgeted_prices"}
    kind = method.get("kind")
    if isinstance(kind, str) and kind in METHODS:
        method = {**shared_fields(case, kind), **method}
    places = {("method", *path): place for path, place in given.places.items()}
    if parameter is not None:
        places["method", parameter] = given.place(("sweep", parameter))
    places |= {path: place for path, place in given.places.items() if path[:1] == ("budgeted_prices",)}
    places[()] = given.place(())
    record = build(_Treatment, Raw({"method": method, **prices}, places), f"treatment {name}", mistakes)
    if record is not None:
        changed = record.model_dump(mode="json", exclude=set() if prices else {"budgeted_prices"})
        yield Cell(name, parameter, None if value is None else float(value), canonical_json(changed))
