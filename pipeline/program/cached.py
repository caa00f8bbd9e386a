"""Compiled programs on disk: a re-dispatch loads arrays and never imports Pyomo."""

from __future__ import annotations

import hashlib
import json
import sys
from functools import lru_cache
from importlib import import_module, metadata
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import scipy.sparse as sp

from pipeline.cases.case import Case
from pipeline.core.ids import canonical_json, digest
from pipeline.physics.horizon import Horizon
from pipeline.program.linear_program import InputSpec, LinearProgram
from pipeline.store.cache import ArrayCache

_SPARSE = ("cost_by_input", "matrix", "matrix_by_input", "readout", "readout_by_input")
_DENSE = (
    "cost", "offset_by_input", "row_lower", "row_upper", "col_lower", "col_upper", "integer", "column_term", "readout_offset",
)
_NAMES = ("row_names", "column_names", "input_names", "readout_names")
_SOURCES = (
    "equipment", "physics", "program/compile.py", "program/readouts.py", "program/rows.py", "program/templates.py", "program/triplets.py",
    "program/linear_program.py", "program/names.py", "program/cached.py",
)


def compiled(
    case: Case, horizon: Horizon, *, cache_dir: Path | None, exclusive_devices: frozenset[str] = frozenset(),
) -> LinearProgram:
    """The program of a case and horizon, from disk where the same one was compiled before. `cache_dir` None: always compile."""
    cache = ArrayCache(cache_dir) if cache_dir is not None else None
    key = program_key(case, horizon, exclusive_devices)
    if cache is not None:
        found = cache.load(key)
        if found is not None:
            return from_arrays(*found)
    _import_pyomo()
    from pipeline.physics.assemble import assemble
    from pipeline.program.compile import collector_off, compile_model

    with collector_off():
        program = compile_model(assemble(case, horizon, exclusive_devices=exclusive_devices))
    if cache is not None:
        cache.save(key, *to_arrays(program))
    return program


def _import_pyomo() -> None:
    """Pyomo imports scipy.stats as soon as it meets scipy (1 s, and nothing here needs it): give it empty modules meanwhile."""
    if "pyomo.common.dependencies" in sys.modules:
        return
    absent = [name for name in ("scipy.stats", "scipy.integrate", "scipy.spatial") if name not in sys.modules]
    sys.modules.update({name: ModuleType(name) for name in absent})
    try:
        import_module("pyomo.common.dependencies")
    finally:
        for name in absent:
            del sys.modules[name]


def program_key(case: Case, horizon: Horizon, exclusive_devices: frozenset[str] = frozenset()) -> str:
    """Hash of everything the arrays depend on."""
    return digest(canonical_json({
        "case": case.structure_digest, "horizon": [horizon.positions, horizon.step_h, horizon.rolling, horizon.held],
        "exclusive": sorted(exclusive_devices), "sources": source_digest(), "pyomo": metadata.version("pyomo"),
    }))


@lru_cache(maxsize=1)
def source_digest() -> str:
    """Hash of the sources that a compiled program depends on."""
    package = Path(__file__).resolve().parents[1]
    hashed = hashlib.sha256()
    for place in _SOURCES:
        root = package / place
        for path in sorted(root.rglob("*.py")) if root.is_dir() else [root]:
            hashed.update(path.relative_to(package).as_posix().encode())
            hashed.update(path.read_bytes())
    return hashed.hexdigest()


def to_arrays(program: LinearProgram) -> tuple[dict[str, np.ndarray[Any, Any]], dict[str, Any]]:
    """Arrays and a small JSON head. Names become bytes: one blob each."""
    arrays: dict[str, np.ndarray[Any, Any]] = {name: getattr(program, name) for name in _DENSE}
    for name in _SPARSE:
        matrix = getattr(program, name)
        arrays |= {f"{name}.data": matrix.data, f"{name}.indices": matrix.indices, f"{name}.indptr": matrix.indptr}
    for name in _NAMES:
        arrays[name] = np.frombuffer("\n".join(getattr(program, name)).encode(), dtype=np.uint8)
    meta = {
        "shape": [len(program.row_names), len(program.column_names), len(program.input_names), len(program.readout_names)],
        "offset": program.offset, "terms": list(program.terms), "positions": program.positions, "step_h": program.step_h,
        "rolling": program.rolling,
        "inputs": {name: [spec.device, spec.quantity, spec.role, dict(spec.data)] for name, spec in program.inputs.items()},
    }
    return arrays, json.loads(json.dumps(meta))


def from_arrays(arrays: dict[str, np.ndarray[Any, Any]], meta: dict[str, Any]) -> LinearProgram:
    """The program that `to_arrays` took apart."""
    rows, columns, inputs, readouts = meta["shape"]
    shapes = {
        "cost_by_input": (columns, inputs), "matrix": (rows, columns), "matrix_by_input": (rows, inputs),
        "readout": (readouts, columns), "readout_by_input": (readouts, inputs),
    }
    fields: dict[str, Any] = {name: arrays[name] for name in _DENSE}
    for name in _SPARSE:
        fields[name] = sp.csr_array(tuple(arrays[f"{name}.{part}"] for part in ("data", "indices", "indptr")), shape=shapes[name])
    for name in _NAMES:
        text = arrays[name].tobytes().decode()
        fields[name] = tuple(text.split("\n")) if text else ()
    specs = {name: InputSpec(device, quantity, role, data) for name, (device, quantity, role, data) in meta["inputs"].items()}
    return LinearProgram(
        **fields, offset=meta["offset"], terms=tuple(meta["terms"]), inputs=specs,
        positions=meta["positions"], step_h=meta["step_h"], rolling=meta["rolling"],
    )
