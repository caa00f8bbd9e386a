"""The resolved case: one variant, every reference checked. What all rooms below read."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, time
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import ConfigDict, Field

from pipeline.cases.settings import Settings
from pipeline.cases.sources import AnySource, GivenForecast, Series
from pipeline.core.clock import DeliveryDay
from pipeline.core.ids import canonical_json, digest
from pipeline.equipment import AnyDevice, Branch, Bus, EvConnection, Identifier, Network, Record, Tie


class Case(Record):
    """Devices, networks and settings of one variant of one case. Order of the tuples is the order of rows and columns."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, ignored_types=(cached_property,))

    name: Identifier
    variant: str = "default"
    title: str = ""
    currency: str = "USD"
    time_zone: str
    day_start_local: time = time(0)
    default_date: date
    networks: tuple[Network, ...]
    buses: tuple[Bus, ...]
    branches: tuple[Branch, ...] = ()
    devices: tuple[AnyDevice, ...]
    ev_connections: tuple[EvConnection, ...] = ()  # of EV aggregators
    ties: tuple[Tie, ...]
    balancing_tie: Identifier | None = None  # where settlement lets the mismatch go; none: the chain takes all of it
    balancing_chain: tuple[Identifier, ...] = ()  # who takes the mismatch before: ids, or kinds of devices; then load is shed
    tie_flows: Literal["transport", "ptdf"] = "transport"  # over ties between networks: chosen freely, or as reactances share them out
    series: tuple[Series, ...]
    given_forecasts: tuple[GivenForecast, ...] = ()  # that others make: settings.forecast says what they are for
    profiles: dict[str, tuple[float, ...]] = Field(default_factory=dict)  # by local hour, for ratios
    sources: tuple[AnySource, ...] = ()
    settings: Settings = Settings()
    folder: Path | None = None

    def day(self, delivery_date: date) -> DeliveryDay:
        return DeliveryDay(delivery_date, self.time_zone, self.day_start_local)

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy that computes its digests and indices anew: pydantic copies what was cached, too."""
        copy = super().model_copy(update=update, deep=deep)
        for name in ("digest", "structure_digest", "network_of_bus", "series_by_id"):
            copy.__dict__.pop(name, None)
        return copy

    @cached_property
    def digest(self) -> str:
        """Content hash of everything but the folder."""
        return digest(canonical_json(self.model_dump(mode="json", exclude={"folder"})))

    @cached_property
    def structure_digest(self) -> str:
        """Hash of what the compiled program depends on: equipment and the settings that enter physics."""
        content = self.model_dump(mode="json", include={"networks", "buses", "branches", "devices", "ties", "currency"})
        content["tie_flows"] = self.tie_flows
        content["slack_price"] = self.settings.slack_price_per_kwh
        return digest(canonical_json(content))

    @cached_property
    def network_of_bus(self) -> dict[str, str]:
        return {bus.id: bus.network for bus in self.buses}

    @cached_property
    def series_by_id(self) -> dict[str, Series]:
        """All that is stored by a name: series, and the forecasts of others."""
        return {series.id: series for series in (*self.series, *self.given_forecasts)}
