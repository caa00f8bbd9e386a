"""Checks of series, settings and sources: what is forecast must be delivered by something."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import available_timezones

from pipeline.cases.check_reading import check_reading
from pipeline.cases.folder import TABLE_FILES
from pipeline.cases.mistakes import Mistakes
from pipeline.cases.raw import nearest
from pipeline.cases.settings import RESIDUAL_LOAD, Method, Sampled
from pipeline.cases.source_files import candidates
from pipeline.cases.sources import (
    NEVER_NEGATIVE,
    ColumnMap,
    ErrorSampleSource,
    FileSource,
    FolderSource,
    GivenForecast,
    KindOfErrors,
    Mapping,
    Series,
    SessionFileSource,
    SessionSampleSource,
    SqlSource,
    StateSource,
)
from pipeline.core.units import AMOUNTS, CURRENCY, amount, conversion, is_price, known_units, measured_in, units_becoming
from pipeline.equipment import Demand, EvFleet, Source
from pipeline.equipment.base import POWER_MOST, PRICE_MOST
from pipeline.equipment.ev_fleet import EvSampling

if TYPE_CHECKING:
    from pipeline.cases.checks import Places


TWO_COLUMNS = ("keep one; of registers that take turns (day and night) give each a source of its own on the same file: each interval takes "
               "the one that has it; of columns that add up give each a series and a demand of its own on the same bus")
RESOLUTIONS = (15, 30, 60)  # minutes of a series: re-dispatch is by quarter-hours, day-ahead by hours


def check_sources(content: dict[str, Any], places: Places, data_dir: Path, mistakes: Mistakes) -> None:
    """Units, capacities, expectation tables, mappings, files, and that each series has a source."""
    series: dict[str, Series] = {one.id: one for one in (*content["series"], *content["given_forecasts"])}
    sources = content["sources"] or ()
    currency = content.get("currency", "USD")
    if not CURRENCY.fullmatch(currency):
        mistakes.note(places.top.place(("currency",)), f"currency '{currency}' is no code of ISO 4217", "write three capitals: CHF")
    for one in series.values():
        _check_series(one, content, places, mistakes)
    twice = [name for name, count in Counter(source.id for source in sources).items() if count > 1]
    for name in twice:
        mistakes.note(places.top.place(("sources",)), f"the source '{name}' is there twice", "give each its own id")
    delivered: set[str] = set()
    for index, source in enumerate(sources):
        place = places.top.place(("sources", index))
        if isinstance(source, ErrorSampleSource):
            delivered |= {one.id for one in content["series"] if one.by_local_hour is not None}
            _check_errors(source, place, mistakes)
        if isinstance(source, FileSource | FolderSource | SqlSource):
            delivered |= {column.series for column in source.mapping.columns}
            _check_mapping(source.id, source.mapping, series, place, mistakes, currency=currency)
        if isinstance(source, FileSource | FolderSource | SqlSource):
            check_reading(source.id, source.mapping, place, mistakes, is_text=not isinstance(source, SqlSource))
        if isinstance(source, SessionFileSource | StateSource):
            check_reading(source.id, source, place, mistakes, is_text=source.path is not None)
        if isinstance(source, StateSource):
            _check_states(source, place, mistakes)
        if isinstance(source, FileSource | FolderSource | SessionFileSource | StateSource):
            _check_path(source, content, places, data_dir, place, mistakes)
        if isinstance(source, ErrorSampleSource | SessionSampleSource):
            _check_date(source, place, mistakes)
    _check_delivery(content, series, delivered, places, mistakes)
    _check_given(content, delivered, places, mistakes)
    _check_method(content["settings"].method, places, mistakes)


def _check_method(method: Method, places: Places, mistakes: Mistakes) -> None:
    """Each step of a reduction takes in at least what it is to give out."""
    if not isinstance(method, Sampled):
        return
    wanted, kept = method.representative_count, method.pre_reduction_count
    for field, count in (("draw_count", method.draw_count), ("pre_reduction_count", kept)):
        if count is not None and count < wanted:
            place = places.top.place(("settings", "method", field))
            said = f"{field} is {count}, and {wanted} representatives are asked for"
            mistakes.note(place, said, f"give at least {wanted}, or ask for fewer")


def _check_series(one: Series, content: dict[str, Any], places: Places, mistakes: Mistakes) -> None:
    def note(field: str, message: str, remedy: str) -> None:
        table = "given_forecasts" if isinstance(one, GivenForecast) else "series"
        mistakes.note(places.of(table, one.id, field), f"series '{one.id}' {message}", remedy)

    currency, known = content.get("currency", "USD"), conversion(one.unit)
    if known is None:
        if one.kind != "price":
            kept = amount(one.unit)
            remedy = _unit_meant(one.unit, known_units(currency)) if kept is None else f"keep it in {kept[0]}; sources convert {one.unit}"
            note("unit", f"has the unit '{one.unit}', which is not known", remedy)
    elif known[1] != 1.0:
        note("unit", f"is kept in '{one.unit}'", f"keep it in {known[0]}; sources convert")
    if one.kind == "price" and one.unit != f"{currency}/kWh":
        note("unit", f"is a price in '{one.unit}', and the case's money is {currency}", f"give {currency}/kWh")
    if one.kind in ("pv", "wind") and one.capacity_kw is None and not isinstance(one, GivenForecast):
        note("capacity_kw", f"is {one.kind} and has no capacity_kw", "give the installed power: forecasts are clipped at it")
    if one.minimum is not None and one.minimum < 0 and one.kind in NEVER_NEGATIVE:
        note("minimum", f"is {one.kind} and has the minimum {one.minimum:g}", "give 0: what a device takes when it gives nothing is a load")
    users = [device for device in content["devices"] if isinstance(device, Demand | Source) and device.series == one.id]
    if one.kind == "other" and one.by_local_hour is None and any(isinstance(user, Demand) for user in users):
        remedy = "give it kind: load, and where it feeds back at times a `minimum` below 0, the most it feeds; of heat kind: heat"
        note("kind", "is of kind other and a demand follows it", remedy)
    elif one.kind == "other" and one.bounds[0] < 0 and any(isinstance(user, Source) or user.carrier == "heat" for user in users):
        note("minimum", "may be negative and a source or a demand of heat follows it", "give minimum: 0")
    if one.bounds[0] > one.bounds[1]:
        note("minimum", f"has values from {one.bounds[0]:g} to {one.bounds[1]:g}", "give minimum below maximum and capacity_kw")
    if one.by_local_hour is not None:
        low, high = min(one.by_local_hour), max(one.by_local_hour)
        most = PRICE_MOST if one.kind == "price" else POWER_MOST
        if max(-low, high) > most:
            note("by_local_hour", f"has a table from {low:g} to {high:g} {one.unit}", f"no value may be beyond {most:g}: mend its unit")
        if (one.minimum is not None and low < one.minimum) or (one.maximum is not None and high > one.maximum):
            note(
                "by_local_hour",
                f"has a table from {low:g} to {high:g}, outside its own minimum and maximum",
                "widen them or correct the table",
            )
        if one.capacity_kw is not None and high > one.capacity_kw:
            note(
                "capacity_kw",
                f"reaches {high:g} in its table, above capacity_kw {one.capacity_kw:g}",
                "raise capacity_kw or correct the table",
            )
    if one.resolution_min not in RESOLUTIONS:
        note("resolution_min", f"has the resolution {one.resolution_min} min", "give 15, 30 or 60; finer files are averaged on import")


def _check_mapping(name: str, mapping: Mapping, series: dict[str, Series], place: str, mistakes: Mistakes, *, currency: str) -> None:
    if not mapping.columns:
        mistakes.note(place, f"source '{name}' maps no column", "give mapping.columns, or `columns: every_series`")
    if (mapping.series_column is None) != (mapping.value_column is None):
        mistakes.note(place, f"source '{name}' has one of series_column and value_column", "a long table needs both")
    _check_published(name, mapping, series, place, mistakes)
    for column in mapping.columns:
        if column.series not in series:
            mistakes.note(place, f"source '{name}' fills series '{column.series}', which the case lacks", nearest(column.series, series))
        else:
            _check_unit(f"source '{name}', column '{column.column}'", column, series[column.series], place, mistakes, currency=currency)
    for target, count in Counter(column.series for column in mapping.columns).items():
        if count > 1:
            mistakes.note(place, f"source '{name}' fills series '{target}' from {count} columns", TWO_COLUMNS)


def _check_published(name: str, mapping: Mapping, series: dict[str, Series], place: str, mistakes: Mistakes) -> None:
    """One word on when a value was known, and only of what can be known ahead."""
    given, label = mapping.model_fields_set, f"source '{name}'"
    _check_said(name, mapping, series, place, mistakes)
    if mapping.published_local is None:
        for field in sorted({"published_before_days", "published_time_zone"} & given):
            mistakes.note(place, f"{label} has {field} without published_local", 'give published_local: "12:45", its local time')
        return
    for field in sorted({"available_after_min", "known_at_column", "issued_at_column"} & given):
        if getattr(mapping, field) is not None:
            mistakes.note(place, f"{label} has {field} beside published_local: two words on when a value was known", "keep one of them")
    if mapping.published_time_zone is not None and mapping.published_time_zone not in available_timezones():
        mistakes.note(place, f"{label}: published_time_zone '{mapping.published_time_zone}' is no time zone", "write it as Europe/Brussels")
    for column in mapping.columns:
        one = series.get(column.series)
        if one is not None and not mapping.knows_ahead(one):
            mistakes.note(place, f"{label} publishes series '{one.id}' ahead, which is measured (kind {one.kind})",
                          "map prices and tariffs (kind price or other) in a source of their own")


def _check_said(name: str, mapping: Mapping, series: dict[str, Series], place: str, mistakes: Mistakes) -> None:
    """A forecast of others is worth what it was known before: its source must say when that was, once."""
    label = f"source '{name}'"
    if mapping.known_at_column is not None and mapping.issued_at_column is not None:
        said = f"{label} has known_at_column and issued_at_column: two words on when a value was known"
        mistakes.note(place, said, "keep the one that the source has")
    for column in mapping.columns:
        one = series.get(column.series)
        if isinstance(one, GivenForecast) and mapping.known_by_column is None and mapping.published_local is None:
            mistakes.note(place, f"{label} does not say when the forecast '{one.id}' was issued",
                          "give issued_at_column, or published_local where it comes at a fixed time")
        elif one is not None and not isinstance(one, GivenForecast) and mapping.issued_at_column is not None:
            mistakes.note(place, f"{label} has issued_at_column and fills series '{one.id}', which is no forecast",
                          "declare it under given_forecasts, or map it in a source of its own")


def _check_given(content: dict[str, Any], delivered: set[str], places: Places, mistakes: Mistakes) -> None:
    """What forecasts of others are for: in place of ours for a series of the same unit and resolution, or regressors."""
    series = {one.id: one for one in content["series"]}
    others = {one.id: one for one in content["given_forecasts"]}
    forecast = content["settings"].forecast
    place = places.top.place(("settings", "forecast", "given"))
    for target, name in forecast.given.items():
        one, other = series.get(target), others.get(name)
        if one is None:
            mistakes.note(place, f"given names series '{target}', which the case lacks", nearest(target, series))
        if other is None:
            mistakes.note(place, f"the forecast of '{target}' is to be '{name}', which is none of given_forecasts", nearest(name, others))
        if target in forecast.regressors:
            mistakes.note(place, f"series '{target}' has a given forecast and regressors", "keep one: regressors are for our own forecast")
        if one is not None and other is not None and (one.unit, one.resolution_min) != (other.unit, other.resolution_min):
            mistakes.note(places.of("given_forecasts", name),
                          f"forecast '{name}' is in {other.unit} of {other.resolution_min} min, series '{target}' in {one.unit} of "
                          f"{one.resolution_min} min", f"give it unit {one.unit} and resolution_min {one.resolution_min}: sources convert")
    if forecast.model == "table" and forecast.given:
        mistakes.note(place, "the tables are the forecast, and given names others", "set forecast.model: arima, or take given away")
    wanted = {*forecast.given.values(), *(name for names in forecast.regressors.values() for name in names)} & set(others)
    for name in sorted(wanted - delivered):
        if content["sources"] is not None:
            mistakes.note(places.of("given_forecasts", name), f"no source delivers forecast '{name}', which settings.forecast uses",
                          "map a column to it under sources")


def _unit_meant(word: str, known: Iterable[str]) -> str:
    """The unit that is written so but for capitals and the sign of its currency; never one that merely looks alike: KW is not W."""
    units = list(known)
    plain = re.sub("€|euro?s?", "EUR", word.strip().replace(" ", ""), flags=re.IGNORECASE).casefold()
    meant = next((unit for unit in units if unit.casefold() == plain), None)
    return f"did you mean '{meant}'?" if meant else f"give one of {', '.join(units)}"


def _check_unit(label: str, column: ColumnMap, series: Series, place: str, mistakes: Mistakes, *, currency: str) -> None:
    known = measured_in(column.unit)
    if known is None:
        mistakes.note(place, f"{label}: unknown unit '{column.unit}'", _unit_meant(column.unit, units_becoming(series.unit, currency)))
    elif is_price(column.unit) and known != f"{currency}/kWh":
        remedy = f"convert the prices to {currency} before, or set currency: {known[:3]} for the case and unit: {known} for its prices"
        mistakes.note(place, f"{label}: a price in {column.unit}, and the case's money is {currency}", remedy)
    elif is_price(column.unit) and is_price(series.unit) and series.unit != known:
        pass  # the series is in another money than the case: said there
    elif known != series.unit and not (column.unit == "1" and column.scale_factor != 1.0):
        fitting = ", ".join(units_becoming(series.unit, currency))
        mistakes.note(place, f"{label}: {column.unit} does not become {series.unit}", f"give one of {fitting}")
    elif column.reading == "count" and amount(column.unit) is None:
        fitting = ", ".join(unit for unit in AMOUNTS if measured_in(unit) == series.unit) or "an energy, for a series of a power"
        mistakes.note(place, f"{label}: a counter does not count {column.unit}", f"give what it counts: {fitting}")


def _file_meant(name: str, near: Iterable[str]) -> str:
    """Remedy in words. Names are compared without their endings, which are the same of most."""
    stems = {Path(one).stem: one for one in near}
    close = get_close_matches(Path(name).stem, stems, n=1)
    return f"did you mean '{stems[close[0]]}'?" if close else "mend path, or put the file there"


def _check_path(
    source: FileSource | FolderSource | SessionFileSource | StateSource,
    content: dict[str, Any],
    places: Places,
    data_dir: Path,
    place: str,
    mistakes: Mistakes,
) -> None:
    if isinstance(source, FolderSource) or source.path is None:
        return  # a drop folder may be made later; a query has no path
    folder = places.folder
    tried = candidates(source.path, folder=folder, data_dir=data_dir)
    if any(path.is_dir() for path in tried) and not any(path.is_file() for path in tried):
        mistakes.note(place, f"source '{source.id}' reads '{source.path}', which is a folder", "name the file in it, or give kind: folder")
    elif not any(path.is_file() for path in tried):
        near = [path for root in dict.fromkeys(one.parent for one in tried) if root.is_dir() for path in sorted(root.glob("*.*"))]
        mistakes.note(
            place,
            f"source '{source.id}' reads '{source.path}', found neither in the case folder nor in {data_dir} and its series",
            _file_meant(source.path, (path.name for path in near if path.name not in TABLE_FILES)),
        )


def _check_states(source: StateSource, place: str, mistakes: Mistakes) -> None:
    asked = (source.url_env is not None, source.query is not None)
    if asked != ((False, False) if source.path is not None else (True, True)):
        mistakes.note(place, f"source '{source.id}' of states has no path and no query, or both", "give path, or url_env and query")


def _check_errors(source: ErrorSampleSource, place: str, mistakes: Mistakes) -> None:
    if source.correlated is None:
        return
    both = sorted({"sigma", "truncate_sd"} & source.model_fields_set)
    if both:
        mistakes.note(place, f"source '{source.id}' has {' and '.join(both)} beside correlated, which says both per kind of series",
                      f"take {' and '.join(both)} away, or correlated")
    for kind, errors in source.correlated:
        if isinstance(errors, KindOfErrors) and errors.most_share < errors.sd_share:
            mistakes.note(place, f"source '{source.id}' cuts the errors of {kind} at {errors.most_share:g}, below one standard deviation",
                          f"give most_share of at least {errors.sd_share:g}")


def _check_date(source: ErrorSampleSource | SessionSampleSource, place: str, mistakes: Mistakes) -> None:
    try:
        date.fromisoformat(source.first_date)
    except ValueError:
        mistakes.note(place, f"source '{source.id}': first_date '{source.first_date}' is no date", "write YYYY-MM-DD, a real day")


def _check_delivery(content: dict[str, Any], series: dict[str, Series], delivered: set[str], places: Places, mistakes: Mistakes) -> None:
    sources = content["sources"]
    used = {device.series: device.id for device in content["devices"] if hasattr(device, "series")}
    used |= {tie.market.price_series: tie.id for tie in content["ties"] if tie.market is not None}
    used |= {tie.firm_price_series: tie.id for tie in content["ties"] if tie.firm_price_series is not None}
    forecast = content["settings"].forecast
    for name, user in used.items():
        if name not in series:
            continue
        place = places.of("series", name)
        if forecast.model == "table" and series[name].by_local_hour is None:
            mistakes.note(
                place, f"series '{name}' has no table, and the forecast is to be the table", "give it a profile, or forecast.model: arima"
            )
        if forecast.model == "arima" and sources is not None and name not in delivered:
            mistakes.note(place, f"no source delivers series '{name}', which '{user}' follows", "map a column to it under sources")
    for target, regressors in forecast.regressors.items():
        for name in (target, *regressors):
            if name not in series and not (name == RESIDUAL_LOAD and name != target):
                place = places.top.place(("settings", "forecast", "regressors", target))
                mistakes.note(place, f"the regressors name series '{name}', which the case lacks", nearest(name, series))
    sampled = sources is None or any(isinstance(source, SessionSampleSource) for source in sources)
    for device in content["devices"]:
        if isinstance(device, EvFleet) and isinstance(device.sessions, EvSampling) and not sampled:
            place = places.of("devices", device.id, "sessions")
            mistakes.note(
                place, f"ev_fleet '{device.id}' has a sampling law and no source draws from it", "add a source of kind ev_sessions"
            )
            return
