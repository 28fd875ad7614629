"""Whatever a text holds, quoted it is one text: in SQL, and in PostgreSQL's configuration files, which differ."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from hub_core.postgres.configuration import _quoted
from hub_core.quoting import identifier, literal

TEXTS = ["plain", "O'Neil''s", 'say "ah"', "back\\slash\\'", "two\nlines", ""]


@pytest.mark.parametrize("text", TEXTS)
def test_a_literal_is_its_text(text: str) -> None:
    assert duckdb.execute(f"SELECT {literal(text)}").fetchall() == [(text,)]


@pytest.mark.parametrize("text", TEXTS[:-1])
def test_an_identifier_is_its_name(text: str) -> None:
    assert duckdb.execute(f"SELECT 1 AS {identifier(text)}").description[0][0] == text


def test_configuration_files_read_a_backslash_as_the_beginning_of_an_escape() -> None:
    assert _quoted(Path("/data/O'Neil\\new")) == r"'/data/O''Neil\\new'"
