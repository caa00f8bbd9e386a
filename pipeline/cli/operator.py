"""Commands for the operator: status, setpoints, override, state, report, query, bench."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.numbers import CommandWithNumbers
from pipeline.cli.shared import CaseArgument, HomeOption, JsonOption, VariantOption, error_line, json_out, line, use_home
from pipeline.core.errors import EXIT_DEGRADED

SetpointsDate = Annotated[
    str | None,
    typer.Option("--date", help="delivery date, YYYY-MM-DD; default: the published day that holds the next interval, else the newest one"),
]
AtOption = Annotated[
    str | None, typer.Option("--at", help="as of this ISO time instead of now; naive is the case's local time")
]
AuthorOption = Annotated[str, typer.Option("--author", help="required: who says so")]
KnownAtOption = Annotated[
    str | None, typer.Option("--known-at", help="for studies of the past: when it was known; naive is the case's local time; default: now")
]
ReportDate = Annotated[str | None, typer.Option("--date", help="delivery date, YYYY-MM-DD; default: the newest published day")]


def register(app: typer.Typer) -> None:
    """Add the operator's commands."""
    app.command("status")(status)
    app.command("setpoints")(setpoints)
    app.command("override", cls=CommandWithNumbers)(override)
    app.command("state", cls=CommandWithNumbers)(state)
    app.command("report")(report)
    app.command("query")(query)
    app.command("bench")(bench)


def status(
    case: Annotated[str | None, typer.Argument(help="only this case")] = None,
    at: AtOption = None,
    deep: Annotated[bool, typer.Option("--deep", help="read all that is published and the runs behind it, and compare checksums")] = False,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """What is published, of today or not, degraded or damaged, and runs that failed. Ends with 5 where it is stale, 3 where none is."""
    from pipeline import stages

    use_home(home)
    found = stages.status(case, at=at, deep=deep)
    if as_json:
        json_out(stages.status_rows(found))
    else:
        line(stages.describe_status(found))
    raise typer.Exit(found.exit_code)


def setpoints(
    case: CaseArgument,
    date: SetpointsDate = None,
    variant: VariantOption = None,
    step: Annotated[int | None, typer.Option("--step", help="quarter-hour of the day, from 1; default: the next one")] = None,
    at: AtOption = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Set-points of the next interval, or of one asked for, in local time: CSV, or JSON. Ends with 5 where they are stale."""
    from pipeline import stages

    use_home(home)
    found = stages.setpoints(case, date=date, variant=variant, step=step, at=at)
    if as_json:
        json_out(found.rows)
    else:
        sys.stdout.write(stages.setpoints_csv(found))
    if found.stale:
        error_line(found.stale)
    raise typer.Exit(found.exit_code)


def override(
    case: CaseArgument,
    target: Annotated[str, typer.Argument(help="device or tie")],
    quantity: Annotated[str, typer.Argument(help="out, set_point_kw, limit_low_kw, limit_high_kw, or withdraw")],
    value: Annotated[float | None, typer.Argument(help="kW, positive feeds into the bus; not for out and withdraw")] = None,
    start: Annotated[str | None, typer.Option("--from", help="ISO time; naive is the case's local time; default: now")] = None,
    end: Annotated[str | None, typer.Option("--to", help="ISO time; naive is the case's local time; default: one day after --from")] = None,
    author: AuthorOption = "",
    reason: Annotated[str, typer.Option("--reason", help="required: why")] = "",
    known_at: KnownAtOption = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """A person's word: device out, fixed set-point or limit, from the next run on."""
    from pipeline import stages

    use_home(home)
    record = stages.override(
        case, target=target, quantity=quantity, value=value, start=start, end=end, author=author, reason=reason, known_at=known_at
    )
    if as_json:
        json_out(record)
    else:
        line(stages.describe_override(record, case=case))


def state(
    case: CaseArgument,
    device: Annotated[str, typer.Argument(help="device or tie")],
    quantity: Annotated[str, typer.Argument(
        help="as in the table states: energy_kwh, energy_kwhth, energy_m3, on_share, in_state_h, power_kw, ..; soc_share; or withdraw")],
    value: Annotated[float | None, typer.Argument(help="in the unit that the name ends with; on_share: 1 or 0; not for withdraw")] = None,
    at: Annotated[
        str | None, typer.Option("--at", help="when it was measured; naive is the case's local time; default: now")] = None,
    since: Annotated[str | None, typer.Option("--since", help="with on_share: since when the unit is on or off")] = None,
    author: AuthorOption = "",
    known_at: KnownAtOption = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """A measured state of the plant, from which the next re-dispatch and the next day-ahead schedule start."""
    from pipeline import stages

    use_home(home)
    record = stages.state(case, device=device, quantity=quantity, value=value, at=at, since=since, author=author, known_at=known_at)
    if as_json:
        json_out(record)
    else:
        line(stages.describe_state(record, case=case))


def report(
    case: CaseArgument, date: ReportDate = None, variant: VariantOption = None, home: HomeOption = None, as_json: JsonOption = False
) -> None:
    """Write the report page of a published day again and print where it is."""
    from pipeline import stages

    use_home(home)
    path = stages.report(case, date=date, variant=variant)
    if as_json:
        json_out({"report": str(path)})
    else:
        line(str(path))


def query(
    sql: Annotated[str, typer.Argument(help='SQL over the published tables, e.g. "select * from costs"')],
    home: HomeOption = None,
    as_json: JsonOption = False,
    csv: Annotated[Path | None, typer.Option("--csv", help="write the result there as CSV")] = None,
) -> None:
    """DuckDB over what is published; one view per table, with the columns case_name, variant and delivery_date. It only reads."""
    from pipeline import stages

    use_home(home)
    rows, left_out = stages.query(sql)
    for path in left_out:
        error_line(f"{path}: is damaged and left out; `feederflow status --deep` says what makes it again")
    if csv is not None:
        stages.write_csv(rows, csv)
        line(str(csv))
    elif as_json:
        json_out(stages.rows_as_json(rows))
    else:
        line(stages.rows_as_text(rows))
    if left_out:
        raise typer.Exit(EXIT_DEGRADED)


def bench(
    name: Annotated[str | None, typer.Argument(help="one benchmark; default: all")] = None, as_json: JsonOption = False
) -> None:
    """The performance table: ratios in one run on this machine."""
    from pipeline import bench as benchmarks

    rows = benchmarks.run(name, report=None if as_json else line)
    if as_json:
        json_out([row.as_dict() for row in rows])
