"""Boundaries: what is written may stand for as much as it leaves open, and for no more."""

from __future__ import annotations

import json
from typing import Any

import duckdb
import pytest

from pipelines.views.compiler import compile_view
from pipelines.views.definition import read_definition
from pipelines.views.value import ViewRefusedError


def edges(path: str, body: str) -> tuple[Any, ...]:
    columns = [{"name": side, "path": f"{path}.{side}Boundary()"} for side in ("low", "high")]
    kind = json.loads(body)["resourceType"]
    compiled = compile_view(read_definition({"resource": kind, "select": [{"column": columns}]}))
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE lake AS SELECT ? AS body", [body])
        return connection.execute(compiled.over("lake")).fetchall()[0]


@pytest.mark.parametrize(
    ("written", "low", "high"),
    [
        ("1.0", 0.95, 1.05),
        ("1.10", 1.095, 1.105),
        ("7", 6.5, 7.5),
        ("-0.25", -0.255, -0.245),
        ("1.50e1", 14.95, 15.05),
        ("3E2", 250.0, 350.0),
    ],
)
def test_a_decimal_is_as_exact_as_its_digits(written: str, low: float, high: float) -> None:
    body = (
        f'{{"resourceType":"Observation","note":[{{"text":"\\"value\\":9"}}],"valueQuantity":{{"value": {written}}}}}'
    )
    assert edges("value.ofType(Quantity).value", body) == (low, high)


@pytest.mark.parametrize(
    ("written", "low", "high"),
    [
        ("2024", "2024-01-01", "2024-12-31"),
        ("2024-02", "2024-02-01", "2024-02-29"),
        ("2023-02", "2023-02-01", "2023-02-28"),
        ("2024-02-03", "2024-02-03", "2024-02-03"),
    ],
)
def test_a_date_ends_with_its_month_or_year(written: str, low: str, high: str) -> None:
    assert edges("birthDate", f'{{"resourceType":"Patient","birthDate":"{written}"}}') == (low, high)


@pytest.mark.parametrize(
    ("written", "low", "high"),
    [
        ("2024-02", "2024-02-01T00:00:00.000+14:00", "2024-02-29T23:59:59.999-12:00"),
        ("2024-02-03T10:11:12Z", "2024-02-03T10:11:12.000Z", "2024-02-03T10:11:12.999Z"),
        ("2024-02-03T10:11:12.5-06:00", "2024-02-03T10:11:12.500-06:00", "2024-02-03T10:11:12.599-06:00"),
        ("2024-02-03T10:11:12.123456Z", "2024-02-03T10:11:12.123456Z", "2024-02-03T10:11:12.123456Z"),
    ],
)
def test_a_moment_without_a_zone_may_be_anywhere(written: str, low: str, high: str) -> None:
    body = f'{{"resourceType":"Observation","effectiveDateTime":"{written}"}}'
    assert edges("effective.ofType(dateTime)", body) == (low, high)


def test_other_numbers_of_the_view_stay_numbers() -> None:
    columns = [
        {"name": "low", "path": "value.ofType(Quantity).value.lowBoundary()"},
        {"name": "twice", "path": "value.ofType(Quantity).value * 2", "type": "decimal"},
    ]
    where = [{"path": "value.ofType(Quantity).value > 9.5"}]
    definition = {"resource": "Observation", "select": [{"column": columns}], "where": where}
    compiled = compile_view(read_definition(definition))
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE lake (body VARCHAR)")
        for value in ("10.0", "9.0"):
            body = f'{{"resourceType":"Observation","valueQuantity":{{"value":{value}}}}}'
            connection.execute("INSERT INTO lake VALUES (?)", [body])
        assert connection.execute(compiled.over("lake")).fetchall() == [(9.95, 20.0)]


def test_a_boundary_of_what_is_computed_is_refused() -> None:
    columns = [{"name": "c", "path": "(value.ofType(Quantity).value * 2).lowBoundary()"}]
    with pytest.raises(ViewRefusedError, match="lowBoundary"):
        compile_view(read_definition({"resource": "Observation", "select": [{"column": columns}]}))
