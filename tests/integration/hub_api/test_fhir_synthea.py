"""A whole patient as Synthea sends them, in one transaction: all refers to what is here, and nothing is left out."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub_core.fhir import references
from hub_core.fhir.canonical import Json, dumps, load_object
from tests.integration.hub_api.hub import Hub
from tests.integration.stored import bodies

FHIR = {"Content-Type": "application/fhir+json"}


def searched(bundle: Json) -> list[str]:
    """Return the searches by which its resources are referred to."""
    return sorted({text for text in references.collect(bundle) if "?" in text})


def made(search: str) -> Json:
    """Return an entry that makes what a search is to find."""
    kind, _, query = search.partition("?")
    system, _, value = query.removeprefix("identifier=").partition("|")
    resource = {"resourceType": kind, "identifier": [{"system": system, "value": value}]}
    return {"resource": resource, "request": {"method": "POST", "url": kind, "ifNoneExist": query}}


def bundles(corpora: Path) -> Iterator[Json]:
    files = sorted((corpora / "fhir" / "synthea-hiv-bundles").glob("*.json.gz"), key=lambda path: path.stat().st_size)
    for path in files[:2]:
        yield load_object(gzip.decompress(path.read_bytes()))


@pytest.mark.slow
def test_a_whole_patient_is_written_in_one_transaction(hub: Hub, corpora: Path) -> None:
    roles = ("clinician", "biller", "administrator")
    with hub.program(*((role, None) for role in roles)) as client:
        for bundle in bundles(corpora):
            directory = {"resourceType": "Bundle", "type": "batch", "entry": list(map(made, searched(bundle)))}
            known = client.post("/fhir", content=dumps(directory), headers=FHIR).json()["entry"]
            assert {entry["response"]["status"][:3] for entry in known} <= {"200", "201"}
            answer = client.post("/fhir", content=dumps(bundle), headers=FHIR)
            assert answer.status_code == 200, answer.text[:500]
            patient_id = answer.json()["entry"][0]["response"]["location"].split("/")[-3]
            [[count]] = hub.query("SELECT count(*) FROM resource WHERE patient_id = %s", (patient_id,))
            assert count == len(bundle["entry"])
            written = "".join(bodies(hub.installation.database, "r.patient_id = %s", patient_id))
            assert not re.search(r'"reference":"(urn:|[A-Za-z]+[?])', written)
            audited = "SELECT count(*) FROM audit_event WHERE patient_id = %s AND action = 'resource.create'"
            assert hub.query(audited, (patient_id,)) == [(count,)]
