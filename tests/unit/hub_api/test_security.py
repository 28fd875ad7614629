"""The rules that let nobody in by accident: paths, cursors, headers."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import pytest

from hub_api.fhir.cursor import Cursor, CursorSeal
from hub_api.security.policy import decide, rule_for
from hub_core.errors import UnreadableError
from hub_core.principals import Principal

ADMINISTRATOR = Principal(uuid4(), "admin", "person", is_administrator=True)
CLERK = Principal(uuid4(), "clerk", "person", is_administrator=False)
CURSOR = Cursor("Patient", (("family", "Okafor"), ("_count", "2")), 17)


@pytest.mark.parametrize(
    "path", ["/", "/fhir/Patient", "/api/feeds", "/anything/new", "/login/", "/health/ready/x", ""]
)
def test_what_has_no_rule_is_the_administrators(path: str) -> None:
    assert rule_for(path) == "administrator"
    assert decide(None, path) == "unauthenticated"
    assert decide(CLERK, path) == "forbidden"
    assert decide(ADMINISTRATOR, path) == "allowed"


def test_anybody_known_may_ask_who_they_are_and_leave() -> None:
    for path in ("/api/session", "/logout"):
        assert decide(CLERK, path) == "allowed"
        assert decide(None, path) == "unauthenticated"


def test_a_cursor_comes_back_to_its_owner_only(tmp_path: Path) -> None:
    seal = CursorSeal(tmp_path)
    text = seal.seal(CURSOR, ADMINISTRATOR.principal_id)
    assert CursorSeal(tmp_path).open(text, ADMINISTRATOR.principal_id, "Patient") == CURSOR
    for owner, path in ((CLERK.principal_id, "Patient"), (ADMINISTRATOR.principal_id, "Encounter")):
        with pytest.raises(UnreadableError):
            seal.open(text, owner, path)


def test_a_cursor_shows_nothing_and_cannot_be_changed(tmp_path: Path) -> None:
    seal = CursorSeal(tmp_path)
    text = seal.seal(CURSOR, ADMINISTRATOR.principal_id)
    assert "Okafor" not in text
    changed = ("A" if text[20] != "A" else "B").join((text[:20], text[21:]))
    for wrong in (changed, text[:-4], "", "é", "x" * 5000):
        with pytest.raises(UnreadableError):
            seal.open(wrong, ADMINISTRATOR.principal_id, "Patient")


def test_the_cursor_key_is_the_owners_alone(tmp_path: Path) -> None:
    CursorSeal(tmp_path / "keys")
    assert (tmp_path / "keys" / "cursor.key").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in (tmp_path / "keys").iterdir()] == ["cursor.key"]
