"""What stages say to people, in the case's local time; machines read the same as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from pipeline.cases.load import load_case
from pipeline.core.clock import from_epoch
from pipeline.ingest.fates import WORDS
from pipeline.publish.holding import dearer_than_holding
from pipeline.schedule.instructions import unit_of

NAMED = 4  # series in a line
FATES = {fate.name.lower(): words for fate, words in WORDS.items()}


def describe_ingest(receipts: Sequence[Mapping[str, Any]], *, case: str) -> str:
    """Per input a line with its name, rows, local time span, gaps and flags; its messages below."""
    zone = load_case(case).time_zone
    lines = []
    for receipt in receipts:
        name = receipt["source"] if receipt["unit"].startswith(receipt["source"]) else f"{receipt['source']}: {receipt['unit']}"
        lines.append(f"{name}  {_taken(receipt, zone, case)}")
        lines += [f"    {said}" for said in (*_accounts(receipt), *receipt["messages"])]
    return "\n".join(lines) or "The case has no sources."


def _taken(receipt: Mapping[str, Any], zone: str, case: str) -> str:
    if receipt["status"] == "withdrawn":
        return (f"was read before as import {receipt['import_id']}, which is withdrawn; nothing is stored: "
                f"`feederflow ingest {case} --again {receipt['import_id']}` reads it again")
    if receipt["status"] == "already_imported":
        return "was read before"
    number = "" if receipt["import_id"] is None else f"import {receipt['import_id']}  "
    parts = [f"{'only tried, nothing is stored  ' if receipt['status'] == 'tried' else number}{receipt['rows_read']:,} rows"]
    if receipt["first"] is not None:
        parts.append(f"{local(from_epoch(receipt['first']), zone)} to {local(from_epoch(receipt['last']), zone)} {zone}")
    parts.append(f"{receipt['gaps']:,} gaps" if receipt["gaps"] else "no gaps")
    parts += [f"{count:,} {flag.replace('_', ' ')}" for flag, count in receipt["flags"].items()]
    return "  ".join(parts)


def _accounts(receipt: Mapping[str, Any]) -> list[str]:
    """What became of the rows of each mapped column; columns of which it is the same share a line."""
    alike: dict[tuple[Any, ...], list[str]] = {}
    for account in receipt["accounts"]:
        alike.setdefault((account["rows"], account["values"], *account["fates"].items()), []).append(account["series"])
    lines = []
    for (rows, count, *fates), series in alike.items():
        parts = ", ".join(f"{number:,} {FATES[fate]}" for fate, number in fates)
        named = ", ".join(series[:NAMED]) + (f" and {len(series) - NAMED} more" if len(series) > NAMED else "")
        lines.append(f"{named}: {rows:,} rows gave {count:,} values: {parts}")
    return [*lines, f"{receipt['other_rows']:,} rows are of other series"] if receipt["other_rows"] else lines


def describe_withdrawal(done: Mapping[str, Any], *, case: str) -> str:
    """What a withdrawal changed, and what is to be done about it."""
    said = (f"Import {done['import_id']} of {done['source']} is withdrawn from now on: of what it brought, {done['restored']:,} are again"
            f" what they were before it, {done['emptied']:,} are not there any more. A replay as of an earlier moment still sees it. Its"
            f" file is read again once it has changed, or by `feederflow ingest {case} --again {done['import_id']}`.")
    files = done["read_again"]
    named = ", ".join(files[:NAMED]) + (f" and {len(files) - NAMED} more" if len(files) > NAMED else "")
    return f"{said}\nThe next import reads again what had said the same: {named}." if files else said


def describe_override(record: Mapping[str, Any], *, case: str) -> str:
    """What `override` entered or withdrew, and from when on it counts."""
    if "withdrawn" in record:
        return f"{record['target']}: {record['withdrawn']} withdrawn, from the next run on."
    loaded = load_case(case)
    zone, item = loaded.time_zone, next(one for one in (*loaded.devices, *loaded.ties) if one.id == record["target"])
    first, last, known = (local(datetime.fromisoformat(record[name]), zone) for name in ("valid_from", "valid_to", "known_at"))
    value = "" if record["quantity"] == "out" else f" {record['value']:g} {unit_of(item)} (positive feeds into the bus)"
    return (f"{record['target']}: {record['quantity']}{value} from {first} to {last} {zone}, known from {known}. Id {record['id']}.\n"
            f"{_binding(record)} `withdraw` in place of {record['quantity']} takes back what stands in the span.")


def _binding(record: Mapping[str, Any]) -> str:
    if record["binds"]:
        return "It binds every schedule and re-dispatch that is issued once it is known."
    return "It binds NOTHING: its span is over before it is known (--known-at is for studies of the past)."


def local(moment: datetime, zone: str) -> str:
    """Date and minute on the clocks of a zone."""
    return f"{moment.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M}"


def against_holding(kpis: Mapping[str, float | None], *, currency: str) -> list[str]:
    """A line where re-dispatch was dearer than holding the schedule; none where it was not, or where nobody computed it."""
    said = dearer_than_holding(kpis.get("rolling_cost"), kpis.get("no_redispatch_cost"), currency=currency)
    return [said] if said else []


def describe_evaluation(result: Mapping[str, Any]) -> str:
    """Treatments of an evaluation study side by side."""
    lines = [f"{result['study']}: {result['cells']} treatments, {result['days']} days, {len(result['failed'])} failed"]
    heads = ("treatment", "against", "days", "mean", f"{100 * result['confidence_share']:g} % interval", "to reference", "95 %", "worst",
             "unserved kWh", "CPU s")
    rows = [heads, *(_treatment(row) for row in result["treatments"])]
    widths = [max(len(row[place]) for row in rows) for place in range(len(heads))]
    for row in rows:
        cells = [cell.ljust(width) if place < 2 else cell.rjust(width) for place, (cell, width) in enumerate(zip(row, widths, strict=True))]
        lines.append(("  " + "  ".join(cells)).rstrip())
    lines += [f"  failed {item}: {said.splitlines()[0]}" for item, said in result["failed"].items()]
    lines += _warned(result["warnings"])
    if not result["same_days"]:
        lines.append("  Treatments have different days: their costs do not compare; `to reference` does, which is of common days.")
    return "\n".join([*lines, f"  {result['page']}", f"  {result['file']}"])


def _warned(warnings: Sequence[Mapping[str, Any]]) -> list[str]:
    """A line per treatment that warned: how often, and its first words. All of them are on the page."""
    of: dict[str, list[Mapping[str, Any]]] = {}
    for row in warnings:
        of.setdefault(row["name"], []).append(row)
    return [f"  {len(rows)} warning{'s' * (len(rows) > 1)} {name}: {rows[0]['delivery_date']} {rows[0]['stage']}, {rows[0]['place']}: "
            f"{rows[0]['message'].splitlines()[0]}" for name, rows in of.items()]


def _treatment(row: Mapping[str, Any]) -> tuple[str, ...]:
    def money(value: float | None, sign: str = "") -> str:
        return "" if value is None else f"{value:{sign},.2f}"

    interval = "" if row["mean_low_cost"] is None else f"{money(row['mean_low_cost'])} .. {money(row['mean_high_cost'])}"
    return (row["name"], row["against"].replace("_", " "), str(row["day_count"]), money(row["mean_cost"]), interval,
            money(row["difference_cost"], "+"), money(row["q95_cost"]),
            money(row["worst_cost"]), f"{row['shed_kwh'] + row['unserved_kwh']:.2f}", f"{row['cpu_s']:.2f}")


def proven(method: str, gap: float | None, objective: str | None = None) -> str:
    """How good the schedule is under its treatment: a gap that was proven, or the words that none was.

    objective: amount and currency of what the treatment minimised: the gap is of that, not of the expected cost.
    """
    if gap is None:
        said = "no gap was proven: a better schedule may exist"
    else:
        said = f"proven within {100 * gap:.2g} % of the best" if gap > 1e-6 else "proven to be the best, to a millionth"
    return f"treatment             {method}, {'' if objective is None else f'objective {objective}: '}{said}"
