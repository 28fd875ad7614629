"""The client of FHIR searches: pages followed at home only, and every odd answer refused in words."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from connectors.transport.search_pages import Page, SearchServer
from hub_core.errors import ConfigurationError, PartnerError
from tests.unit.connectors.transport.search_server import Answer, Found, serving

PATIENTS = [
    {"resourceType": "Patient", "id": f"p{number}", "meta": {"lastUpdated": f"2026-03-0{number + 1}T00:00:00Z"}}
    for number in range(5)
]
LIMIT = 100_000


def fetch(found: Found, path: Path, *, limit: int = LIMIT) -> Page | None:
    server = SearchServer(found.base)
    try:
        return server.fetch(server.first("Patient", None, 2), path, limit=limit)
    finally:
        server.close()


def test_pages_are_followed_to_the_last(tmp_path: Path) -> None:
    with serving(Found(PATIENTS)) as found:
        server = SearchServer(f"{found.base}/")
        address: str | None = server.first("Patient?active=true", "2026-03-01T00:00:00Z", 3)
        sizes = []
        while address:
            page = server.fetch(address, tmp_path / "page", limit=LIMIT)
            assert page is not None
            assert page.moment == "2026-03-10T12:00:00.000Z"
            sizes.append(page.entries)
            address = page.next
        server.close()
    assert sizes == [3, 1]
    assert found.asked[0] == "/r4/Patient?active=true&_count=3&_lastUpdated=gt2026-03-01T00%3A00%3A00Z"


@pytest.mark.parametrize(
    "link",
    [
        "https://elsewhere.example/r4/Patient?_offset=2",
        "http://127.0.0.1:1/r4/Patient",
        "//elsewhere.example/r4/Patient",
        "/other/Patient",
        "/r4x/Patient",
        "/r4/../admin/users",
        "/r4/%2e%2e/admin/users",
        "file:///etc/passwd",
        "http://[broken",
        "javascript:alert(1)",
    ],
)
def test_what_lies_elsewhere_is_not_followed(tmp_path: Path, link: str) -> None:
    with serving(Found(PATIENTS, next_of=lambda *_: link)) as found, pytest.raises(PartnerError, match="somebody else"):
        fetch(found, tmp_path / "page")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("link", ["Patient?_count=2&_offset=2", "?_count=2&_offset=2", "/r4?_getpages=x"])
def test_a_relative_address_is_one_of_this_server(tmp_path: Path, link: str) -> None:
    with serving(Found(PATIENTS, next_of=lambda *_: link)) as found:
        page = fetch(found, tmp_path / "page")
    assert page is not None
    assert str(page.next).startswith(found.base)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Answer(b"<!doctype html><title>Log in</title>"), "HTML"),
        (Answer(b"nothing of the kind"), "no JSON"),
        (Answer(b"[" * 100_000), "no JSON"),
        (Answer(b"[1, 2]"), "no Bundle"),
        (Answer(b'{"resourceType":"Patient"}'), "no Bundle"),
        (Answer(b'{"resourceType":"Bundle","type":"transaction"}'), "no Bundle"),
        (Answer(b'{"resourceType":"Bundle","type":"searchset","entry":{}}'), "no array"),
        (Answer(b" " * (LIMIT + 1)), "page_size"),
        (Answer(gzip.compress(b" " * 50 * LIMIT), headers={"Content-Encoding": "gzip"}), "page_size"),
        (Answer(b"no gzip", headers={"Content-Encoding": "gzip"}), "cannot be heard"),
        (Answer(status=302, headers={"Location": "https://elsewhere.example/"}), "302"),
        (Answer(status=401), "401"),
    ],
)
def test_an_odd_answer_is_refused_in_words(tmp_path: Path, answer: Answer, said: str) -> None:
    with serving(Found(instead=[answer])) as found, pytest.raises(PartnerError, match=said):
        fetch(found, tmp_path / "page")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("status", "is_final"), [(429, False), (503, False), (404, True), (410, True)])
def test_a_busy_server_says_how_long_to_wait(tmp_path: Path, status: int, is_final: bool) -> None:
    answer = Answer(status=status, headers={"Retry-After": "7"})
    with serving(Found(instead=[answer])) as found, pytest.raises(PartnerError) as failed:
        fetch(found, tmp_path / "page")
    assert (failed.value.retry_after, failed.value.is_final) == (7.0, is_final)


def test_a_history_that_is_not_offered_is_no_failure(tmp_path: Path) -> None:
    with serving(Found()) as found:
        server = SearchServer(found.base)
        address = server.history("Patient", "2026-03-01T00:00:00Z", 10)
        assert server.fetch(address, tmp_path / "page", limit=LIMIT) is None
        found.deleted = ["Patient/p1"]
        assert server.fetch(address, tmp_path / "page", limit=LIMIT) == Page(None, 1, "2026-03-10T12:00:00.000Z")
        server.close()


def test_an_address_without_tls_is_refused() -> None:
    with pytest.raises(ConfigurationError):
        SearchServer("http://fhir.example/r4")
