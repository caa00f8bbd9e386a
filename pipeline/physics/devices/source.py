"""PV or wind: what is available may be curtailed."""

from __future__ import annotations

from typing import Any

from pipeline.equipment import Source
from pipeline.physics.block import Setting, add_column, add_law, declare_input, offer_of, rate


def build(block: Any, device: Source, setting: Setting) -> None:
    """injection = available - curtailed."""
    steps, offer = setting.steps, offer_of(block)
    available = declare_input(
        block, "available_kw", steps, role="series", device=device.id, series=device.series, factor=device.series_share, override="high",
    )
    curtailed = add_column(block, "curtailed_kw", steps)
    add_law(block, "curtailment_limit", steps, rule=lambda t: curtailed[t] <= available[t])
    if device.curtailment_cost_per_kwh:
        offer.add_cost("curtailment_cost", rate(setting.step_h * device.curtailment_cost_per_kwh, curtailed))
    if device.feed_in_cost_per_kwh:
        fed = add_column(block, "fed_kw", steps)
        add_law(block, "feed_in", steps, rule=lambda t: fed[t] + curtailed[t] == available[t])
        offer.add_cost("generator_cost", rate(setting.step_h * device.feed_in_cost_per_kwh, fed))
    offer.injection["active"] = lambda t: available[t] - curtailed[t]
