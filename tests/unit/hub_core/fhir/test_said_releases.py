"""The release that a content type names."""

from __future__ import annotations

import pytest

from hub_core.errors import UnreadableError
from hub_core.fhir.releases import is_ours, release_of


@pytest.mark.parametrize(
    ("said", "release"),
    [
        ("application/fhir+json", None),
        ("application/fhir+json; charset=utf-8; fhirVersion=3.0", "STU3"),
        ('application/fhir+json;FHIRVERSION="4.0.1"', "R4"),
        ("application/fhir+json; fhirVersion=4.3", "R4B"),
        ("application/fhir+json; fhirVersion=5.0", "R5"),
    ],
)
def test_a_content_type_names_a_release(said: str, release: str | None) -> None:
    assert release_of(said) == release
    assert is_ours(said) is (release in (None, "R4"))


@pytest.mark.parametrize("version", ["1.0", "6.0", "", "4", "R4"])
def test_a_release_that_is_not_read_is_refused(version: str) -> None:
    said = f"application/fhir+json; fhirVersion={version}"
    assert not is_ours(said)
    with pytest.raises(UnreadableError, match="fhirVersion"):
        release_of(said)
