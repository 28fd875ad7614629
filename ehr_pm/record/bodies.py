"""The form in which the record keeps a version's body: compressed by a dictionary of what such bodies hold.

A body is JSON of a kilobyte or so, and most of it is what every resource of its type says. PostgreSQL compresses no
value of less than two kilobytes, and none by what others hold. The first byte of a packed body names its form, so that
forms can follow each other while what is stored stays readable: a dictionary is never changed, only succeeded.
"""

from __future__ import annotations

import threading
from importlib.resources import files
from typing import Final

import zstandard

from hub_core.errors import DamagedError

PLAIN: Final = b"\x00"
"""UTF-8 as it is; what was stored before there were other forms."""
ZSTD: Final = b"\x01"
"""A zstd frame that needs the first dictionary."""

_LEVEL: Final = 3
_DICTIONARY: Final = "bodies_1.zdict"


def dictionary() -> zstandard.ZstdCompressionDict:
    """Return the dictionary of the form `ZSTD`."""
    return zstandard.ZstdCompressionDict(files("ehr_pm.record").joinpath(_DICTIONARY).read_bytes())


class _Codec(threading.local):
    """Compressor and decompressor of one thread: neither may be used by two at once."""

    def __init__(self) -> None:
        self.compressor = zstandard.ZstdCompressor(level=_LEVEL, dict_data=_SHARED, write_dict_id=False)
        self.decompressor = zstandard.ZstdDecompressor(dict_data=_SHARED)


_SHARED = dictionary()
_SHARED.precompute_compress(level=_LEVEL)  # once, not for every body
_codec = _Codec()


def pack(body: bytes) -> bytes:
    """Return a body in the form in which it is stored today."""
    return ZSTD + _codec.compressor.compress(body)


def unpack(packed: bytes) -> bytes:
    """Return the body that was stored, whatever its form.

    Raises:
        DamagedError: if it is in no form that was ever stored. A length that is wrong reserves memory, but fills none.
    """
    form, rest = packed[:1], packed[1:]
    if form == PLAIN:
        return rest
    if form != ZSTD:
        raise DamagedError(f"a body in the record has the unknown form {form.hex() or 'of nothing'}")
    try:
        return _codec.decompressor.decompress(rest)
    except (zstandard.ZstdError, MemoryError) as error:
        raise DamagedError("a body in the record cannot be decompressed") from error
