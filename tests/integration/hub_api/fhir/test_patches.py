"""FHIRPath Patch over the API, and patches of both forms as entries of Bundles."""

from __future__ import annotations

import base64
import json
import uuid
from typing import Any

import httpx

from hub_core.fhir.canonical import Json
from tests.integration.hub_api.fhir.test_transactions import about, asked, counted, statuses, submit
from tests.integration.hub_api.hub import Hub, new_id, observation, patient

FHIR = {"Content-Type": "application/fhir+json"}


def fhirpath(kind: str, path: str, **value: Any) -> Json:
    """Return a FHIRPath Patch of one operation."""
    told: list[Json] = [{"name": "type", "valueCode": kind}, {"name": "path", "valueString": path}]
    if value:
        told.append({"name": "value", **value})
    return {"resourceType": "Parameters", "parameter": [{"name": "operation", "part": told}]}


def binary(*operations: Json, kind: str = "application/json-patch+json") -> Json:
    """Return a JSON Patch as the Binary that an entry of a Bundle brings."""
    data = base64.b64encode(json.dumps(list(operations)).encode()).decode()
    return {"resourceType": "Binary", "contentType": kind, "data": data}


def test_a_fhirpath_patch_changes_what_its_path_leads_to(hub: Hub, clinician: httpx.Client) -> None:
    ada = clinician.post("/fhir/Patient", json=patient(), headers=FHIR).json()
    address, before = f"/fhir/Patient/{ada['id']}", len(hub.audited())
    answer = clinician.patch(address, json=fhirpath("replace", "Patient.gender", valueCode="other"), headers=FHIR)
    assert (answer.status_code, answer.headers["etag"], answer.json()["gender"]) == (200, 'W/"2"', "other")
    assert hub.audited(before)[0][1:5] == ("success", "Patient", ada["id"], ada["id"])
    held = clinician.patch(address, json=fhirpath("delete", "Patient.gender"), headers={**FHIR, "If-Match": 'W/"1"'})
    assert held.status_code == 412
    matched = f"/fhir/Patient?_id={ada['id']}"
    assert "gender" not in clinician.patch(matched, json=fhirpath("delete", "Patient.gender"), headers=FHIR).json()
    for patch, status in (
        (fhirpath("replace", "Patient.gender", valueCode="male"), 422),
        (fhirpath("replace", "Patient.gender"), 400),
        (fhirpath("replace", "Patient.id", valueId=new_id()), 422),
        (fhirpath("replace", "Patient.birthDate", valueString="soon"), 422),
        ({"resourceType": "Patient"}, 400),
    ):
        assert clinician.patch(address, json=patch, headers=FHIR).status_code == status, patch
    assert clinician.get(address).json()["meta"]["versionId"] == "3"


def test_a_transaction_patches_what_it_names_or_nothing_at_all(hub: Hub, clinician: httpx.Client) -> None:
    ada, seen = (clinician.post(f"/fhir/{kind}", json=sent, headers=FHIR).json()
                 for kind, sent in (("Patient", patient()), ("Patient", patient())))  # fmt: skip
    new = f"urn:uuid:{uuid.uuid4()}"
    result = clinician.post("/fhir/Observation", json=observation(ada), headers=FHIR).json()
    patches = [
        asked("PATCH", f"Patient/{ada['id']}", binary({"op": "replace", "path": "/gender", "value": "other"})),
        asked("PATCH", f"Patient?_id={seen['id']}", fhirpath("delete", "Patient.gender"), ifMatch='W/"1"'),
        asked("PATCH", f"Observation/{result['id']}",
              binary({"op": "replace", "path": "/subject/reference", "value": new})),
        asked("POST", "Patient", patient(), new),
        asked("GET", f"Patient/{ada['id']}"),
    ]  # fmt: skip
    before = counted(hub)
    answer = submit(clinician, *patches, asked("PATCH", f"Patient/{new_id()}", fhirpath("delete", "Patient.gender")))
    assert (answer.status_code, answer.json()["issue"][0]["expression"]) == (404, ["Bundle.entry[5]"])
    assert counted(hub) == before
    answer = submit(clinician, *patches)
    assert statuses(answer) == [200, 200, 200, 201, 200]
    assert answer.json()["entry"][4]["resource"]["gender"] == "other"
    assert "gender" not in clinician.get(f"/fhir/Patient/{seen['id']}").json()
    made = answer.json()["entry"][3]["response"]["location"].split("/")[-3]
    subject = clinician.get(f"/fhir/Observation/{result['id']}").json()["subject"]
    assert subject == {"reference": f"Patient/{made}"}, "a patch may name what the transaction makes"


def test_entries_that_are_no_patches_are_refused_with_their_place(hub: Hub, clinician: httpx.Client) -> None:
    ada = clinician.post("/fhir/Patient", json=patient(), headers=FHIR).json()
    address, place = f"Patient/{ada['id']}", "Bundle.entry[0]"
    first = {"op": "replace", "path": "/gender", "value": "other"}
    for entry, status, expression in (
        (asked("PATCH", address, ada), 400, f"{place}.resource"),
        (asked("PATCH", address, {**binary(first), "data": "?"}), 400, f"{place}.resource.data"),
        (asked("PATCH", address, binary(first, kind="application/xml-patch+xml")), 415, place),
        (asked("PATCH", address, binary({"op": "none"})), 400, place),
        (asked("PATCH", "Patient", binary(first)), 400, f"{place}.request.url"),
        (asked("PATCH", address), 400, f"{place}.resource"),
        (asked("PATCH", address, fhirpath("delete", "Patient.repeat(name)")), 422, place),
        (asked("PATCH", address, binary(first), ifMatch='W/"7"'), 412, place),
    ):
        answer = submit(clinician, entry)
        told = answer.json()["issue"][0]
        assert (answer.status_code, told["expression"]) == (status, [expression]), entry
    assert clinician.get(f"/fhir/{address}").json() == ada


def test_a_batch_patches_each_for_itself(hub: Hub, clinician: httpx.Client) -> None:
    hub.record(theirs := patient(), location="north")
    ada = clinician.post("/fhir/Patient", json=patient(), headers=FHIR).json()
    gone = fhirpath("delete", "Patient.gender")
    answer = submit(
        clinician,
        asked("GET", f"Patient/{ada['id']}"),
        asked("PATCH", f"Patient/{ada['id']}", gone),
        asked("PATCH", f"Patient?_id={ada['id']}", binary({"op": "add", "path": "/active", "value": True})),
        asked("PATCH", f"Patient/{theirs['id']}", gone),
        asked("PATCH", f"Patient/{ada['id']}", about("Patient/x")),
        kind="batch",
    )
    assert statuses(answer) == [200, 200, 200, 403, 400]
    read = answer.json()["entry"][0]["resource"]
    assert ("gender" in read, read["active"]) == (False, True), "reads come last"
