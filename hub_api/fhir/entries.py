"""The entries of a batch or transaction, read: what each wants, of what, and where it stands (R4 section 3.1.0.11)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias, cast, get_args

from hub_api.fhir.outcome import OutcomeError
from hub_core.fhir.canonical import Json
from hub_core.fhir.registry import RESOURCE_TYPES

Method: TypeAlias = Literal["DELETE", "POST", "PUT", "PATCH", "GET"]
"""In the order in which a server carries them out."""

ORDER: Final[tuple[Method, ...]] = get_args(Method)
MOST_ENTRIES: Final = 2000
_URL: Final = re.compile(
    r"(?P<type>[A-Z][A-Za-z]{0,63})(?:/(?P<id>[A-Za-z0-9.-]{1,64})(?P<history>/_history(?:/(?P<version>\d{1,9}))?)?)?"
    r"(?:\?(?P<query>\S*))?"
)
_SHAPES: Final[dict[Method, tuple[bool, bool]]] = {
    "DELETE": (False, True),
    "POST": (True, False),
    "PUT": (True, True),
    "PATCH": (True, True),
}
"""By method, whether there is a resource, and whether the address names one: by its id or by a search."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry that asks for something."""

    place: str
    """`Bundle.entry[3]`."""
    method: Method
    resource_type: str
    resource_id: str | None
    query: str
    history: str
    """What of the history is asked for: `/_history`, `/_history/3`, or nothing."""
    resource: Json | None
    full_url: str | None
    headers: dict[str, str]
    """What would be said in headers: If-Match, If-None-Exist, If-None-Match."""

    @property
    def path(self) -> str:
        """Return the address below the server's."""
        return f"/{self.resource_type}" + (f"/{self.resource_id}{self.history}" if self.resource_id else "")


def entries_of(bundle: Json) -> list[Any]:
    """Return the entries of a Bundle, not read yet.

    Raises:
        OutcomeError: if there are none, or too many.
    """
    found = bundle.get("entry", [])
    if not isinstance(found, list):
        raise OutcomeError(400, "an array was expected", code="structure", expression="Bundle.entry")
    if len(found) > MOST_ENTRIES:
        raise OutcomeError(413, f"a Bundle has at most {MOST_ENTRIES} entries here", expression="Bundle.entry")
    return found


def read_entry(told: Any, number: int, base: str) -> Entry:
    """Return what an entry asks for.

    Raises:
        OutcomeError: if that cannot be read, or is nothing that entries may ask for.
    """
    place = f"Bundle.entry[{number}]"
    asked = told.get("request") if isinstance(told, dict) else None
    if not isinstance(asked, dict):
        raise OutcomeError(400, "there is no request", code="required", expression=f"{place}.request")
    method, url = asked.get("method"), asked.get("url")
    if method not in ORDER:
        text = f"one of {', '.join(ORDER)} was expected"
        raise OutcomeError(400, text, code="not-supported", expression=f"{place}.request.method")
    found = _URL.fullmatch(url.removeprefix(f"{base}/")) if isinstance(url, str) else None
    if found is None or found["type"] not in RESOURCE_TYPES:
        raise OutcomeError(400, "an address of a type was expected", code="value", expression=f"{place}.request.url")
    entry = Entry(
        place,
        cast(Method, method),
        found["type"],
        found["id"],
        found["query"] or "",
        found["history"] or "",
        told.get("resource"),
        told["fullUrl"] if isinstance(told.get("fullUrl"), str) else None,
        dict(_headers(asked)),
    )
    _hold_shape(entry)
    return entry


def _hold_shape(entry: Entry) -> None:
    has_resource, is_named = _SHAPES.get(entry.method, (False, None))
    if isinstance(entry.resource, dict) != has_resource:
        text = "a resource was expected" if has_resource else "there is a resource where none was expected"
        raise OutcomeError(400, text, code="structure", expression=f"{entry.place}.resource")
    is_one = bool(entry.resource_id) != bool(entry.query) if is_named else not (entry.resource_id or entry.query)
    if is_named is not None and (entry.history or not is_one):
        text = f"{entry.method} goes to " + ("a resource, or to a search" if is_named else "a type")
        raise OutcomeError(400, text, code="value", expression=f"{entry.place}.request.url")


_HEADERS: Final = {"ifMatch": "if-match", "ifNoneExist": "if-none-exist", "ifNoneMatch": "if-none-match"}


def _headers(asked: Json) -> Iterator[tuple[str, str]]:
    for name, header in _HEADERS.items():
        if isinstance(asked.get(name), str):
            yield header, asked[name]
