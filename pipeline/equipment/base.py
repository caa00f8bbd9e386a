"""What every schema shares."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Carrier = Literal["active", "reactive", "heat", "hydrogen"]
# Dots and brackets separate the parts of a row's name, so no identifier may hold one.
Identifier = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_]*$", max_length=64)]

# Wider than any plant: what lies outside is a slip of unit or of a decimal point, and would make a program that no solver can scale.
POWER_MOST, PRICE_MOST, OHM_MOST = 1e9, 1e6, 1e4
HYDROGEN_KWH_PER_M3 = 3.0  # lower heating value (2.995 at 0 C and 1 atm)
Power = Annotated[float, Field(ge=-POWER_MOST, le=POWER_MOST)]
NonNegativePower = Annotated[float, Field(ge=0, le=POWER_MOST)]
PositivePower = Annotated[float, Field(gt=0, le=POWER_MOST)]
Price = Annotated[float, Field(ge=-PRICE_MOST, le=PRICE_MOST)]
NonNegativePrice = Annotated[float, Field(ge=0, le=PRICE_MOST)]
Ratio = Annotated[float, Field(ge=-100, le=100)]
Multiple = Annotated[float, Field(ge=0, le=POWER_MOST)]  # of a series, which may be a profile without unit
NonNegativeRatio = Annotated[float, Field(ge=0, le=100)]
PositiveRatio = Annotated[float, Field(gt=0, le=100)]


class Record(BaseModel):
    """Immutable, strict about unknown fields, no NaN or infinity."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Device(Record):
    """Something at a bus that injects. A bus belongs to exactly one network."""

    id: Identifier
    bus: Identifier
