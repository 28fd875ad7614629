"""The sample feeds convert as they were meant: two rejects, and nothing else left out."""

from __future__ import annotations

from collections import Counter

import pytest

from connectors.connector import Origin, Outcome, Refusal
from connectors.registry import CONNECTORS
from hub_core.feeds import Feed, load_feeds
from tests.samples import SAMPLES

FEEDS = load_feeds(SAMPLES / "feeds")
LIMIT = 1024 * 1024


def outcomes(feed: Feed) -> list[tuple[str, Outcome]]:
    """Return what becomes of every record of a feed, each with its file."""
    connector = CONNECTORS[feed.format or ""]
    origin = Origin(feed.source, feed.location, feed.zone)
    found = []
    for path in sorted((SAMPLES / feed.name).iterdir()):
        with path.open("rb") as stream:
            for piece in connector.cut(stream, limit=LIMIT):
                assert not isinstance(piece, Refusal)
                found += [(path.name, outcome) for outcome in connector.convert(piece.body, origin)]
    return found


@pytest.mark.parametrize(
    ("feed", "states"),
    [
        ("family-practice", {"processed": 93, "rejected": 1}),
        ("hospital", {"processed": 49}),
        ("cardiology", {"processed": 52, "rejected": 1}),
        ("pediatrics-billing", {"processed": 5}),
    ],
)
def test_every_record_becomes_what_it_was_written_for(feed: str, states: dict[str, int]) -> None:
    assert Counter(outcome.state for _, outcome in outcomes(FEEDS[feed])) == states


def test_the_two_rejects_say_where_and_why() -> None:
    rejects = {
        (name, outcome.position, issue.code)
        for feed in FEEDS.values()
        for name, outcome in outcomes(feed)
        for issue in outcome.issues
        if outcome.state == "rejected"
    }
    assert {(name, code) for name, _, code in rejects} == {("1-adt.hl7", "required"), ("Observation.ndjson", "invalid")}


def test_patients_with_an_enterprise_number_carry_it_under_one_system_in_every_format() -> None:
    holders: dict[str, set[str]] = {}
    for feed in FEEDS.values():
        for _, outcome in outcomes(feed):
            for fact in outcome.facts:
                for identifier in fact.resource.get("identifier", ()):
                    if identifier.get("system") == "urn:oid:2.16.840.1.113883.19.5.1":
                        holders.setdefault(identifier["value"], set()).add(feed.name)
    assert holders["E700101"] == {"family-practice", "hospital", "cardiology"}  # Maria Delgado
    assert holders["E700103"] == {"family-practice", "hospital", "cardiology"}  # Agnes Kowalski
    assert holders["E700106"] == {"family-practice"}  # Harold Fitch: the hospital never learned it


def test_claims_and_their_payments_meet() -> None:
    made = [fact.resource for _, outcome in outcomes(FEEDS["pediatrics-billing"]) for fact in outcome.facts]
    claims = [claim["identifier"][0]["value"] for claim in made if claim["resourceType"] == "Claim"]
    answered = [eob["claim"]["identifier"]["value"] for eob in made if eob["resourceType"] == "ExplanationOfBenefit"]
    assert sorted(claims) == [f"PB26{number:03d}" for number in range(1, 13)]
    assert sorted(answered) == [claim for claim in sorted(claims) if claim != "PB26012"]
