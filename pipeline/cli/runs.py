"""Commands that decide and publish: ingest, day-ahead, real-time, run, study."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from pipeline.cli.shared import (
    AsOfOption,
    CaseArgument,
    DateOption,
    HomeOption,
    IssuedOption,
    JsonOption,
    MethodOption,
    ReplaceOption,
    StepsOption,
    VariantOption,
    ended_politely,
    finish,
    json_out,
    line,
    progress_bar,
    use_home,
)
from pipeline.core.errors import InputError, Mistake


def register(app: typer.Typer) -> None:
    """Add the commands that run stages."""
    app.command("ingest")(ingest)
    app.command("day-ahead")(day_ahead)
    app.command("real-time")(real_time)
    app.command("run")(run)
    app.command("study")(study)


def _request(case: str, date: str | None, method: str | None, variant: str | None, as_of: str | None, **more: Any) -> Any:
    from pipeline import stages

    return stages.request({"case": case, "date": date, "method": method, "variant": variant, "as_of": as_of, **more})


def ingest(
    case: CaseArgument,
    source: Annotated[list[str] | None, typer.Option("--source", help="only this source; may be repeated")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="say all that would be read, and store nothing")] = False,
    withdraw: Annotated[
        int | None, typer.Option("--withdraw", metavar="IMPORT", help="take this import back (its number is in the receipt), from now on")
    ] = None,
    again: Annotated[
        int | None, typer.Option("--again", metavar="IMPORT", help="read what a withdrawn import brought again, as if it were new")
    ] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Read a case's sources into the warehouse. What was read before is skipped."""
    from pipeline import stages

    use_home(home)
    if withdraw is not None:
        if source or dry_run or again is not None:
            raise InputError(Mistake("--withdraw", "stands beside --source, --dry-run or --again", "withdraw alone"))
        done = stages.withdraw_import(case, withdraw)
        json_out(done) if as_json else line(stages.describe_withdrawal(done, case=case))
        return
    if again is not None and source:
        raise InputError(Mistake("--again", "stands beside --source", "the import is of one source: leave --source out"))
    receipts = stages.ingest_sources(case, sources=source, again=again, dry_run=dry_run)
    if as_json:
        json_out(receipts)
    else:
        line(stages.describe_ingest(receipts, case=case))


def day_ahead(
    case: CaseArgument,
    date: DateOption = None,
    method: MethodOption = None,
    variant: VariantOption = None,
    as_of: AsOfOption = None,
    issued: IssuedOption = None,
    home: HomeOption = None,
    replace: ReplaceOption = False,
    as_json: JsonOption = False,
) -> None:
    """Forecast, scenarios, day-ahead schedule, gates, publication."""
    from pipeline import stages

    use_home(home)
    with progress_bar("day-ahead", quiet=as_json) as progress:
        result = stages.run_day_ahead(_request(case, date, method, variant, as_of, issued=issued, replace=replace), progress=progress)
    finish(result, as_json=as_json)


def real_time(
    case: CaseArgument,
    steps: StepsOption = None,
    date: DateOption = None,
    method: MethodOption = None,
    variant: VariantOption = None,
    as_of: AsOfOption = None,
    home: HomeOption = None,
    replace: ReplaceOption = False,
    as_json: JsonOption = False,
) -> None:
    """Re-dispatch and settle the quarter-hours of a day whose day-ahead schedule is published."""
    from pipeline import stages

    use_home(home)
    request = _request(case, date, method, variant, as_of, steps=steps, replace=replace)
    with progress_bar("real time", quiet=as_json) as progress:
        result = stages.run_real_time(request, progress=progress)
    finish(result, as_json=as_json)


def run(
    case: CaseArgument,
    date: DateOption = None,
    method: MethodOption = None,
    variant: VariantOption = None,
    as_of: AsOfOption = None,
    issued: IssuedOption = None,
    home: HomeOption = None,
    replace: ReplaceOption = False,
    as_json: JsonOption = False,
) -> None:
    """Day-ahead, then the whole day in quarter-hours."""
    from pipeline import stages

    use_home(home)
    request = _request(case, date, method, variant, as_of, issued=issued, replace=replace)
    with progress_bar("day-ahead", quiet=as_json) as progress:
        first = stages.run_day_ahead(request, progress=progress)
    stages.require_published(first)
    with progress_bar("real time", quiet=as_json) as progress:
        second = stages.run_real_time(request, progress=progress)
    finish(stages.combine(first, second), as_json=as_json)


def study(
    name: Annotated[str, typer.Argument(help="a shipped study's name (pipeline/data/studies, without .yaml), or a path")],
    jobs: Annotated[int, typer.Option("--jobs", min=1, help="processes in parallel")] = 1,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Re-run a period, or compare treatments on it. Resumes where it stopped or was interrupted (exit code 130); writes Parquet
    (and a page of treatments), prints means."""
    from pipeline import stages

    use_home(home)
    with ended_politely(), progress_bar("study", quiet=as_json) as progress:
        result = stages.run_study(name, jobs=jobs, progress=progress)
    if as_json:
        json_out(result)
    else:
        line(stages.describe_study(result))
