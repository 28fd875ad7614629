"""What is ours is written by the service that owns its row only, and no source writes to what is another's."""

from __future__ import annotations

import pytest

from ehr_pm.acts import act
from ehr_pm.patients import service
from ehr_pm.record.apply import apply
from ehr_pm.record.entry import Entry
from ehr_pm.record.owners import ForeignWriteError
from ehr_pm.record.queries import read
from hub_core.feeds import OWN_SOURCE
from hub_core.fhir.canonical import load_object
from hub_core.fhir.ids import new_id
from pipelines.installation import Installation
from tests.integration.ehr_pm.clinic import CLERK, NOW, open_clinic
from tests.integration.ehr_pm.test_patients import told


def entry(source: str, key: str, family: str = "Okafor") -> Entry:
    resource = {"resourceType": "Patient", "id": key, "name": [{"family": family}]}
    return Entry(resource, source, key, event_at=NOW)


def write(installation: Installation, *entries: Entry) -> None:
    with installation.database.begin() as unit:
        apply(unit.driver, entries)


def test_only_the_owning_service_writes_what_is_ours(installation: Installation) -> None:
    with pytest.raises(ForeignWriteError, match="service that owns its row"):
        write(installation, entry(OWN_SOURCE, str(new_id())))


def test_a_feed_cannot_write_over_a_patient_of_ours(installation: Installation) -> None:
    clinic = open_clinic(installation.database, patients=1)
    with act(installation.database, CLERK, moment=NOW) as doing:
        row = service.register(doing, told(clinic))
    with pytest.raises(ForeignWriteError, match="another source's"):
        write(installation, entry("meditech", str(row.patient_id), "Somebody"))
    with installation.database.begin() as unit:
        found = read(unit.driver, "Patient", row.patient_id)
    assert found is not None
    assert load_object(found.body)["name"][0]["family"] == "Delgado"


def test_no_source_writes_over_anothers(installation: Installation) -> None:
    key = str(new_id())
    write(installation, entry("meditech", key))
    with pytest.raises(ForeignWriteError):
        write(installation, entry("hospital", key))
    with pytest.raises(ForeignWriteError):
        write(installation, entry("a", str(new_id())), *(entry(source, "0" * 32) for source in ("a", "b")))
    write(installation, entry("meditech", key, "Bello"))
