"""Compression of short texts by a dictionary of what such texts hold, from any thread.

A dictionary is a file of the program and is never changed: what it compressed can be read by nothing else. A better one
is a file of its own, and whoever stores says in what is stored which one is needed.
"""

from __future__ import annotations

import threading
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final, cast

import zstandard

from hub_core.errors import DamagedError

if TYPE_CHECKING:
    from collections.abc import Sequence

_LEVEL: Final = 3
_CHANGED: Final = "what is stored cannot be decompressed: it was changed after it was written"


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
            raise DamagedError(_CHANGED) from error

    def decompress_all(self, frames: Sequence[bytes]) -> tuple[bytes, list[int]]:
        """Return what many frames held, one after the other, and the length of each: less work than one by one.

        Raises:
            DamagedError: if one is no frame of this dictionary.
        """
        if not any(map(length, frames)):  # the library frees twice what has nothing in it
            return b"".join(map(self.decompress, frames)), [0] * len(frames)
        try:
            texts = cast("Sequence[bytes]", self._decompressor.multi_decompress_to_buffer(list(frames)))
        except (zstandard.ZstdError, ValueError, MemoryError) as error:
            raise DamagedError(_CHANGED) from error
        return b"".join(texts), list(map(len, texts))


def length(frame: bytes) -> int:
    """Return how long what was compressed is, as the frame itself says.

    Raises:
        DamagedError: if it is no frame, or does not say.
    """
    try:
        told = zstandard.frame_content_size(frame)
    except zstandard.ZstdError as error:
        raise DamagedError(_CHANGED) from error
    if told < 0:
        raise DamagedError(_CHANGED)
    return told


@cache
def compression(package: str, dictionary: str) -> Compression:
    """Return the compression by a dictionary that is a file of a package."""
    shared = zstandard.ZstdCompressionDict(files(package).joinpath(dictionary).read_bytes())
    shared.precompute_compress(level=_LEVEL)  # once, not for every text
    return Compression(shared)
