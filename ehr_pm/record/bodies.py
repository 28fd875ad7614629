"""The form in which the record keeps a version's body: compressed by a dictionary of what such bodies hold (ADR 0017).

A body is JSON of a kilobyte or so, and most of it is what every resource of its type says. PostgreSQL compresses no
value of less than two kilobytes, and none by what others hold. The first byte of a packed body names its form, so that
forms can follow each other while what is stored stays readable.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from hub_core.compression import compression, length
from hub_core.errors import DamagedError

PLAIN: Final = b"\x00"
"""UTF-8 as it is; what was stored before there were other forms."""
COMPRESSED: Final = b"\x01"
"""A frame of the first dictionary."""

_FIRST: Final = compression("ehr_pm.record", "bodies_1.zdict")


def pack(body: bytes) -> bytes:
    """Return a body in the form in which it is stored today."""
    return COMPRESSED + _FIRST.compress(body)


def unpack(packed: bytes, *key: object) -> bytes:
    """Return the body that was stored, whatever its form.

    Args:
        packed: as it is stored.
        key: of whose body it is, as type and id: whoever has to mend it is told.

    Raises:
        DamagedError: if it is in no form that was ever stored.
    """
    form, rest = packed[:1], packed[1:]
    try:
        if form == COMPRESSED:
            return _FIRST.decompress(rest)
    except DamagedError as error:
        raise DamagedError(f"{_place(key)}: {error}") from error
    if form == PLAIN:
        return rest
    raise DamagedError(f"{_place(key)}: no form of a body has the first byte {form.hex() or 'of nothing'}")


def unpack_all(packed: Sequence[bytes], size: int) -> Iterator[tuple[bytes, list[int]]]:
    """Yield the bodies that were stored in parts: one after the other, and the length of each.

    Args:
        packed: bodies in any form.
        size: bytes that a part may have, but for its last body: what is said again and again packs to next to nothing.

    Raises:
        DamagedError: if one is in no form that was ever stored.
    """
    start, held = 0, 0
    for end, body in enumerate(packed, start=1):
        held += _length(body)
        if held >= size or end == len(packed):
            yield _unpacked(packed[start:end])
            start, held = end, 0


def _place(key: tuple[object, ...]) -> str:
    return f"resource_version.body of {'/'.join(map(str, key))}" if key else "a resource_version.body"


def _length(packed: bytes) -> int:
    return length(packed[1:]) if packed[:1] == COMPRESSED else len(packed)


def _unpacked(packed: Sequence[bytes]) -> tuple[bytes, list[int]]:
    if all(body[:1] == COMPRESSED for body in packed):
        return _FIRST.decompress_all([body[1:] for body in packed])
    bodies = list(map(unpack, packed))
    return b"".join(bodies), list(map(len, bodies))
