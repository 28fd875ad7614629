"""Opens files and the members of archives as plain streams, gzip undone, and stops what expands beyond reason.

Only regular files are opened: what turns into a pipe, device or link meanwhile is refused, not waited for. Streams
raise `UnreadableError` from their reads when compressed data is damaged or a bomb; no more than a chunk is ever held.
"""

from __future__ import annotations

import gzip
import io
import lzma
import os
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO, Final, cast

from hub_core.errors import UnreadableError

_CHUNK: Final = 1 << 16
_GZIP: Final = b"\x1f\x8b"
_ZIP: Final = (b"PK\x03\x04", b"PK\x05\x06")
_DAMAGED: Final = "the compressed data is damaged or cut short"
_FAULTS: Final = (zlib.error, lzma.LZMAError, EOFError, gzip.BadGzipFile, zipfile.BadZipFile)


@dataclass(frozen=True, slots=True)
class Expansion:
    """How far compressed data may expand."""

    total_bytes: int = 64 << 30
    ratio: int = 200
    """Expanded bytes per compressed byte; FHIR and X12 shrink ten- to fiftyfold."""
    free_bytes: int = 64 << 20
    """What may come out whatever the ratio: small files of one repeated line are common."""
    members: int = 10_000

    def allows(self, expanded: int, compressed: int) -> bool:
        """Return whether that much may come out of that much."""
        return expanded <= self.total_bytes and expanded <= max(self.free_bytes, self.ratio * compressed)


DEFAULT_EXPANSION: Final = Expansion()


def is_archive(path: Path, *, follow_links: bool = False) -> bool:
    """Return whether a file is a zip archive, by name and content (office documents are zip by content alone).

    Raises:
        UnreadableError: if it is no regular file, or cannot be opened.
    """
    if path.suffix.lower() != ".zip":
        return False
    with _regular(path, follow_links=follow_links) as file:
        return file.read(4) in _ZIP


def members(path: Path, *, follow_links: bool = False, expansion: Expansion = DEFAULT_EXPANSION) -> list[str]:
    """Return the names of the files in a zip archive, in its order.

    Raises:
        UnreadableError: if it is damaged, or its files together are a bomb.
    """
    try:
        with _regular(path, follow_links=follow_links) as file, zipfile.ZipFile(file) as archive:
            size = os.fstat(file.fileno()).st_size
            infos = [info for info in archive.infolist() if not info.is_dir()]
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
        raise UnreadableError("the zip archive is damaged or of an unknown kind") from error
    if len(infos) > expansion.members:
        raise UnreadableError(f"the zip archive has more than {expansion.members:,} files", code="too-costly")
    # What members declare is what they are held to when read; together, because they may share their bytes.
    if not expansion.allows(sum(info.file_size for info in infos), size):
        raise UnreadableError("the zip archive expands beyond reason; it is not read", code="too-costly")
    names = [info.filename for info in infos]
    if len(set(names)) < len(names):
        raise UnreadableError("the zip archive holds two files of one name; which is meant cannot be told")
    return names


@contextmanager
def open_file(
    path: Path, member: str | None = None, *, follow_links: bool = False, expansion: Expansion = DEFAULT_EXPANSION
) -> Iterator[BinaryIO]:
    """Open a file, or a member of a zip archive, as a buffered binary stream; gzip is undone by its first bytes.

    Raises:
        UnreadableError: if it is no regular file, or cannot be opened. Reads raise it for damaged data and bombs.
    """
    with _regular(path, follow_links=follow_links) as file:
        if member is None:
            yield from _gunzipped(file, expansion)
            return
        try:
            with zipfile.ZipFile(file) as archive, archive.open(member) as opened:
                yield from _gunzipped(_buffered(opened.read), expansion)
        except (zipfile.BadZipFile, KeyError, NotImplementedError) as error:
            raise UnreadableError(_DAMAGED) from error
        except RuntimeError as error:
            raise UnreadableError("the archive is encrypted", code="security") from error


def _gunzipped(file: BinaryIO, expansion: Expansion) -> Iterator[BinaryIO]:
    if not cast(io.BufferedReader, file).peek(2).startswith(_GZIP):
        yield file
        return
    counted = _Counted(file)
    with gzip.GzipFile(fileobj=cast(IO[bytes], io.BufferedReader(counted, _CHUNK))) as unzipped:
        yield _buffered(unzipped.read, lambda expanded: expansion.allows(expanded, counted.count))


def _buffered(read: Callable[[int], bytes], allows: Callable[[int], bool] = lambda _: True) -> BinaryIO:
    return io.BufferedReader(_Expanded(read, allows), _CHUNK)


class _Expanded(io.RawIOBase):
    """What a decompressor gives, as long as it is sound and within reason."""

    def __init__(self, read: Callable[[int], bytes], allows: Callable[[int], bool]) -> None:
        self._read = read
        self._allows = allows
        self._expanded = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        try:
            data = self._read(len(buffer))
        except _FAULTS as error:
            raise UnreadableError(_DAMAGED) from error
        self._expanded += len(data)
        if not self._allows(self._expanded):
            raise UnreadableError("the compressed data expands beyond reason; it is not read on", code="too-costly")
        buffer[: len(data)] = data
        return len(data)


class _Counted(io.RawIOBase):
    """A stream that knows how much was read of it."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.count = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        data = self._file.read(len(buffer))
        self.count += len(data)
        buffer[: len(data)] = data
        return len(data)


@contextmanager
def _regular(path: Path, *, follow_links: bool) -> Iterator[BinaryIO]:
    # Without O_NONBLOCK, opening a named pipe waits for someone to write into it.
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | (0 if follow_links else os.O_NOFOLLOW)
    try:
        descriptor = os.open(path, flags)
    except OSError as error:
        raise UnreadableError(f"cannot be opened: {os.strerror(error.errno or 0).lower()}", code="no-store") from error
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise UnreadableError("not a regular file", code="not-supported")
        yield file
