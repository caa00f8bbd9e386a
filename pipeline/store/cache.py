"""A cache of named arrays on disk (compiled programs). What is missing or damaged is simply made again."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.store.files import replace_file, sha256_of

SUM_LENGTH = 64


class ArrayCache:
    """Files `<key>.arrays` in one folder: a checksum, then an uncompressed npz with the arrays and a JSON of `meta`."""

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)

    def _path(self, key: str) -> Path:
        return self.folder / f"{key}.arrays"

    def save(self, key: str, arrays: Mapping[str, NDArray[Any]], meta: Mapping[str, Any] | None = None) -> None:
        """Store arrays (any shape and dtype without objects) and JSON-able meta, at once: a reader sees all or nothing."""
        buffer = io.BytesIO()
        text = np.frombuffer(json.dumps(meta or {}, sort_keys=True).encode(), np.uint8)
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
            for name, array in {**arrays, "__meta__": text}.items():
                with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                    np.lib.format.write_array(member, np.asanyarray(array), allow_pickle=False)
        data = buffer.getvalue()
        replace_file(self._path(key), sha256_of(data).encode() + data)

    def remove(self, key: str) -> None:
        """Forget an entry, where there is one."""
        self._path(key).unlink(missing_ok=True)

    def whole(self, key: str) -> bool:
        """Whether the entry is there with the bytes that were stored. Changes nothing."""
        try:
            content = self._path(key).read_bytes()
        except FileNotFoundError:
            return False
        return sha256_of(content[SUM_LENGTH:]).encode() == content[:SUM_LENGTH]

    def keys(self) -> list[str]:
        """Names of all entries, sorted."""
        return sorted(path.stem for path in self.folder.glob("*.arrays"))

    def load(self, key: str) -> tuple[dict[str, NDArray[Any]], dict[str, Any]] | None:
        """Arrays and meta, or None when there is no such entry or its bytes are damaged (the entry is then removed)."""
        path = self._path(key)
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            return None
        expected, data = content[:SUM_LENGTH], content[SUM_LENGTH:]
        if sha256_of(data).encode() != expected:
            with suppress(OSError):  # of a read-only folder: it stays, and is not read either
                path.unlink(missing_ok=True)
            return None
        with np.load(io.BytesIO(data), allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
        meta = json.loads(arrays.pop("__meta__").tobytes().decode())
        return arrays, meta
