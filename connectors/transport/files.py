"""Finds the files to take in, and says of each which format it is, or why it is refused or passed over.

A file that claims to be data, by its extension or because someone named it, is never passed over silently: it is read,
or rejected with a reason. Other files lying in a folder (README, pictures) are skipped with a reason. What is inside a
zip archive counts as files of their own. Links that lead out of the named folder are never followed.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Final, TypeAlias

from connectors.connector import Connector
from connectors.registry import CONNECTORS, recognise
from connectors.transport import opening
from connectors.transport.opening import DEFAULT_EXPANSION, Expansion
from hub_core.errors import UnreadableError

EXTENSIONS: Final = frozenset((".hl7", ".json", ".ndjson", ".jsonl", ".x12", ".edi", ".835", ".837", ".xml", ".cda"))
"""Names that claim a format; each also with `.gz` behind."""
UNFINISHED: Final = (".tmp", ".part")
"""Names under which senders write what is not complete yet."""
_HEAD: Final = 4096
_DEEPEST: Final = 64


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file, or a member of an archive, of a known format."""

    input: str
    """What people call it: its path from the named folder on, the member behind `!`."""
    path: Path
    connector: Connector
    member: str | None = None
    is_named: bool = False
    """Whether a person named this very file, so that a link is followed."""


@dataclass(frozen=True, slots=True)
class FileRefusal:
    """A file that is not read, and why."""

    input: str
    reason: str
    is_skipped: bool = False
    """Whether it never claimed to be data; otherwise it counts as rejected."""


Found: TypeAlias = FoundFile | FileRefusal


def walk(paths: Iterable[Path], *, expansion: Expansion = DEFAULT_EXPANSION) -> Iterator[Found]:
    """Yield every file below the named files and folders, in order of name; hidden and unfinished ones are left out."""
    for path in paths:
        if path.is_dir():
            yield from _walk_folder(path, path.resolve(), expansion)
        else:
            yield from look(path, path.name, is_named=True, expansion=expansion)


def look(path: Path, name: str, *, is_named: bool = False, expansion: Expansion = DEFAULT_EXPANSION) -> Iterator[Found]:
    """Yield what one file is, or what each member of an archive is; links are followed only to a named file."""
    try:
        if not opening.is_archive(path, follow_links=is_named):
            yield _classify(path, None, name, is_named, expansion)
            return
        for member in opening.members(path, follow_links=is_named, expansion=expansion):
            yield _classify(path, member, f"{name}!{_plain(member)}", is_named, expansion)
    except UnreadableError as error:
        yield FileRefusal(name, error.text)


def open_stream(found: FoundFile, *, expansion: Expansion = DEFAULT_EXPANSION) -> AbstractContextManager[BinaryIO]:
    """Open a found file for its connector to cut.

    Opening, and any read, raises `UnreadableError` where the file turns out damaged or a decompression bomb.
    """
    return opening.open_file(found.path, found.member, follow_links=found.is_named, expansion=expansion)


def _walk_folder(folder: Path, root: Path, expansion: Expansion, prefix: str = "") -> Iterator[Found]:
    name_of_folder = prefix or folder.name or root.name
    if name_of_folder.count("/") > _DEEPEST:
        yield FileRefusal(name_of_folder, f"folders nested deeper than {_DEEPEST} are not looked into")
        return
    try:
        paths = sorted(folder.iterdir())
    except OSError as error:
        yield FileRefusal(name_of_folder, f"the folder cannot be read: {os.strerror(error.errno or 0).lower()}")
        return
    for path in paths:
        if path.name.startswith(".") or path.name.lower().endswith(UNFINISHED):
            continue
        name = f"{name_of_folder}/{_plain(path.name)}"
        kind = os.lstat(path).st_mode
        if stat.S_ISLNK(kind):
            yield _refuse_link(path, root, name)
        elif stat.S_ISDIR(kind):
            yield from _walk_folder(path, root, expansion, name)
        elif stat.S_ISREG(kind):
            yield from look(path, name, expansion=expansion)
        else:
            yield FileRefusal(name, "not a regular file (a pipe, socket or device)")


def _refuse_link(path: Path, root: Path, name: str) -> FileRefusal:
    if path.resolve().is_relative_to(root):
        return FileRefusal(name, "a link to what is read at its own place", is_skipped=True)
    return FileRefusal(name, "a link that leads out of the folder; it is not followed")


def _classify(path: Path, member: str | None, name: str, is_named: bool, expansion: Expansion) -> Found:
    claims = is_named or _claims(member or path.name)
    try:
        with opening.open_file(path, member, follow_links=is_named, expansion=expansion) as stream:
            head = stream.read(_HEAD)
    except UnreadableError as error:
        return FileRefusal(name, error.text, is_skipped=not claims)
    if connector := recognise(head):
        return FoundFile(name, path, connector, member, is_named)
    return FileRefusal(name, _reason(head), is_skipped=not claims)


def _claims(name: str) -> bool:
    return PurePosixPath(name.lower().removesuffix(".gz")).suffix in EXTENSIONS


def _reason(head: bytes) -> str:
    """Return why no connector recognises a file that begins like this."""
    if not head:
        return "the file is empty"
    if head.isspace():
        return "the file begins with nothing but blanks"
    if head.startswith((b"\xff\xfe", b"\xfe\xff")) or (head[1::2].count(0) > len(head) // 3 and 0 not in head[::2]):
        return "the text is UTF-16; save it as UTF-8"
    if head.startswith(b"PK\x03\x04"):
        return "an archive inside an archive, or not named .zip; it is not opened"
    if 0 in head or head.startswith(b"%PDF"):
        return "the content is binary, not text of a known format"
    return f"the content is none of the formats that are read ({', '.join(CONNECTORS)})"


def _plain(name: str) -> str:
    """Return a file's name fit for a line of text: no control characters, no undecodable bytes, not endless."""
    text = name.encode("utf-8", "replace").decode()
    return "".join(character if character.isprintable() else "?" for character in text)[:255]
