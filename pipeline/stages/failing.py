"""A stage that raises leaves a run that says so: what failed is shown by `feederflow status`, and not only in a log."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from pipeline.core.errors import FeederflowError, mistakes_in
from pipeline.stages.home import open_home
from pipeline.store.runs import FAILED

Options = ParamSpec("Options")


def marks_failure(stage: Callable[Concatenate[str, Options], str]) -> Callable[Concatenate[str, Options], str]:
    """The stage, whose errors are also written into the run's record: status `failed`, and the first mistake in words."""

    @wraps(stage)
    def marked(run_id: str, /, *args: Options.args, **kwargs: Options.kwargs) -> str:
        try:
            return stage(run_id, *args, **kwargs)
        except FeederflowError as error:
            warehouse = open_home(create=False).warehouse
            record = warehouse.run(run_id)
            if record is not None and not record.finished:
                first = mistakes_in(error)[0]
                warehouse.finish_run(run_id, status=FAILED, parameters={"failure": str(first) if first.place else first.message})
            raise

    return marked
