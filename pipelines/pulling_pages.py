"""The steps of a pull by searches: page by page fetch and store, search after search; each known after any crash.

What changes at the server while its pages are fetched is found by the next pull: it begins some minutes before the
time at which this one began. A page that was stored and is fetched again changes nothing.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from connectors.transport.files import look
from connectors.transport.search_pages import Page, SearchServer
from hub_core.clock import instant, now
from hub_core.errors import PartnerError
from pipelines.intake import Intake
from pipelines.pull_state import State, Step, due

if TYPE_CHECKING:
    from hub_core.feeds import Feed
    from hub_core.fhir_servers import Search
    from pipelines.installation import Installation

_MOST_PAGES: Final = 1_000_000
_MOST_EMPTY: Final = 10
"""Pages without anything, in a row, after which a server is taken to lead nowhere."""


def next_step(
    installation: Installation, feed: Feed, search: Search, server: SearchServer, state: State, folder: Path
) -> Step:
    """Make the next step of a pull by searches and return where it stands then.

    Raises:
        PartnerError: if the server does not answer, not as it should, or leads in a ring.
    """
    if state.status is None:
        first = _addresses(server, search, state.since)
        begun = State(state.since, server.base, files=first, lost=state.lost, due_at=due())
        return Step(f"there are {len(first)} searches", begun)
    if not state.files:
        done = State(state.taken_at, due_at=due(hours=search.every_hours))
        return Step(f"all is stored, {state.fetched} pages", done)
    path = folder / f"page-{state.fetched + 1}.json"
    page = server.fetch(state.files[0], path, limit=installation.settings.max_record_bytes)
    if page is None:
        text = "the server tells nothing of what it deleted in this type"
        return Step(text, replace(state, files=state.files[1:], pages=0, failures=0, due_at=due()))
    state = _moved(state, page, search)
    return _store(installation, feed, path, page, state)


def _addresses(server: SearchServer, search: Search, last: str | None) -> tuple[str, ...]:
    """Return where each search begins; what a server deleted before it was ever asked is of no interest."""
    since = last or (instant(search.since) if search.since else None)
    found = [server.first(query, since, search.page_size) for query in search.queries]
    if last and search.deletions:
        kinds = dict.fromkeys(query.partition("?")[0] for query in search.queries)
        found += [server.history(kind, last, search.page_size) for kind in kinds]
    return tuple(found)


def _moved(state: State, page: Page, search: Search) -> State:
    """Return where the pull stands behind a page.

    Raises:
        PartnerError: if that is where it was before, or behind too many pages.
    """
    moment = datetime.fromisoformat(page.moment) if page.moment else now()
    taken_at = state.taken_at or instant(moment - timedelta(minutes=search.overlap_minutes))
    moved = replace(state, taken_at=taken_at, fetched=state.fetched + 1, failures=0, due_at=due())
    if page.next is None:
        return replace(moved, files=state.files[1:], pages=0, landmark=None, empty=0)
    pages, empty = state.pages + 1, 0 if page.entries else state.empty + 1
    # A ring of any length comes by a landmark that is set anew after 1, 2, 4, 8 ... pages (Brent's method).
    landmark = state.landmark if pages & (pages - 1) else state.files[0]
    if page.next == landmark or pages > _MOST_PAGES or empty > _MOST_EMPTY:
        raise PartnerError("the pages of the server lead nowhere", is_final=True)
    return replace(moved, files=(page.next, *state.files[1:]), pages=pages, landmark=landmark, empty=empty)


def _store(installation: Installation, feed: Feed, path: Path, page: Page, state: State) -> Step:
    """Store a page as the message it is, and forget the file."""
    intake = Intake(installation, feed)
    if page.entries:
        for found in look(path, path.name):
            intake.take_one(found)
    path.unlink()
    text = f"{path.stem}: {page.entries} resources"
    return Step(text, state, page.entries, intake.tally.refused)
