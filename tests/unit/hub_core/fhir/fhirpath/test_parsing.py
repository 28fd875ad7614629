"""FHIRPath is read as its grammar says: what binds stronger, what is a literal, what is refused and where."""

from __future__ import annotations

from contextlib import suppress
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub_core.errors import PathError
from hub_core.fhir.fhirpath.parsing import parse
from hub_core.fhir.fhirpath.syntax import (
    Call,
    Constant,
    Index,
    Member,
    Nothing,
    Operation,
    Path,
    Polarity,
    Position,
    Quantity,
    This,
    Total,
    TypeName,
    TypeOperation,
    Variable,
    type_name,
)


def named(*names: str) -> Path:
    path: Path = This()
    for name in names:
        path = Member(path, name)
    return path


A, B, C = named("a"), named("b"), named("c")


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("a.b.c", named("a", "b", "c")),
        ("$this.a", A),
        ("`a`.`b c`", named("a", "b c")),
        (r"`a\`b`", named("a`b")),
        ("a.is.as.contains.in", named("a", "is", "as", "contains", "in")),
        ("contains.a", named("contains", "a")),
        ("a[0].b", Member(Index(A, Constant("0", "integer")), "b")),
        ("a.f(b, c)", Call(A, "f", (B, C))),
        ("f()", Call(This(), "f", ())),
        ("-a.b", Polarity("-", named("a", "b"))),
        ("+ - a", Polarity("+", Polarity("-", A))),
        ("{}", Nothing()),
        ("$index + $total", Operation("+", Position(), Total())),
        ("%resource", Variable("resource")),
        ("%`us zip`", Variable("us zip")),
        ("%'vs-name'", Variable("vs-name")),
        ("a is b", TypeOperation("is", A, TypeName("b"))),
        ("a as System.String", TypeOperation("as", A, TypeName("String", "System"))),
        ("(a as b).c", Member(TypeOperation("as", A, TypeName("b")), "c")),
        ("a /* b */ . // c\n b", named("a", "b")),
        ("// a\nb", B),
    ],
)
def test_text_becomes_its_tree(text: str, tree: Path) -> None:
    assert parse(text) == tree


@pytest.mark.parametrize(
    ("text", "literal"),
    [
        ("'it''s'", None),
        (r"'it\'s \"\` \\ \/ \u002a\n\r\t\f'", Constant("it's \"` \\ / *\n\r\t\f", "string")),
        ("''", Constant("", "string")),
        ("12", Constant("12", "integer")),
        ("1.20", Constant("1.20", "decimal")),
        ("true", Constant("true", "boolean")),
        ("@2024", Constant("2024", "date")),
        ("@2024-02", Constant("2024-02", "date")),
        ("@2024T", Constant("2024", "dateTime")),
        ("@2024-02-03T04", Constant("2024-02-03T04", "dateTime")),
        ("@2024-02-03T04:05:06.789-05:00", Constant("2024-02-03T04:05:06.789-05:00", "dateTime")),
        ("@T04:05", Constant("04:05", "time")),
        ("4 'mg'", Quantity("4", "mg", False)),
        ("4.5 days", Quantity("4.5", "day", True)),
        ("1 year", Quantity("1", "year", True)),
    ],
)
def test_literals_keep_what_is_written(text: str, literal: Path | None) -> None:
    if literal is None:
        with pytest.raises(PathError):
            parse(text)
    else:
        assert parse(text) == literal


LEFT = "implies or xor and in contains = ~ != !~ <= < > >= | + - & * / div mod".split()  # noqa: SIM905 - shorter
ORDER = ["implies", "or", "and", "in", "=", "<", "|", "+", "*"]
"""One operator of each level, from the weakest, but for is and as."""


@pytest.mark.parametrize(("weak", "strong"), list(pairwise(ORDER)))
def test_operators_bind_as_the_grammar_lists_them(weak: str, strong: str) -> None:
    assert parse(f"a {weak} b {strong} c") == Operation(weak, A, Operation(strong, B, C))
    assert parse(f"a {strong} b {weak} c") == Operation(weak, Operation(strong, A, B), C)


@pytest.mark.parametrize("operator", LEFT)
def test_operators_of_one_level_bind_from_the_left(operator: str) -> None:
    assert parse(f"a {operator} b {operator} c") == Operation(operator, Operation(operator, A, B), C)


def test_types_bind_stronger_than_unions_and_weaker_than_sums() -> None:
    a_as_b = TypeOperation("as", A, TypeName("b"))
    assert parse("a as b | c") == Operation("|", a_as_b, C)
    assert parse("c | a as b") == Operation("|", C, a_as_b)
    assert parse("a + c as b") == TypeOperation("as", Operation("+", A, C), TypeName("b"))


def test_an_argument_can_be_read_as_the_name_of_a_type() -> None:
    assert type_name(parse("Quantity")) == TypeName("Quantity")
    assert type_name(parse("FHIR.Patient")) == TypeName("Patient", "FHIR")
    assert type_name(parse("a.b.c")) is None
    assert type_name(parse("f()")) is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "ends too early at character 1"),
        ("2 + 2 /", "ends too early at character 8"),
        ("a b", "is not understood at character 3"),
        ("a..b", "is not understood at character 3"),
        ("a.f(b,)", "is not understood at character 7"),
        ("a.f(b", "ends too early at character 6"),
        ("a.$this", "is not understood at character 3"),
        ("$that", "is not understood at character 1"),
        ("a # b", "cannot be read at character 3"),
        ("a /* b", "is not understood at character 4"),
        ("'open", "cannot be read at character 1"),
        ("a is b.c.d", "is not understood"),
        ("@24", "cannot be read at character 1"),
        ("(" * 80 + "a" + ")" * 80, "is nested deeper than 50 levels"),
        ("-" * 80 + "1", "is nested deeper than 50 levels"),
        ("a" + ".a" * 400, "is a chain of more than 150 steps"),
        ("1" + "+1" * 400, "is a chain of more than 150 steps"),
        ("'" + "a" * 20_000 + "'", "is longer than 20,000 characters"),
    ],
)
def test_what_is_not_in_the_grammar_is_refused_with_its_place(text: str, reason: str) -> None:
    with pytest.raises(PathError) as refused:
        parse(text)
    assert reason in str(refused.value)


@given(st.text(alphabet="ab.()[]{}'`%$@|=<>~!&+-*/ \\019T:\n", max_size=40))
def test_any_text_is_read_or_refused_and_nothing_else(text: str) -> None:
    with suppress(PathError):
        parse(text)
