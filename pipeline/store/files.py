"""Files of the lake through fsspec: a local folder by default, an object store (`s3://..`) where users outgrow one machine."""

from __future__ import annotations

import errno
import hashlib
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import fsspec
from fsspec.implementations.local import LocalFileSystem

from pipeline.core.errors import Mistake, StorageRefused

_FULL = (errno.ENOSPC, errno.EDQUOT)
_CLOSED = (errno.EROFS, errno.EACCES, errno.EPERM)
FREE_SPACE = "free space and run the same again: what was stored before is as it was"
MAKE_WRITABLE = "make it writable, or name another folder by --home or FEEDERFLOW_HOME"


def refused_by_system(error: OSError, place: str) -> StorageRefused | None:
    """What the operating system refused to store, in words with the remedy; None where it refused something else."""
    said = str(error.strerror or error).lower()
    if error.errno in _FULL:
        return StorageRefused(Mistake(place, f"cannot be stored ({said})", FREE_SPACE))
    if error.errno in _CLOSED:
        return StorageRefused(Mistake(place, f"may not be written to ({said})", MAKE_WRITABLE))
    if error.errno == errno.EIO:
        return StorageRefused(Mistake(place, f"cannot be read or stored ({said})", "look after the disk: it answers with errors"))
    return None


@contextmanager
def storing(place: str) -> Iterator[None]:
    """Around what writes: a refusal of the operating system as StorageRefused, anything else as it is."""
    try:
        yield
    except OSError as error:
        refused = refused_by_system(error, place)
        if refused is None:
            raise
        raise refused from error


def sha256_of(data: bytes) -> str:
    """SHA-256 of bytes, 64 hex characters."""
    return hashlib.sha256(data).hexdigest()


def sync_folder(folder: str | Path) -> None:
    """Make a rename in a local folder survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def replace_file(path: str | Path, data: bytes) -> None:
    """Replace a local file at once: temporary name, fsync, rename, fsync of the folder. A reader sees the old or the new bytes.

    Raises StorageRefused where the disk is full or closed to us; then the old bytes stand.
    """
    target = Path(path)
    with storing(str(target)):
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = target.with_name(f".{target.name}.{uuid.uuid4().hex}.tmp")
        try:
            with temporary.open("wb") as handle:
                handle.write(data)
                handle.flush()
                os.fsync(handle.fileno())
            temporary.replace(target)
        finally:
            temporary.unlink(missing_ok=True)
        sync_folder(target.parent)


class Files:
    """Files below one root. Paths are relative, with forward slashes."""

    def __init__(self, root: str | Path) -> None:
        filesystem, base = fsspec.core.url_to_fs(str(root))
        self.filesystem = filesystem
        self.base = str(base).rstrip("/")
        self.is_local = isinstance(filesystem, LocalFileSystem)

    def full(self, path: str) -> str:
        return f"{self.base}/{path}"

    def url(self, path: str) -> str:
        """The path with its protocol, as another program needs it."""
        return self.full(path) if self.is_local else str(self.filesystem.unstrip_protocol(self.full(path)))

    def exists(self, path: str) -> bool:
        return bool(self.filesystem.exists(self.full(path)))

    def read(self, path: str) -> bytes:
        """Whole content. Raises FileNotFoundError."""
        if self.is_local:
            return Path(self.full(path)).read_bytes()
        return bytes(self.filesystem.cat_file(self.full(path)))

    def replace(self, path: str, data: bytes) -> None:
        """Replace or create a file at once. An object store's put is atomic by itself."""
        if self.is_local:
            replace_file(self.full(path), data)
        else:
            self.filesystem.pipe_file(self.full(path), data)

    def remove(self, path: str) -> None:
        if self.exists(path):
            self.filesystem.rm_file(self.full(path))

    def drop_temporaries(self, path: str) -> None:
        """Remove what a killed writer of a local file left beside it. Only while no one else may be writing it."""
        if self.is_local:
            target = Path(self.full(path))
            for left in target.parent.glob(f".{target.name}.*.tmp"):
                left.unlink(missing_ok=True)

    def find(self, folder: str, suffix: str = "") -> list[str]:
        """Relative paths of all finished files below a folder, sorted."""
        if not self.filesystem.exists(self.full(folder)):
            return []
        prefix = len(self.base) + 1
        found = (str(path)[prefix:] for path in self.filesystem.find(self.full(folder)))
        return sorted(path for path in found if path.endswith(suffix) and not path.endswith(".tmp"))
