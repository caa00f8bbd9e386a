"""Injections as named linear expressions that are no rows: y = R x + S u + s."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from pyomo.core.expr.template_expr import IndexTemplate

from pipeline.physics.block import Offer
from pipeline.program.linear_program import Floats
from pipeline.program.templates import Places, read_linear
from pipeline.program.triplets import Triplets


@dataclass(frozen=True)
class Readouts:
    """y = R x + S u + s: matrices (k, columns) and (k, inputs), offset (k,)."""

    matrix: sp.csr_array
    by_input: sp.csr_array
    offset: Floats
    names: tuple[str, ...]


def compile_readouts(offers: Mapping[str, Offer], steps: Any, places: Places, shape: tuple[int, int]) -> Readouts:
    """Every injection of every block, by carrier and position. `shape`: number of columns, number of inputs."""
    symbol, count = IndexTemplate(steps, 0, 0), len(steps)
    at = {id(symbol): np.arange(1, count + 1)}
    names: list[str] = []
    constants: list[Floats] = []
    entries = Triplets()
    for block, offer in offers.items():
        lower = "injection_lower" if offer.is_tie else "injection"
        for label, injections in ((lower, offer.injection), ("injection_upper", offer.injection_upper)):
            for carrier, injection in injections.items():
                rows = np.arange(len(names), len(names) + count)
                names += [f"{block}.{label}[{carrier},{t}]" for t in range(1, count + 1)]
                linear = read_linear(injection(symbol))
                constants.append(np.full(count, linear.constant))
                for term in linear.terms:
                    entries.add(rows, places.of(term, at, count), term[0])
    matrix, by_input = entries.split(len(names), shape)
    return Readouts(matrix, by_input, np.concatenate(constants) if constants else np.zeros(0), tuple(names))
