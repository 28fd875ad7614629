"""Compression of short texts by a dictionary of what such texts hold, from any thread.

A dictionary is a file of the program and is never changed: what it compressed can be read by nothing else. A better one
is a file of its own, and whoever stores says in what is stored which one is needed.
"""

from __future__ import annotations

import threading
from functools import cache
from importlib.resources import files
from typing import Final

import zstandard

from hub_core.errors import DamagedError

_LEVEL: Final = 3


class Compression(threading.local):
    """Compressor and decompressor of each thread, for neither may be used by two at once."""

    def __init__(self, dictionary: zstandard.ZstdCompressionDict) -> None:
        """Begin, in each thread anew, with the dictionary that all share."""
        self._compressor = zstandard.ZstdCompressor(level=_LEVEL, dict_data=dictionary, write_dict_id=False)
        self._decompressor = zstandard.ZstdDecompressor(dict_data=dictionary)

    def compress(self, text: bytes) -> bytes:
        """Return a Zstandard frame (RFC 8878)."""
        return self._compressor.compress(text)

    def decompress(self, frame: bytes) -> bytes:
        """Return what was compressed.

        Raises:
            DamagedError: if it is no frame of this dictionary. A length that is wrong reserves memory, but fills none.
        """
        try:
            return self._decompressor.decompress(frame)
        except (zstandard.ZstdError, MemoryError) as error:
            raise DamagedError("what is stored cannot be decompressed: it was changed after it was written") from error


@cache
def compression(package: str, dictionary: str) -> Compression:
    """Return the compression by a dictionary that is a file of a package."""
    shared = zstandard.ZstdCompressionDict(files(package).joinpath(dictionary).read_bytes())
    shared.precompute_compress(level=_LEVEL)  # once, not for every text
    return Compression(shared)
