"""Identifiers and seeds from content: the same content gives the same identifier on every machine."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any


def canonical_json(value: Any) -> str:
    """JSON with sorted keys and no spaces; floats by shortest round trip."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False, default=str)


def digest(*parts: bytes | str) -> str:
    """SHA-256 over length-prefixed parts, as 64 hex characters."""
    state = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        state.update(len(data).to_bytes(8, "big"))
        state.update(data)
    return state.hexdigest()


def run_id(product: str, content: Mapping[str, Any]) -> str:
    """`da-` or `rt-` and 16 hex characters of everything the run depends on."""
    prefix = {"day_ahead": "da", "real_time": "rt", "ingest": "in", "study": "st"}[product]
    return f"{prefix}-{digest(product, canonical_json(content))[:16]}"


def seed_from(*parts: str) -> int:
    """A 63-bit seed for `numpy.random.default_rng`, stable across platforms."""
    return int(digest(*parts)[:16], 16) >> 1
