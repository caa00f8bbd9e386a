"""What every schema shares."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints

Carrier = Literal["active", "reactive", "heat", "hydrogen"]
# Dots and brackets separate the parts of a row's name, so no identifier may hold one.
Identifier = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_]*$", max_length=64)]


class Record(BaseModel):
    """Immutable, strict about unknown fields, no NaN or infinity."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Device(Record):
    """Something at a bus that injects. A bus belongs to exactly one network."""

    id: Identifier
    bus: Identifier
