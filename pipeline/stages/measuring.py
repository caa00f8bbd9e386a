"""A measured state of the plant, told by a person."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

from pipeline.cases.load import load_case
from pipeline.cases.measured import accepted
from pipeline.core.clock import from_epoch
from pipeline.core.errors import InputError, Mistake
from pipeline.stages.asked import moment
from pipeline.stages.home import open_home
from pipeline.store.measured import MeasuredState, standing

WITHDRAW = "withdraw"


def state(case: str, *, device: str, quantity: str, value: float | None, at: str | None, since: str | None, author: str,
          known_at: str | None) -> dict[str, Any]:
    """Enter what was measured of a device, or withdraw all that was measured of it at one moment. Raises InputError with every mistake."""
    loaded, mistakes = load_case(case), list[Mistake]()
    zone, place = loaded.day(loaded.default_date).zone, f"state of {device}"
    known = moment(known_at, "--known-at", mistakes, zone=zone) or int(time.time())
    measured_at = moment(at, "--at", mistakes, zone=zone) or known
    begun = moment(since, "--since", mistakes, zone=zone)
    if not author.strip():
        mistakes.append(Mistake(place, "has no author", "give --author: it is kept with the decision"))
    if measured_at > known:
        mistakes.append(Mistake(place, f"was measured at {_local(measured_at, zone)}, which has not come",
                                "a state is what was measured: mend --at"))
    if begun is not None and (quantity != "on_share" or begun > measured_at):
        mistakes.append(Mistake(place, "--since says since when a unit is on or off, no later than it was measured",
                                "give it with on_share, before --at"))
    if value is not None and quantity == WITHDRAW:
        mistakes.append(Mistake(place, f"{WITHDRAW} takes no value, and {value:g} is given",
                                "leave it out: all that was measured of it at one moment is taken back, the newest or that of --at"))
    if mistakes:
        raise InputError(mistakes)
    if quantity == WITHDRAW:
        return _withdraw(loaded.name, device, measured_at if at else None, author=author, known=known, zone=zone)
    if value is None:
        raise InputError(Mistake(place, f"{quantity} needs a value", "give it in the unit that its name ends with"))
    stored = accepted(loaded, device, quantity, value)
    if isinstance(stored, Mistake):
        raise InputError(replace(stored, place=place))
    word = MeasuredState(loaded.name, device, stored[0], measured_at, stored[1], author, known)
    told = [word] if begun is None else [word, replace(word, quantity="in_state_h", value=(measured_at - begun) / 3600)]
    open_home().warehouse.add_measured_states(loaded.name, told, source=f"state by {author}", ingested_at=known)
    return {"device": device, "quantity": word.quantity, "value": word.value, "measured_at": _local(measured_at, zone),
            "known_at": _local(known, zone), **({} if begun is None else {"since": _local(begun, zone)})}


def _withdraw(case: str, device: str, measured_at: int | None, *, author: str, known: int, zone: Any) -> dict[str, Any]:
    warehouse = open_home().warehouse
    mine = [one for one in standing(warehouse.measured_states(case, 0, known + 1, known)) if one.device == device]
    last = max((one.measured_at for one in mine), default=None) if measured_at is None else measured_at
    gone = [one for one in mine if one.measured_at == last]
    if not gone:
        said = "nothing was measured of it" + ("" if measured_at is None else f" at {_local(measured_at, zone)}")
        remedy = f"measured at {', '.join(dict.fromkeys(_local(one.measured_at, zone) for one in mine[-3:]))}" if mine else "nothing stands"
        raise InputError(Mistake(f"state of {device}", said, remedy))
    warehouse.add_measured_states(case, [replace(one, author=author, known_at=known, withdrawn=True) for one in gone],
                                  source=f"state by {author}", ingested_at=known)
    return {"withdrawn": [one.quantity for one in gone], "device": device, "measured_at": _local(gone[0].measured_at, zone)}


def _local(moment_s: int, zone: Any) -> str:
    return from_epoch(moment_s).astimezone(zone).isoformat(timespec="minutes")


def describe_state(record: dict[str, Any], *, case: str) -> str:
    """What was entered, and from when on it counts."""
    if "withdrawn" in record:
        return f"{record['device']}: what was measured at {record['measured_at']} is withdrawn ({', '.join(record['withdrawn'])})."
    since = f", so since {record['since']}" if "since" in record else ""
    return (f"{record['device']}: {record['quantity']} {record['value']:g}, measured at {record['measured_at']}{since}. "
            f"The next run of {case} that is issued after {record['known_at']} starts there.")
