"""The rules that let nobody in by accident: paths, cursors, headers."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import pytest

from hub_api.fhir.cursor import Cursor, CursorSeal
from hub_api.security.policy import actions_for, is_public, rule_for
from hub_core.access import PERMISSIONS
from hub_core.errors import UnreadableError
from hub_core.fhir.registry import RESOURCE_TYPES
from hub_core.principals import Principal

ADMINISTRATOR = Principal(uuid4(), "admin", "person", is_administrator=True)
CLERK = Principal(uuid4(), "clerk", "person", is_administrator=False)
CURSOR = Cursor("Patient", (("family", "Okafor"), ("_count", "2")), 17)


@pytest.mark.parametrize("path", ["/", "/fhir/Patient", "/anything/new", "/login/", "/health/ready/x", "", "/static/"])
def test_what_a_stranger_may_ask_for_is_exactly_what_is_listed(path: str) -> None:
    assert not is_public(path)


def test_a_route_that_is_not_in_the_table_is_nobodys() -> None:
    assert rule_for("GET", "/anything/new") is None
    assert rule_for("HEAD", "/api/feeds") == rule_for("GET", "/api/feeds") == "feed.read"


def test_every_type_of_resource_can_be_read_with_a_role_of_the_staff() -> None:
    staff = PERMISSIONS["clinician"] | PERMISSIONS["administrator"]
    for name in RESOURCE_TYPES:
        assert staff.intersection(actions_for(name)), name
    assert "chart.read" not in actions_for("AuditEvent")


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
