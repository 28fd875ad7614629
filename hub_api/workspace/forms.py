"""Reading forms: what was typed, checked by the schema it is for, and problems put beside the fields they are about."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

from pydantic import BaseModel, ValidationError

from hub_core.errors import ConflictError, UnreadableError

if TYPE_CHECKING:
    from fastapi import Request

M = TypeVar("M", bound=BaseModel)

_MOST_FIELDS: Final = 200
_WORDS: Final = {
    "missing": "This is needed.",
    "string_too_short": "This is needed.",
    "string_too_long": "This is too long.",
    "date_parsing": "A date is needed here, such as 1980-04-02.",
    "date_from_datetime_parsing": "A date is needed here, such as 1980-04-02.",
    "greater_than_equal": "This is too early or too small.",
    "literal_error": "Choose one of the list.",
    "uuid_parsing": "Choose one of the list.",
    "datetime_from_date_parsing": "A day and a time are needed here.",
    "datetime_parsing": "A day and a time are needed here.",
}
_PATTERNS: Final = {
    "state": "Two capital letters, such as MN.",
    "postal_code": "Five digits, or nine with a hyphen.",
    "language": "A language code such as en or es.",
}


class Typed:
    """The fields of a form as they were typed; those left empty are not there."""

    def __init__(self, fields: Mapping[str, list[str]]) -> None:
        """Hold what each field says."""
        self._fields = {name: said for name, values in fields.items() if (said := [each for each in values if each])}

    def __getitem__(self, name: str) -> str:
        """Return what was typed, or nothing."""
        return self._fields.get(name, [""])[0]

    def all(self, name: str) -> list[str]:
        """Return everything chosen in a field of several."""
        return self._fields.get(name, [])

    def given(self, *names: str) -> dict[str, str]:
        """Return those of some fields that say something."""
        return {name: self[name] for name in names if self[name]}

    def but(self, **others: str) -> Typed:
        """Return these fields, some of them saying something else."""
        return Typed({**self._fields, **{name: [said] for name, said in others.items()}})

    def __bool__(self) -> bool:
        """Return whether anything was typed."""
        return bool(self._fields)


NOTHING_TYPED: Final = Typed({})


async def typed(request: Request) -> Typed:
    """Return the form of a request, spaces around what was typed taken off.

    Raises:
        UnreadableError: if it holds a file.
    """
    fields: dict[str, list[str]] = {}
    async with request.form(max_files=0, max_fields=_MOST_FIELDS) as form:
        for name, value in form.multi_items():
            if not isinstance(value, str):
                raise UnreadableError("a form without files was expected", code="value")
            fields.setdefault(name, []).append(value.strip())
    request.state.draft = fields.pop("draft", [""])[0]  # which draft was sent, to be forgotten once it is taken
    return Typed(fields)


@dataclass(frozen=True, slots=True)
class Difference:
    """A field in which what was typed differs from what somebody else has kept meanwhile."""

    name: str
    label: str
    mine: str
    theirs: str


def differences(mine: Typed, theirs: Typed, labels: Mapping[str, str]) -> list[Difference]:
    """Return where two versions of a form differ, in the order of the labels."""
    pairs = ((name, label, mine.all(name), theirs.all(name)) for name, label in labels.items())
    return [
        Difference(name, label, ", ".join(ours), ", ".join(others))
        for name, label, ours, others in pairs
        if sorted(ours) != sorted(others)
    ]


class ChangedError(ConflictError):
    """Somebody else changed meanwhile what was being written on."""


class ProblemsError(Exception):
    """What was typed cannot be taken as it is.

    Args:
        problems: a sentence for each field.
    """

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__(f"{len(problems)} fields")
        self.problems = dict(problems)


def told(schema: type[M], values: Mapping[str, Any], names: Mapping[str, str] | None = None) -> M:
    """Return what a form says as its schema.

    Args:
        schema: what is made of it.
        values: what it is made of.
        names: the form's own name for a place in the schema (`contacts.0.value`), where it differs.

    Raises:
        ProblemsError: if the schema does not take it.
    """
    try:
        return schema.model_validate(values)
    except ValidationError as error:
        raise ProblemsError(dict(_problems(error, names or {}))) from error


def _problems(error: ValidationError, names: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for each in error.errors(include_url=False, include_input=False):
        place = ".".join(map(str, each["loc"]))
        name = names.get(place) or next((part for part in reversed(each["loc"]) if isinstance(part, str)), "")
        yield name, _sentence(name, each["type"], each["msg"])


def _sentence(name: str, kind: str, message: str) -> str:
    if kind == "string_pattern_mismatch":
        return _PATTERNS.get(name, "This is not written as it should be.")
    if kind == "value_error":
        return f"{message.removeprefix('Value error, ').capitalize()}."
    return _WORDS.get(kind, "This cannot be read.")
