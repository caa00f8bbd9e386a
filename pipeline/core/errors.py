"""One family of errors. Each carries the place, what is wrong and the remedy, and maps to one exit code."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, order=True)
class Mistake:
    """One thing a person must mend, at one place."""

    place: str  # "sources.csv, line 12, column bus"
    message: str  # "pv3 sits on bus '47a', which the feeder lacks"
    remedy: str = ""  # "did you mean '47'?"

    def __str__(self) -> str:
        return f"{self.place}: {self.message}" + (f"; {self.remedy}" if self.remedy else "")


class FeederflowError(Exception):
    """Base of every error that we raise on purpose."""

    exit_code: ClassVar[int] = 1

    @property
    def aftermath(self) -> str:
        """What was done all the same, in words; empty where nothing was."""
        return ""


class InputError(FeederflowError):
    """Bad input. Carries every mistake found, not only the first."""

    exit_code = 2

    def __init__(self, mistakes: Mistake | Iterable[Mistake]) -> None:
        self.mistakes = (mistakes,) if isinstance(mistakes, Mistake) else tuple(mistakes)
        super().__init__("\n".join(str(mistake) for mistake in self.mistakes))


class Damaged(InputError):
    """Something stored cannot be read as it was written: says what, and what makes it again."""


class StorageRefused(InputError):
    """The storage took no bytes (disk full, read-only, not allowed). What was stored before is as it was."""


class NoSchedule(FeederflowError):
    """No schedule could be made: says which rows and inputs conflict, or which data are missing.

    proven: no schedule exists at all, as against none that was found.
    """

    exit_code = 3

    def __init__(self, message: str, *, proven: bool = False) -> None:
        self.proven = proven
        super().__init__(message)


class GateFailed(FeederflowError):
    """An integrity gate failed. Nothing was published; what was published before is still current."""

    exit_code = 4

    def __init__(self, mistakes: Mistake | Iterable[Mistake]) -> None:
        self.mistakes = (mistakes,) if isinstance(mistakes, Mistake) else tuple(mistakes)
        super().__init__("\n".join(str(mistake) for mistake in self.mistakes))


class Interrupted(FeederflowError):
    """Stopped from outside (Ctrl-C, SIGTERM) before its end: says what is done and how to go on."""

    exit_code = 130

    def __init__(self, mistake: Mistake) -> None:
        self.mistakes = (mistake,)
        super().__init__(str(mistake))


def mistakes_in(error: FeederflowError) -> tuple[Mistake, ...]:
    """What an error names; one without a place for an error that is words alone."""
    found: tuple[Mistake, ...] = getattr(error, "mistakes", ())
    return found or (Mistake("", str(error)),)


EXIT_DONE = 0
EXIT_DEGRADED = 5
