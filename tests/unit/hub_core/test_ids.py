"""Ids: derived ones are UUIDv5 and stable; new ones are UUIDv7 in order of birth."""

from __future__ import annotations

import uuid

from hypothesis import given
from hypothesis import strategies as st

from hub_core.fhir.ids import NAMESPACE, derived_id, new_id


@given(st.text(), st.text(), st.text())
def test_a_derived_id_is_the_uuid5_of_its_parts(source: str, kind: str, identifier: str) -> None:
    name = f"{source}\x1f{kind}\x1f{identifier}"
    assert derived_id(source, kind, identifier) == str(uuid.uuid5(NAMESPACE, name))


def test_derived_ids_never_change() -> None:
    """Changing this would re-key every record ever received."""
    assert derived_id("old-ehr", "Patient", "RIVER|77") == "365b3dc3-aaeb-55a3-89ca-fd7809008371"


def test_new_ids_are_version_7_and_grow() -> None:
    ids = [new_id() for _ in range(100)]
    assert {(each.version, each.variant) for each in ids} == {(7, uuid.RFC_4122)}
    assert [each.int >> 80 for each in ids] == sorted(each.int >> 80 for each in ids)
