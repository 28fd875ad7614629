"""The client of the API: who is logged in, one person's chart, the state of feeds.

Everything about one patient comes through here, so that there is one policy and one audit: the API's. Nothing is
cached between callers, no cookie is kept, and errors name the request's path pattern, never what was asked or answered.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, TypeVar
from urllib.parse import quote
from uuid import UUID

import httpx

from dashboards.answers import Chart, FeedState, MartRows, Misfit, Person, Reject, RowTrace, Visitor
from dashboards.drill import Drill
from hub_core.errors import AccessDeniedError, NotFoundError, UnreadableError, WholechartError

SESSION_COOKIE = "wholechart_session"
_SESSION_SECONDS = 3.0
_ANSWER_SECONDS = 20.0

Answer = TypeVar("Answer")


class HubUnavailableError(WholechartError):
    """The API does not answer."""


class SessionEndedError(AccessDeniedError):
    """The log-in has ended, or there was none."""


class Hub:
    """The API, asked with one visitor's session."""

    def __init__(self, client: httpx.Client, session: str) -> None:
        """Ask through `client`, which visitors share, with the secret of this visitor's session."""
        self._client = client
        self._headers = {"Cookie": f"{SESSION_COOKIE}={session}", "Accept": "application/json"}

    def visitor(self) -> Visitor:
        """Return who is logged in.

        Raises:
            SessionEndedError: if nobody is.
            HubUnavailableError: if the API does not answer.
        """
        return self._read(Visitor.read, "session", "GET", "/api/session", timeout=_SESSION_SECONDS)

    def find_people(self, *, name: str = "", identifier: str = "", birth_date: str = "") -> tuple[Person, ...]:
        """Return the people who fit; what is asked travels in the body, so that no address or log shows it."""
        wanted = {"name": name, "identifier": identifier, "birth_date": birth_date}
        body = {key: value for key, value in wanted.items() if value}
        return self._read(_each(Person.read), "people search", "POST", "/api/people/search", json=body)

    def chart(self, person_id: UUID) -> Chart:
        """Return a person's whole chart.

        Raises:
            NotFoundError: if there is no such person any more.
        """
        return self._read(Chart.read, "chart", "GET", f"/api/people/{person_id}/chart")

    def feeds(self) -> tuple[FeedState, ...]:
        """Return the state of every feed."""
        return self._read(_each(FeedState.read), "feeds", "GET", "/api/feeds")

    def rejects(self, feed: str, limit: int) -> tuple[Reject, ...]:
        """Return the newest rejects of a feed."""
        path = f"/api/feeds/{_part(feed)}/rejects"
        return self._read(_each(Reject.read), "rejects", "GET", path, params={"limit": limit})

    def misfits(self) -> tuple[Misfit, ...]:
        """Return what does not fit between rows and record, the newest first."""
        return self._read(_each(Misfit.read), "findings", "GET", "/api/practice/findings")

    def rows(self, drill: Drill, build: str, *, limit: int, offset: int = 0) -> MartRows:
        """Return rows of a mart of one build of the warehouse, each with the person it is about.

        Raises:
            NotFoundError: if there is no such mart, or the build is no longer kept.
        """
        where = [asdict(each) for each in drill.conditions]
        body = {"where": where, "snapshot": build, "limit": limit, "offset": offset}
        return self._read(MartRows.read, "list of rows", "POST", f"/api/marts/{_part(drill.mart)}/rows", json=body)

    def trace(self, mart: str, key: str, build: str) -> RowTrace:
        """Return the resources and messages that a row was made from.

        Raises:
            NotFoundError: if there is no such row.
        """
        body = {"key": key, "snapshot": build}
        return self._read(RowTrace.read, "row", "POST", f"/api/marts/{_part(mart)}/trace", json=body)

    def log_out(self) -> None:
        """End this session everywhere; one that has ended already stays so."""
        try:
            self._ask("log-out", "POST", "/logout", timeout=_SESSION_SECONDS)
        except SessionEndedError:
            return

    def _read(self, reader: Callable[[Any], Answer], what: str, method: str, path: str, **options: Any) -> Answer:
        """Return an answer read by `reader`; `what` names it in errors."""
        answer = self._ask(what, method, path, **options)
        try:
            return reader(answer.json())
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            # The error's own text may quote a patient's data; its cause is cut off for the same reason.
            raise UnreadableError(f"the API's answer about {what} is not understood ({type(error).__name__})") from None

    def _ask(self, what: str, method: str, path: str, **options: Any) -> httpx.Response:
        try:
            answer = self._client.request(method, path, headers=self._headers, **options)
        except httpx.HTTPError as error:
            raise HubUnavailableError(f"the API does not answer ({type(error).__name__})") from None
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            raise SessionEndedError("the log-in has ended")
        if answer.status_code == httpx.codes.FORBIDDEN:
            raise AccessDeniedError("your account may not see this")
        if answer.status_code == httpx.codes.NOT_FOUND:
            raise NotFoundError(f"the API knows nothing about this {what}")
        if answer.is_error:
            raise HubUnavailableError(f"the API could not answer about {what} (status {answer.status_code})")
        return answer


def open_client(address: str) -> httpx.Client:
    """Return a client of the API at `address` that visitors can share: it keeps no cookie and asks no proxy."""
    keeps_nothing = CookieJar(DefaultCookiePolicy(allowed_domains=[]))
    return httpx.Client(base_url=address, cookies=keeps_nothing, timeout=_ANSWER_SECONDS, trust_env=False)


def _part(name: str) -> str:
    """Return a name as one part of a path, so that it cannot lead elsewhere."""
    return quote(name, safe="")


def _each(reader: Callable[[Any], Answer]) -> Callable[[Any], tuple[Answer, ...]]:
    return lambda answer: tuple(map(reader, answer))
