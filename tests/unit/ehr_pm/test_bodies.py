"""Bodies as the record keeps them: smaller, whole again, and never silently wrong."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ehr_pm.record.bodies import COMPRESSED, PLAIN, pack, unpack, unpack_all
from hub_core.errors import DamagedError

BODY = (
    '{"resourceType":"Patient","id":"0195a1c2-0000-7000-8000-000000000001","meta":{"versionId":"1",'
    '"lastUpdated":"2026-03-01T12:00:00+00:00"},"name":[{"use":"official","family":"Núñez","given":["Ada"]}],'
    '"identifier":[{"type":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v2-0203","code":"MR"}]},'
    '"value":"1.10"}],"gender":"female","birthDate":"1981-02-03"}'
).encode()


def test_a_body_comes_out_as_it_went_in_and_takes_less_than_half() -> None:
    assert unpack(pack(BODY)) == BODY
    assert len(pack(BODY)) < len(BODY) / 2


@pytest.mark.parametrize("body", [b"", b"{}", bytes(range(256)), b"x" * 3_000_000])
def test_any_bytes_come_out_as_they_went_in(body: bytes) -> None:
    assert unpack(pack(body)) == body


def test_what_was_stored_as_text_stays_readable() -> None:
    assert unpack(PLAIN + BODY) == BODY


@pytest.mark.parametrize("form", [pack, PLAIN.__add__])
def test_many_bodies_come_out_as_each_does(form: Callable[[bytes], bytes]) -> None:
    bodies = [BODY, b"", b"{}", b"x" * 3_000_000, BODY[:90]]
    [(text, lengths)] = unpack_all([*map(pack, bodies), form(BODY)], 10_000_000)
    assert text == b"".join([*bodies, BODY])
    assert lengths == list(map(len, [*bodies, BODY]))


def test_a_part_of_many_bodies_ends_where_it_is_large() -> None:
    parts = unpack_all([pack(b"x" * 900), PLAIN + b"y" * 900, pack(b"z" * 5000), pack(b"")], 1000)
    assert [lengths for _, lengths in parts] == [[900, 900], [5000], [0]]
    assert list(unpack_all([], 1000)) == []


@pytest.mark.parametrize(
    "packed",
    [
        b"",
        b"\x02" + BODY,
        COMPRESSED,
        COMPRESSED + BODY,
        pack(BODY)[:-9],
        pack(BODY)[:5] + b"\xe0" + b"\xff" * 8 + pack(BODY)[6:],  # a length of many petabytes
    ],
)
def test_what_was_never_packed_is_told_by_its_place_without_what_it_says(packed: bytes) -> None:
    fault = "no form of a body|what is stored cannot be decompressed"
    with pytest.raises(DamagedError, match=rf"^resource_version\.body of Patient/p1/3: ({fault})") as told:
        unpack(packed, "Patient", "p1", 3)
    assert "Ada" not in str(told.value)
    with pytest.raises(DamagedError, match=rf"^a resource_version\.body: ({fault})"):
        unpack(packed)
    with pytest.raises(DamagedError, match=fault):
        list(unpack_all([pack(BODY), packed], 10_000))
