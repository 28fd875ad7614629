"""The client keeps nothing between visitors, says nothing about patients in errors, and reads what the API answers."""

from __future__ import annotations

from uuid import UUID

import pytest

from dashboards.hub import Hub, HubUnavailableError, SessionEndedError, open_client
from hub_core.errors import AccessDeniedError, NotFoundError, UnreadableError
from tests.unit.dashboards import group
from tests.unit.dashboards.hub_server import HubServer


def asked_by(hub: HubServer, session: str = group.SESSION) -> Hub:
    """Return the API as asked with this session."""
    return Hub(open_client(f"http://127.0.0.1:{hub.port}"), session)


def test_a_shared_client_keeps_no_cookie(hub: HubServer) -> None:
    client = open_client(f"http://127.0.0.1:{hub.port}")
    hub.sessions.add("the-session-of-another")
    Hub(client, group.SESSION).visitor()
    Hub(client, "the-session-of-another").visitor()
    assert [asked.cookie for asked in hub.asked] == [
        f"wholechart_session={group.SESSION}",
        "wholechart_session=the-session-of-another",
    ]


def test_a_chart_is_read_whole(hub: HubServer) -> None:
    chart = asked_by(hub).chart(UUID(group.PERSON))
    assert chart.person.patients[0].identifiers[0].value == "10001"
    assert len(chart.facts) == 90
    assert chart.facts[0].received_at is not None
    assert chart.facts[0].received_at.tzinfo is not None


@pytest.mark.parametrize(
    ("status", "error"),
    [(401, SessionEndedError), (403, AccessDeniedError), (404, NotFoundError), (500, HubUnavailableError)],
)
def test_refusals_have_their_own_errors(hub: HubServer, status: int, error: type[Exception]) -> None:
    hub.answers["GET", "/api/feeds"] = (status, {"secret": "Delgado"})
    with pytest.raises(error) as raised:
        asked_by(hub).feeds()
    assert "Delgado" not in str(raised.value)


@pytest.mark.parametrize("answer", [b"<html>Delgado", b'["Delgado"]', b'{"person": {"name": "Delgado"}}', b"null"])
def test_an_answer_of_another_shape_is_told_without_its_text(hub: HubServer, answer: bytes) -> None:
    hub.answers["GET", f"/api/people/{group.PERSON}/chart"] = (200, answer)
    with pytest.raises(UnreadableError) as raised:
        asked_by(hub).chart(UUID(group.PERSON))
    assert "Delgado" not in str(raised.value)
    assert raised.value.__cause__ is None


def test_an_api_that_is_away_is_said_to_be(hub: HubServer) -> None:
    asking = asked_by(hub)
    hub.stop()
    with pytest.raises(HubUnavailableError, match="does not answer"):
        asking.visitor()


def test_the_name_of_a_feed_cannot_lead_elsewhere(hub: HubServer) -> None:
    with pytest.raises(NotFoundError):
        asked_by(hub).rejects("../people/search?x=", 10)
    assert hub.paths() == ["GET /api/feeds/..%2Fpeople%2Fsearch%3Fx%3D/rejects?limit=10"]


def test_logging_out_twice_is_no_fault(hub: HubServer) -> None:
    asking = asked_by(hub)
    asking.log_out()
    asking.log_out()
    assert hub.sessions == set()


def test_what_the_api_does_not_say_is_not_allowed(hub: HubServer) -> None:
    hub.answers["GET", "/api/session"] = (200, {"name": "clerk", "is_administrator": True})
    visitor = asked_by(hub).visitor()
    assert (visitor.actions, visitor.report_places) == (frozenset(), ())
