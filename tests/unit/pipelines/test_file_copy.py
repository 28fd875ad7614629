"""A warehouse is copied to the byte, whatever its size and whatever the file system can do."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipelines.increment import file_copy
from pipelines.increment.file_copy import copy_file

SIZES = [0, 1, 4095, 4096, 4097, (8 << 20) - 1, 8 << 20, (16 << 20) + 5]


@pytest.fixture(params=SIZES)
def source(tmp_path: Path, request: Any) -> Path:
    """Return a file of some size."""
    source = tmp_path / "source"
    source.write_bytes((bytes(range(251)) * (request.param // 251 + 1))[: request.param])
    return source


def failing(number: int) -> Callable[..., Any]:
    def refuse(*_: Any) -> None:
        raise OSError(number, os.strerror(number))

    return refuse


def test_a_copy_is_the_same_to_the_byte(source: Path) -> None:
    target = source.with_name("target")
    copy_file(source, target)
    assert target.read_bytes() == source.read_bytes()


def test_a_file_system_that_cannot_write_past_the_cache_copies_all_the_same(
    source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_copy, "_write", failing(errno.EINVAL))
    target = source.with_name("target")
    copy_file(source, target)
    assert target.read_bytes() == source.read_bytes()


def test_what_is_written_in_parts_is_written_whole(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.write
    monkeypatch.setattr(os, "write", lambda file, portion: write(file, portion[: 1 << 20]))
    target = source.with_name("target")
    copy_file(source, target)
    assert target.read_bytes() == source.read_bytes()


def test_a_full_disk_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_copy, "_write", failing(errno.ENOSPC))
    (tmp_path / "source").write_bytes(b"x")
    with pytest.raises(OSError, match="No space left"):
        copy_file(tmp_path / "source", tmp_path / "target")
