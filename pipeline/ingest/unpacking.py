"""Compressed files by their first bytes, as their names may say anything. One file in, one file out."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
import zlib
from collections.abc import Callable
from typing import NamedTuple

from pipeline.core.errors import InputError, Mistake

BROKEN = "the file is broken or cut short; send it again"
MACOS = "__MACOSX/"  # folders that a Mac adds to what it packs
WORKBOOK_PARTS = ("xl/workbook.xml", "xl/workbook.bin", "content.xml")  # of xlsx, xlsb and ods, which are zip files
OLD_WORKBOOK = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # xls


class Unpacked(NamedTuple):
    """What was inside."""

    content: bytes
    is_workbook: bool


def _zstd(content: bytes) -> bytes:
    import pyarrow as pa

    with pa.input_stream(pa.BufferReader(content), compression="zstd") as stream:
        return bytes(stream.read())


_MAGIC: dict[bytes, tuple[str, Callable[[bytes], bytes]]] = {
    b"\x1f\x8b": ("gzip", gzip.decompress),
    b"BZh": ("bzip2", bz2.decompress),
    b"\xfd7zXZ\x00": ("xz", lzma.decompress),
    b"\x28\xb5\x2f\xfd": ("zstd", _zstd),
}


def unpacked(name: str, content: bytes) -> Unpacked:
    """The bytes of the one file inside; of a file that is not compressed its own. Raises InputError where it cannot be unpacked."""
    if content.startswith(OLD_WORKBOOK):
        return Unpacked(content, is_workbook=True)
    if content.startswith(b"PK\x03\x04"):
        return _of_zip(name, content)
    for magic, (kind, unpack) in _MAGIC.items():
        if content.startswith(magic):
            try:
                return Unpacked(unpack(content), is_workbook=False)
            except (OSError, EOFError, ValueError, lzma.LZMAError, zlib.error) as error:
                raise InputError(Mistake(name, f"cannot be unpacked as {kind} ({error})", BROKEN)) from error
    return Unpacked(content, is_workbook=False)


def _of_zip(name: str, content: bytes) -> Unpacked:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            parts = [part for part in packed.infolist() if not part.is_dir() and not part.filename.startswith(MACOS)]
            if any(part.filename in WORKBOOK_PARTS for part in parts):
                return Unpacked(content, is_workbook=True)
            if len(parts) != 1:
                said = ", ".join(repr(part.filename) for part in parts[:4]) + (", .." if len(parts) > 4 else "")
                raise InputError(
                    Mistake(name, f"holds {len(parts)} files ({said})", "unpack it: name the one file, or its folder with kind: folder")
                )
            if parts[0].flag_bits & 1:
                raise InputError(Mistake(name, f"{parts[0].filename!r} in it is encrypted", "unpack it with its password before"))
            return Unpacked(packed.read(parts[0]), is_workbook=False)
    except (zipfile.BadZipFile, NotImplementedError, EOFError, zlib.error) as error:
        raise InputError(Mistake(name, f"cannot be unpacked as zip ({error})", BROKEN)) from error
