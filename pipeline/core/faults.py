"""Named points where a test kills the process, to show that what is on disk heals. They do nothing in operation."""

from __future__ import annotations

import os
import signal

VARIABLE = "FEEDERFLOW_FAULT_POINT"


def fault_point(name: str) -> None:
    """Kill this process, without any clean-up, when the environment names this point.

    `FEEDERFLOW_FAULT_POINT=published-sql` kills at the first passage, `published-file:3` at the third.
    """
    wanted = os.environ.get(VARIABLE)
    if not wanted:
        return
    point, _, passage = wanted.partition(":")
    if point != name:
        return
    _passed[name] = _passed.get(name, 0) + 1
    if _passed[name] >= int(passage or 1):
        os.kill(os.getpid(), signal.SIGKILL)


_passed: dict[str, int] = {}
