"""The stages from a shell. Exit codes: 0 done, 5 published but degraded, 2 bad input, 3 no schedule, 4 integrity gate failed, 1 a bug."""

from __future__ import annotations

import sys
from typing import cast

import typer

from pipeline.cli import cases, operator, runs
from pipeline.cli.shared import error_line
from pipeline.core.errors import EXIT_DONE, FeederflowError, InputError

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
        error_line(str(error))
        sys.exit(error.exit_code)
    except typer.Exit as leave:
        sys.exit(leave.exit_code)
    except typer.Abort:
        sys.exit(130)
    except UsageError as error:
        error.show()
        sys.exit(BAD_USAGE)
    sys.exit(code if isinstance(code, int) else EXIT_DONE)
