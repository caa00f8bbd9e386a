"""The stages from a shell. Exit codes: 0 done, 5 published but degraded, 2 bad input, 3 no schedule, 4 integrity gate failed,
130 interrupted (a study says how to go on), 1 a bug. With --json an error is one JSON object on standard output, too."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import NoReturn, cast

import typer

from pipeline.cli import cases, operator, runs
from pipeline.cli.shared import error_out
from pipeline.core.errors import EXIT_DONE, FeederflowError, InputError, Mistake, mistakes_in
from pipeline.store.files import refused_by_system

app = typer.Typer(name="feederflow", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)
runs.register(app)
operator.register(app)
app.add_typer(cases.app, name="case")

BAD_USAGE = InputError.exit_code
# Typer's own base of what a person mistyped; it has no public name. It shows itself as BadParameter does.
UsageError = cast("type[typer.BadParameter]", typer.BadParameter.__mro__[2])


def main() -> None:
    """Entry point: one clear message instead of a traceback for every error that we raise on purpose."""
    try:
        code = app(standalone_mode=False)
    except FeederflowError as error:
        error_out(mistakes_in(error), exit_code=error.exit_code, aftermath=error.aftermath)
        sys.exit(error.exit_code)
    except OSError as error:
        refused = refused_by_system(error, str(error.filename or "a file"))
        if _given(error):
            mistakes: tuple[Mistake, ...] = (
                Mistake(str(error.filename), f"cannot be used ({error.strerror})", "check that it is there and that you may"),)
        elif refused is not None:
            mistakes = refused.mistakes
        else:
            raise
        error_out(mistakes, exit_code=BAD_USAGE)
        sys.exit(BAD_USAGE)
    except typer.Exit as ended:
        sys.exit(ended.exit_code)
    except typer.Abort:
        sys.exit(130)
    except UsageError as error:
        if "--json" in sys.argv[1:]:
            error_out((Mistake("command line", error.format_message(), "see --help"),), exit_code=BAD_USAGE)
        else:
            error.show()
        sys.exit(BAD_USAGE)
    sys.exit(code if isinstance(code, int) else EXIT_DONE)


def _given(error: OSError) -> bool:
    """True where the operating system refuses a path of the command line itself; any other refusal is a bug, with its traceback."""
    return isinstance(error.filename, str | os.PathLike) and str(error.filename) in {str(Path(word)) for word in sys.argv[1:]}


def console() -> NoReturn:
    """`main` for a process of its own: it ends without tearing the interpreter down.

    At that point Arrow, DuckDB and HiGHS may still have threads of their pools at work, and a thread that is destroyed while it
    runs aborts the process (exit 134) after everything was said and stored. What we write is in files and committed by then.
    """
    keep_output_ours()
    try:
        main()
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else EXIT_DONE
    leave(code)


def keep_output_ours() -> None:
    """Standard output carries our own words alone: what a library writes to descriptor 1 goes to standard error, as does a child's.

    HiGHS 1.15 prints from its presolve although it is told to be quiet, in the middle of what `--json` promises. Done once for the
    process: around every solve it would be paid for each time, and threads share descriptors.
    """
    if sys.stdout is None or sys.stderr is None:  # closed by whoever started us: there is nothing to keep apart
        return
    sys.stdout.flush()
    ours = os.dup(1)
    os.dup2(2, 1)
    sys.stdout = os.fdopen(ours, "w", encoding=sys.stdout.encoding, errors=sys.stdout.errors)


def leave(code: int) -> NoReturn:
    """Flush what was said and end the process with `code`, without tearing the interpreter down."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(BrokenPipeError):  # the reader, `head` perhaps, had enough
            if stream is not None:  # None: closed by whoever started us
                stream.flush()
    os._exit(code)
