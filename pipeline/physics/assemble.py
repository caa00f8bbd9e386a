"""A case and a horizon -> one Pyomo model, one block per device, tie and network."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pyomo.environ as pyo

from pipeline.cases.case import Case
from pipeline.core.errors import InputError, Mistake
from pipeline.equipment import Carrier, Converter, Network
from pipeline.physics.block import Injection, Setting, offer_of
from pipeline.physics.devices import chp, converter, demand, ev_aggregator, ev_fleet, generator, source, store, tie
from pipeline.physics.horizon import Horizon
from pipeline.physics.network import copper_plate, lindistflow, ptdf

LAWS: dict[str, Callable[[Any, Any, Setting], None]] = {
    "demand": demand.build, "source": source.build, "generator": generator.build, "chp": chp.build,
    "converter": converter.build, "store": store.build, "ev_fleet": ev_fleet.build, "ev_aggregator": ev_aggregator.build,
}


def assemble(case: Case, horizon: Horizon, *, exclusive_devices: frozenset[str] = frozenset()) -> pyo.ConcreteModel:
    """The model of a case. `exclusive_devices`: ids that get binaries against doing two things at once."""
    model = pyo.ConcreteModel(name=case.name)
    model._horizon = horizon
    model._steps = pyo.RangeSet(horizon.positions)
    setting = Setting(
        steps=model._steps, step_h=horizon.step_h, rolling=horizon.rolling, held=horizon.rolling or horizon.held,
        slack_price_per_kwh=case.settings.slack_price_per_kwh, exclusive_devices=exclusive_devices,
        net_loads=frozenset(series.id for series in case.series if series.bounds[0] < 0),
    )
    injections: dict[tuple[str, Carrier], list[Injection]] = {}
    for device in case.devices:
        block = _add_block(model, device.id)
        LAWS[device.kind](block, device, setting)
        _collect(injections, device.bus, offer_of(block).injection)
    _exclude(model, case, setting)
    for line in case.ties:
        block = _add_block(model, line.id)
        tie.build(block, line, setting)
        _collect(injections, line.lower_bus, offer_of(block).injection)
        if line.upper_bus is None:
            offer_of(block).injection_upper.clear()
        else:
            _collect(injections, line.upper_bus, offer_of(block).injection_upper)
    if case.tie_flows == "ptdf":
        blocks = {line.id: model.component(line.id) for line in case.ties}
        ptdf.build(blocks, case.ties, [network.id for network in case.networks], case.network_of_bus, setting)
    for network in case.networks:
        _add_network(model, case, network, injections, setting)
    return model


def _exclude(model: Any, case: Case, setting: Setting) -> None:
    """Binaries of pairs of converters: rows of one unit on the columns of two."""
    units = {device.id: device for device in case.devices if isinstance(device, Converter)}
    for unit in units.values():
        if unit.exclusive_with is not None and (unit.exclusive == "always" or unit.id in setting.exclusive_devices):
            partner = units[unit.exclusive_with]
            converter.exclude(model.component(unit.id), unit, model.component(partner.id), partner, setting)


def _add_network(
    model: Any, case: Case, network: Network, injections: dict[tuple[str, Carrier], list[Injection]], setting: Setting,
) -> None:
    buses = [bus for bus in case.buses if bus.network == network.id]
    inside = {bus.id for bus in buses}
    own = {key: found for key, found in injections.items() if key[0] in inside}
    lost = sorted({(bus, carrier) for bus, carrier in own if carrier not in network.carriers})
    if lost:
        raise InputError(Mistake(f"network {network.id}, bus {bus}", f"something injects {carrier}, which the network does not carry",
                                 f"add {carrier} to its carriers") for bus, carrier in lost)
    block = _add_block(model, network.id)
    if network.kind == "copper_plate":
        copper_plate.build(block, network, own, setting)
    else:
        branches = [branch for branch in case.branches if branch.from_bus in inside]
        lindistflow.build(block, network, own, setting, buses=buses, branches=branches)


def _add_block(model: Any, name: str) -> Any:
    if hasattr(model, name):
        raise InputError(Mistake(name, "this identifier is taken", "give every device, tie and network an id of its own"))
    model.add_component(name, pyo.Block())
    return model.component(name)


def _collect(injections: dict[tuple[str, Carrier], list[Injection]], bus: str, offered: dict[Carrier, Injection]) -> None:
    for carrier, injection in offered.items():
        injections.setdefault((bus, carrier), []).append(injection)

