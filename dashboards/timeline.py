"""A chart's facts as one timeline, newest first, each with where it came from; all text from outside is escaped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from html import escape
from itertools import groupby

from dashboards import phrases
from dashboards.answers import Fact

_DAY = len("2026-01-31")


def newest_first(facts: Iterable[Fact]) -> list[Fact]:
    """Return the facts by when they happened, latest first; those without a date come last."""
    return sorted(facts, key=lambda fact: (fact.date or "", fact.resource_type, fact.resource_id), reverse=True)


def written(facts: Sequence[Fact], zone: str | None) -> str:
    """Return the facts as HTML, grouped by day.

    Args:
        facts: newest first.
        zone: the reader's time zone.
    """
    return "".join(
        f'<div class="wc-day">{escape(_day(day))}</div><ol class="wc-timeline">'
        + "".join(_fact(fact, zone) for fact in of_day)
        + "</ol>"
        for day, of_day in groupby(facts, lambda fact: (fact.date or "")[:_DAY])
    )


def _fact(fact: Fact, zone: str | None) -> str:
    hour = f'<span class="wc-hour">{escape(fact.date[11:16])}</span>' if fact.date and fact.date[10:11] == "T" else ""
    status = f'<span class="wc-status">{escape(fact.status)}</span>' if fact.status else ""
    detail = f'<div class="wc-detail">{escape(fact.detail)}</div>' if fact.detail else ""
    title = escape(fact.title[:1].upper() + fact.title[1:])
    return (
        f'<li class="wc-fact"><div class="wc-title">{hour}<strong>{title}</strong>'
        f'<span class="wc-kind">{escape(fact.category)}</span>{status}</div>{detail}'
        f'<div class="wc-from">{_origin(fact, zone)}</div></li>'
    )


def _origin(fact: Fact, zone: str | None) -> str:
    """Return where a fact came from: source system, location, feed, when it was received, in which message."""
    parts = [f"From <b>{escape(fact.source)}</b>"]
    if fact.location:
        parts.append(escape(fact.location))
    if fact.feed:
        parts.append(f"feed {escape(fact.feed)}")
    if fact.received_at:
        parts.append(f"received {escape(phrases.clock_time(fact.received_at, zone))}")
    if fact.message_id:
        parts.append(f"message <code>{escape(fact.message_id)}</code>")
    return " · ".join(parts)


def _day(text: str) -> str:
    """Return a day as people write it; a partial date stays as little as it says."""
    if len(text) < _DAY:
        return text or "Without a date"
    try:
        return date.fromisoformat(text).strftime("%A, %d %B %Y")
    except ValueError:
        return text
