"""A network without losses or limits: one balance per carrier over all its buses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.equipment import Carrier, Network
from pipeline.physics.block import Injection, Setting, add_law


def build(block: Any, network: Network, injections: Mapping[tuple[str, Carrier], Sequence[Injection]], setting: Setting) -> None:
    """Per carrier: the sum of all injections is zero. `injections`: by (bus, carrier)."""
    for carrier in network.carriers:
        parts = [part for (_, kind), found in injections.items() if kind == carrier for part in found]
        if parts:
            add_law(block, f"{carrier}_balance", setting.steps, rule=lambda t, parts=parts: sum([part(t) for part in parts]) == 0)
