"""An affine policy: what every column is, given what has come. A value that is stored with the plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from pipeline.program.linear_program import Floats, Indices


@dataclass(frozen=True)
class AffinePolicy:
    """x = nominal + rule @ d for the n columns of a program and K deviations, known from interval `slot` (from 0) on."""

    nominal: Floats  # (n,)
    rule: sp.csr_array  # (n, K)
    names: tuple[str, ...]  # (K,)
    slot: Indices  # (K,)

    def evaluate(self, d: Floats) -> Floats:
        """(n,) columns at deviations (K,); (S, n) at (S, K)."""
        d = np.asarray(d, dtype=float)
        return np.asarray(self.nominal + (self.rule @ d.T).T)

    def to_arrays(self) -> dict[str, NDArray[np.generic]]:
        """Arrays for a cache or a file; `from_arrays` gives back an equal policy."""
        return {
            "nominal": self.nominal, "rule_data": self.rule.data, "rule_indices": self.rule.indices.astype(np.int64),
            "rule_indptr": self.rule.indptr.astype(np.int64), "names": np.array(self.names, dtype=np.str_), "slot": self.slot,
        }

    @staticmethod
    def from_arrays(arrays: Mapping[str, NDArray[np.generic]]) -> AffinePolicy:
        names, nominal = tuple(str(name) for name in arrays["names"]), arrays["nominal"].astype(float)
        parts = (arrays["rule_data"].astype(float), arrays["rule_indices"].astype(np.int64), arrays["rule_indptr"].astype(np.int64))
        return AffinePolicy(nominal, sp.csr_array(parts, shape=(nominal.size, len(names))), names, arrays["slot"].astype(np.int64))
