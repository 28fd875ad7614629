"""A feed's own word on how sensitive what it sends is: all of it, or what has certain codes; put on as labels.

The connector has read the message by then; X12 and HL7 v2, which carry no labels of their own here, get theirs so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from hub_core.feeds import Feed
from hub_core.fhir.canonical import Json
from hub_core.fhir.registry import patient_id
from hub_core.sensitivity import kind_of, labelled, strictest


class Marking:
    """What feeds say of themselves."""

    def __init__(self, feeds: Mapping[str, Feed]) -> None:
        """Remember the feeds that say something."""
        self._feeds = {name: feed for name, feed in feeds.items() if feed.sensitivity or feed.sensitive_codes}

    def mark(self, resource: Json, feed_name: str) -> Json:
        """Return a resource with the label its feed gives it, the same object where that gives none.

        What is about no patient, as a practitioner or a place, is never sensitive.
        """
        feed = self._feeds.get(feed_name)
        if feed is None or patient_id(resource) is None:
            return resource
        said = kind_of(resource)
        kind = strictest(said, feed.sensitivity, *_kinds_by_code(feed, resource))
        return resource if kind is None or kind == said else labelled(resource, kind)


def _kinds_by_code(feed: Feed, resource: Json) -> Iterator[str]:
    if not feed.sensitive_codes:
        return
    found = set(_codes(resource))
    for kind, codes in feed.sensitive_codes.items():
        if not found.isdisjoint(codes):
            yield kind


def _codes(resource: Json) -> Iterator[str]:
    """Yield the codes of a resource's own elements as `system|code`: category, code, type, service, reason and such."""
    for name, value in resource.items():
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, dict) and name != "meta":
                yield from map(_token, _codings(each))


def _codings(value: Json) -> list[Any]:
    inner = value.get("coding")
    return inner if isinstance(inner, list) else [value]


def _token(coding: Any) -> str:
    return f"{coding.get('system', '')}|{coding.get('code', '')}" if isinstance(coding, dict) else ""
