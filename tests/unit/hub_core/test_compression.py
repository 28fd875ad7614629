"""Compression by dictionaries that are never changed, from many threads at once."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files

import pytest

from hub_core.compression import compression
from hub_core.errors import DamagedError

DIGESTS = {
    ("ehr_pm.record", "bodies_1.zdict"): "abbc245ff299aeac626f80d26430ca902b00e5fb7ea6e38b76415373d9aae7b3",
    ("hub_core", "sealed_1.zdict"): "b7ca80941231298bad31ede8359f791c03d6fdefb91144cf42f9288d3e209002",
}


@pytest.mark.parametrize(("package", "name"), DIGESTS)
def test_a_dictionary_is_the_one_that_was_compressed_with(package: str, name: str) -> None:
    """Nothing that is stored can be read without it: a better one is another file, and stands beside it."""
    assert hashlib.sha256(files(package).joinpath(name).read_bytes()).hexdigest() == DIGESTS[package, name]


@pytest.mark.parametrize(("package", "name"), DIGESTS)
def test_many_threads_compress_and_decompress_at_once(package: str, name: str) -> None:
    texts = [b"MSH|^~\\&|" + b"x" * number for number in range(500)]
    with ThreadPoolExecutor(8) as threads:
        frames = list(threads.map(compression(package, name).compress, texts))
        assert list(threads.map(compression(package, name).decompress, frames)) == texts


def test_what_is_cut_off_is_damaged() -> None:
    both = compression("hub_core", "sealed_1.zdict")
    with pytest.raises(DamagedError, match="cannot be decompressed"):
        both.decompress(both.compress(b"x" * 1000)[:-3])
