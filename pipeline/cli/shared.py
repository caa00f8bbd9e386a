"""Options and output that every command shares."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from pipeline.core.errors import EXIT_DEGRADED, EXIT_DONE, InputError, Mistake

CaseArgument = Annotated[str, typer.Argument(help="case name, or path of a case folder")]
DateOption = Annotated[str | None, typer.Option("--date", help="delivery date, YYYY-MM-DD; default: the case's default_date")]
MethodOption = Annotated[str | None, typer.Option(
    "--method", help="deterministic, stochastic, cvar, wasserstein, box_robust or affine; default: the variant's own")]
VariantOption = Annotated[str | None, typer.Option("--variant", help="variant of the case")]
AsOfOption = Annotated[
    str | None, typer.Option("--as-of", help="read nothing known later than this ISO time; naive is the case's local time")
]
IssuedOption = Annotated[str | None, typer.Option(
    "--issued", help="when the schedule is issued: now, or an ISO time; it knows what is known then. Default: the case's issue time, or "
                     "now where that has passed without a schedule and the day is not over")]
HomeOption = Annotated[Path | None, typer.Option("--home", help="warehouse and lake; default: FEEDERFLOW_HOME, or .feederflow here")]
JsonOption = Annotated[bool, typer.Option("--json", help="print one JSON object")]
StepsOption = Annotated[str | None, typer.Option("--steps", help="A:B, inclusive, from 1; default: the whole day")]
ReplaceOption = Annotated[bool, typer.Option("--replace", help="publish even where a run of the same or a newer issue time is current")]

Progress = Callable[[int, int], None]


def line(text: str) -> None:
    sys.stdout.write(text + "\n")


def error_line(text: str) -> None:
    sys.stderr.write(text + "\n")


def json_out(value: Any) -> None:
    line(json.dumps(value, indent=2, sort_keys=True, allow_nan=False))


def error_out(mistakes: Sequence[Mistake], *, exit_code: int, aftermath: str = "") -> None:
    """An error in words on standard error; with `--json` also as one object where results go, so that a reader of them always gets one."""
    said = [str(mistake) if mistake.place else mistake.message for mistake in mistakes]
    error_line("\n".join([*said, aftermath] if aftermath else said))
    if "--json" in sys.argv[1:]:
        json_out({"exit_code": exit_code, **asdict(mistakes[0]), "mistakes": [asdict(mistake) for mistake in mistakes],
                  **({"aftermath": aftermath} if aftermath else {})})


@contextmanager
def ended_politely() -> Iterator[None]:
    """SIGTERM as Ctrl-C: what a scheduler or a container sends is answered like a person's word."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def use_home(home: Path | None) -> None:
    """Make `--home` the folder that every stage of this process takes."""
    if home is not None:
        os.environ["FEEDERFLOW_HOME"] = str(home)


@contextmanager
def progress_bar(label: str, *, quiet: bool) -> Iterator[Progress | None]:
    """A progress bar on a terminal; nothing where output is read by a machine."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress as Bar

    with Bar(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(label, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def finish(result: dict[str, Any], *, as_json: bool) -> None:
    """Print a run's result and leave with its exit code."""
    if as_json:
        json_out(result)
    else:
        from pipeline import stages

        line(stages.describe(result))
    if not result["published"]:
        raise typer.Exit(InputError.exit_code)
    raise typer.Exit(EXIT_DEGRADED if result["status"] == "degraded" else EXIT_DONE)
