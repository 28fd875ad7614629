"""FHIRPath's operators as SQL: equality and order of collections, partial dates and times, arithmetic, and/or/not."""

from __future__ import annotations

from dataclasses import replace

from pipelines.views.value import Value, ViewRefusedError

ORDER = frozenset({"<", ">", "<=", ">="})
ARITHMETIC = frozenset({"+", "-", "*", "/"})


def operate(operator: str, left: Value, right: Value) -> Value:
    """Return SQL for two operands and what stands between them.

    Raises:
        ViewRefusedError: if FHIRPath gives that no meaning for these types.
    """
    if operator in ("and", "or", "xor"):
        return _logic(operator, left, right)
    if operator == "=":
        return equal(left, right)
    if operator == "!=":
        return _answer(f"NOT ({equal(left, right).sql})", left)
    if operator in ORDER:
        return _ordered(operator, left.one, right.one)
    if operator == "&":
        return _joined(left.one, right.one)
    if operator in ARITHMETIC:
        return _arithmetic(operator, left.one, right.one)
    raise ViewRefusedError(f"the operator {operator} is not supported")


def truth(value: Value) -> str:
    """Return SQL of a condition.

    Raises:
        ViewRefusedError: if the value is not a boolean.
    """
    if value.family != "boolean":
        raise ViewRefusedError(f"is a condition, but its type is {value.type}")
    return value.one.sql


def equal(left: Value, right: Value) -> Value:
    """Return SQL for `=`: empty if either side is, false if they count differently (FHIRPath N1 6.1.1)."""
    _same_family(left, right, "=")
    if not left.many and not right.many:
        return _answer(_same(left, right), left)
    if left.many and right.many:
        if left.family == "date":
            raise ViewRefusedError("two collections of dates cannot be compared")
        nothing = f"{left.is_empty} OR {right.is_empty}"
        return _answer(f"CASE WHEN {nothing} THEN NULL ELSE {left.sql} = {right.sql} END", left)
    several, single = (left, right) if left.many else (right, left)
    first = replace(several, sql=left.dialect.item(several.sql, 0), many=False)
    return _answer(
        f"CASE WHEN {several.is_empty} OR {single.is_empty} THEN NULL "
        f"WHEN {left.dialect.length(several.sql)} > 1 THEN false ELSE {_same(first, single)} END",
        left,
    )


def _answer(sql: str, operand: Value) -> Value:
    return Value(sql, "boolean", operand.dialect)


def _same(left: Value, right: Value) -> str:
    return _moments("=", left, right) if left.family == "date" else f"({left.sql}) = ({right.sql})"


def _ordered(operator: str, left: Value, right: Value) -> Value:
    _same_family(left, right, operator)
    if left.family == "boolean":
        raise ViewRefusedError(f"booleans cannot be compared by {operator}")
    if left.family in ("date", "time"):
        return _answer(_moments(operator, left, right), left)
    return _answer(f"({left.sql}) {operator} ({right.sql})", left)


def _moments(operator: str, left: Value, right: Value) -> str:
    """Compare as far as both are known; where that does not decide, the answer is empty (FHIRPath N1 6.1.1, 6.2)."""
    a, b = f"({left.sql})", f"({right.sql})"
    known = f"least(length({a}), length({b}))"
    a_known, b_known = f"left({a}, {known})", f"left({b}, {known})"
    by_text = (
        f"CASE WHEN {a_known} <> {b_known} THEN {a_known} {operator} {b_known} "
        f"WHEN length({a}) = length({b}) THEN {a} {operator} {b} END"
    )
    if left.family == "time" or "date" in (left.type, right.type):
        return by_text
    on_clock = f"{left.dialect.moment(a)} {operator} {left.dialect.moment(b)}"
    return f"CASE WHEN length({a}) > 10 AND length({b}) > 10 THEN {on_clock} ELSE {by_text} END"


def _logic(operator: str, left: Value, right: Value) -> Value:
    a, b = truth(left), truth(right)
    return _answer(f"(({a}) <> ({b}))" if operator == "xor" else f"(({a}) {operator.upper()} ({b}))", left)


def _joined(left: Value, right: Value) -> Value:
    if left.family != "text" or right.family != "text":
        raise ViewRefusedError("& joins texts only")
    return Value(f"(coalesce({left.sql}, '') || coalesce({right.sql}, ''))", "string", left.dialect)


def _arithmetic(operator: str, left: Value, right: Value) -> Value:
    if left.family == right.family == "text" and operator == "+":
        return Value(f"(({left.sql}) || ({right.sql}))", "string", left.dialect)
    if left.family != "number" or right.family != "number":
        raise ViewRefusedError(f"the operator {operator} is supported for numbers only")
    divisor = f"nullif(({right.sql}), 0)" if operator == "/" else f"({right.sql})"
    is_whole = operator != "/" and "decimal" not in (left.type, right.type)
    return Value(f"(({left.sql}) {operator} {divisor})", "integer" if is_whole else "decimal", left.dialect)


def _same_family(left: Value, right: Value, operator: str) -> None:
    if left.family != right.family or left.family == "object":
        raise ViewRefusedError(f"{left.type} cannot be compared with {right.type} by {operator}")
