"""Baran and Wu's 33-bus feeder, 1989: AC power flow against the published figures, LinDistFlow against its own."""

from __future__ import annotations

import csv
import os
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from pipeline.cases.case import Case
from pipeline.equipment import Branch, Bus, Demand, Network, Tie
from pipeline.validate.ac import power_flow
from pipeline.validate.radial import feeders

STUDY_DATA = Path(os.environ.get("FEEDERFLOW_STUDY_DATA", Path(__file__).resolve().parents[2].parent / "shared" / "data"))
FOLDER = STUDY_DATA / "net_33bw"
pytestmark = pytest.mark.study_data


def _feeder_case() -> tuple[Case, np.ndarray, np.ndarray]:
    """The 33-bus tree as a case, and its load (B,) in kW and kvar by bus number."""
    with (FOLDER / "buses.csv").open() as file:
        buses = list(csv.DictReader(file))
    with (FOLDER / "branches.csv").open() as file:
        lines = [row for row in csv.DictReader(file) if row["normally_closed"] == "1"]
    case = Case(
        name="baran_wu",
        time_zone="UTC",
        default_date=date(2016, 1, 1),
        balancing_tie="grid",
        networks=(Network(id="feeder", kind="lindistflow", carriers=("active", "reactive"), base_kv=12.66, slack_bus="b1"),),
        buses=tuple(Bus(id=f"b{row['bus']}", network="feeder") for row in buses),
        branches=tuple(
            Branch(
                id=f"b{row['from_bus']}_b{row['to_bus']}",
                from_bus=f"b{row['from_bus']}",
                to_bus=f"b{row['to_bus']}",
                r_ohm=float(row["r_ohm"]),
                x_ohm=float(row["x_ohm"]),
            )
            for row in lines
        ),
        devices=(Demand(id="load", bus="b2", series="load"),),
        ties=(Tie(id="grid", lower_bus="b1", exchange_min_kw=-5000, exchange_max_kw=5000),),
        series=(),
    )
    return case, np.array([float(row["load_kw"]) for row in buses]), np.array([float(row["load_kvar"]) for row in buses])


def test_ac_power_flow_meets_the_published_minimum_voltage_and_loss() -> None:
    case, load_kw, load_kvar = _feeder_case()
    (tree,) = feeders(case)
    at = [int(bus[1:]) - 1 for bus in tree.buses]
    p_kw, q_kvar = -load_kw[at][:, None], -load_kvar[at][:, None]
    result = power_flow(tree, p_kw, q_kvar)
    lowest = int(result.voltage_pu[:, 0].argmin())
    assert tree.buses[lowest] == "b18"
    assert result.voltage_pu[lowest, 0] == pytest.approx(0.91309, abs=1e-5)
    assert result.loss_kw.sum() == pytest.approx(202.677, abs=2e-3)


def test_lindistflow_sweep_meets_its_published_minimum() -> None:
    """The published figure is of the squared form, U^2 falling by 2 (r P + x Q); the book's magnitude form gives .91947.

    Both walk the same tree: the square of the first falls by twice what the second falls by.
    """
    case, load_kw, load_kvar = _feeder_case()
    (tree,) = feeders(case)
    at = [int(bus[1:]) - 1 for bus in tree.buses]
    flow_kw, flow_kvar = tree.flows(-load_kw[at][:, None]), tree.flows(-load_kvar[at][:, None])
    assert flow_kw[0, 0] == pytest.approx(3715.0)
    lowest = tree.voltages_pu(flow_kw, flow_kvar).min()
    assert lowest == pytest.approx(0.91947, abs=1e-5)
    assert np.sqrt(1 - 2 * (1 - lowest)) == pytest.approx(0.91593, abs=1e-5)
