"""Numbers as words that lead back to them."""

from __future__ import annotations


def told_apart(value: float) -> str:
    """`0.05`: six digits where they say all of the value, and else as many as tell it from every other."""
    short = f"{value:g}"
    return short if float(short) == value else repr(float(value))
