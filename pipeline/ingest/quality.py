"""What was done to a stored value. Kept with the value as a small integer; 0 is untouched. The rules are in docs/ingest.md."""

from __future__ import annotations

from enum import IntFlag


class Quality(IntFlag):
    """Bits of the `quality` column of an observation."""

    GOOD = 0
    SPIKE = 4  # a spike was replaced by the last value before it
    SUSPECT = 8  # looks like a spike, but of a kind that really jumps (prices): kept
    CLIPPED = 16  # a hair outside the plausible range: moved to its edge
    SNAPPED = 32  # the stamp was a few seconds off the grid
    HELD = 64  # the source is coarser than the series: the value holds over the parts
    PARTIAL = 128  # mean over an interval of which at least half was there
    REPEATED_HOUR = 256  # naive stamp in the repeated hour, resolved by order of appearance or by the clock
    REFORMATTED = 512  # thousands separators or padding were taken out of the text
    ROLLOVER = 2048  # difference of a counter that rolled over between its readings
    # 1, 2 and 1024 said in older stores what was true of a whole file: out of order, repeated, all zero. Now the receipt says so.


def words(quality: int) -> str:
    """Names of the bits that are set, for a person."""
    return " ".join(flag.name.lower() for flag in Quality if flag and quality & flag and flag.name) or "good"
