"""FHIR resources in NDJSON files as a relation a view can be run over."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb

from pipelines.views.value import quoted

_LARGEST = 256 * 1024 * 1024
"""Bytes of one resource."""


@contextmanager
def open_resources(files: Sequence[Path], resource: str) -> Iterator[tuple[duckdb.DuckDBPyConnection, str]]:
    """Give a connection, and SQL of the relation (`body`) of all resources of one type in the files."""
    names = ", ".join(quoted(str(file)) for file in files)
    read = f"read_ndjson_objects([{names}], maximum_object_size = {_LARGEST})"
    kind = "json_extract_string(json, '$.resourceType')"
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        yield connection, f"(SELECT CAST(json AS VARCHAR) AS body FROM {read} WHERE {kind} = {quoted(resource)})"  # noqa: S608


def told(error: duckdb.Error) -> str:
    """Return why files could not be read through a view, without anything they say."""
    found = re.search(r"(?s)Malformed JSON.* line (\d+)", str(error))
    if found:
        return f"an input is not JSON near its line {found[1]}"
    if isinstance(error, duckdb.InvalidInputException) and "a path gives several values" in str(error):
        return "a path of the view gives several values where one is asked for"
    return f"the view cannot be run over these files ({type(error).__name__})"
