"""A small house in which everything changes at random; the same number gives the same house.

Resources come, are corrected, deleted and come back, and people turn out to be others. Ids are few: changes meet.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

from hub_core.fhir.canonical import Json
from pipelines.lake.envelopes import ENVELOPES, write_envelopes
from pipelines.lake.manifest import Manifest
from tests.unit.pipelines.changes import MOMENT, Log, change, identity

_COUNTS = {
    "Patient": 7,
    "Organization": 2,
    "Practitioner": 2,
    "Location": 2,
    "Medication": 2,
    "Coverage": 2,
    "Linkage": 2,
    "Encounter": 8,
    "Condition": 4,
    "Observation": 10,
    "DiagnosticReport": 4,
    "MedicationRequest": 4,
    "Immunization": 3,
    "Appointment": 8,
    "Claim": 8,
    "ExplanationOfBenefit": 10,
    "ChargeItem": 6,
    "PaymentReconciliation": 5,
    "CoverageEligibilityResponse": 3,
    "Goal": 2,
}
"""How many resources of each type there are at most."""
_OURS = "https://wholechart.example/fhir"
_OF_NOBODY = ("Organization", "Practitioner", "Location", "Medication")


class House:
    """The record of the house, as far as its lake needs it."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)  # noqa: S311 - a test's
        self.log = Log([], batch=10_000)
        self.versions: dict[tuple[str, int], int] = {}
        self.persons: dict[str, str] = {}
        self.messages = 0

    def live(self, changes: int) -> None:
        """Let so much happen, to resources of every type."""
        for _ in range(changes):
            self._change(self.random.choice(list(_COUNTS)))
        for number in range(_COUNTS["Patient"]):
            if self.random.random() < 0.3:
                self.persons[identity(f"Patient{number}")] = f"person-{self.random.randrange(4)}"
        self.messages += self.random.randrange(5)

    def write(self, lake: Path) -> Manifest:
        """Bring the lake up to date."""
        self.log.append_to(lake)
        rows = {"crosswalk": list(self._crosswalk()), "messages": list(self._messages()), "rejects": []}
        return write_envelopes(lake, [(envelope, rows[envelope.table]) for envelope in ENVELOPES])

    def _crosswalk(self) -> Iterator[tuple[Any, ...]]:
        for patient, person in sorted(self.persons.items()):
            yield patient, person, MOMENT, MOMENT + timedelta(days=len(self.log.changes) % 3)

    def _messages(self) -> Iterator[tuple[Any, ...]]:
        for number in range(self.messages):
            moment = MOMENT + timedelta(hours=number)
            sent = moment - timedelta(days=number % 3)
            named = (f"m{number}", number, "feed", "ehr", "main", "fhir", "x", None, 9, None, 1, "processed")
            counts = (number % 2, 1, 1, 1, 0, 0, 1, 1)
            yield (*named, sent, moment, moment, *counts, "1")

    def _change(self, resource_type: str) -> None:
        number = self.random.randrange(_COUNTS[resource_type])
        version = self.versions[resource_type, number] = self.versions.get((resource_type, number), 0) + 1
        resource = {"resourceType": resource_type, "id": f"{resource_type}{number}", **self._body(resource_type)}
        patient = self._pick("Patient")
        self.log.changes.append(
            change(
                len(self.log.changes) + 1,
                resource,
                version=version,
                patient_id=None if resource_type in _OF_NOBODY else patient,
                event_at=self._maybe(MOMENT - timedelta(days=self.random.randrange(9))),
                recorded_at=MOMENT + timedelta(minutes=len(self.log.changes)),
                message_id=f"m{self.random.randrange(self.messages + 1)}",
                source=self.random.choice(["ehr", "payer"]),
                deleted=version > 1 and self.random.random() < 0.2,
            )
        )

    def _body(self, resource_type: str) -> Json:
        return dict(getattr(self, f"_{resource_type.lower()}", dict)())

    def _pick(self, resource_type: str) -> str:
        return identity(f"{resource_type}{self.random.randrange(_COUNTS[resource_type])}")

    def _ref(self, resource_type: str) -> Json:
        return {"reference": f"{resource_type}/{self._pick(resource_type)}"}

    def _maybe(self, value: Any) -> Any:
        return value if self.random.random() < 0.7 else None

    def _word(self) -> str:
        return self.random.choice(["red", "green", "blue"])

    def _code(self, *codes: str, system: str = "http://x.example") -> Json:
        return {"coding": [{"system": system, "code": self.random.choice(codes or ("a", "b"))}]}

    def _money(self) -> Json:
        return {"value": self.random.randrange(4) * 10, "currency": "USD"}

    def _day(self) -> str:
        return f"2026-02-{self.random.randrange(1, 9):02}"

    def _time(self) -> str:
        return f"{self._day()}T0{self.random.randrange(8, 10)}:00:00Z"

    def _patient(self) -> Json:
        name = {"family": self._word(), "given": [self._word()]}
        return {"name": [name], "gender": "female", "birthDate": self._day()}

    def _organization(self) -> Json:
        return {"name": self._word()}

    def _location(self) -> Json:
        return {"name": self._word()}

    def _practitioner(self) -> Json:
        return {"name": [{"family": self._word()}]}

    def _medication(self) -> Json:
        return {"code": {"text": self._word()}}

    def _coverage(self) -> Json:
        return {"subscriberId": self._word()}

    def _linkage(self) -> Json:
        items = [{"type": kind, "resource": self._ref("Patient")} for kind in ("source", "alternate")]
        return {"active": self.random.random() < 0.8, "item": items}

    def _encounter(self) -> Json:
        return {
            "status": self.random.choice(["finished", "cancelled"]),
            "class": {"code": "AMB"},
            "period": {"start": self._time()},
            "participant": [{"individual": self._ref("Practitioner")}],
            "serviceProvider": self._ref("Organization"),
            "location": [{"location": self._ref("Location")}],
        }

    def _condition(self) -> Json:
        return {"code": self._code()}

    def _observation(self) -> Json:
        return {
            "status": "final",
            "category": [self._code("laboratory", "vital-signs", "other")],
            "code": self._code(),
            "valueQuantity": {"value": self.random.randrange(9)},
            "performer": [self._ref("Organization")],
            "component": [{"code": self._code(), "valueString": self._word()}] * self.random.randrange(3),
        }

    def _diagnosticreport(self) -> Json:
        results = [self._ref("Observation") for _ in range(self.random.randrange(4))]
        return {"status": "final", "category": [self._code("LAB", "RAD")], "result": results}

    def _medicationrequest(self) -> Json:
        return {
            "status": "active",
            "intent": "order",
            "medicationReference": self._ref("Medication"),
            "requester": self._ref("Practitioner"),
        }

    def _immunization(self) -> Json:
        return {"status": "completed", "manufacturer": self._ref("Organization"), "vaccineCode": self._code()}

    def _appointment(self) -> Json:
        actors = [self._ref(kind) for kind in ("Patient", "Practitioner", "Location")]
        status = self.random.choice(["noshow", "booked", "fulfilled", "cancelled"])
        return {"status": status, "start": self._time(), "participant": [{"actor": actor} for actor in actors]}

    def _numbers(self, *kinds: str) -> list[Json]:
        systems = [f"{_OURS}/sid/{kind}-control-number" for kind in kinds]
        given = [each for each in systems if self.random.random() < 0.7]
        return [{"system": each, "value": self.random.choice("12345")} for each in given]

    def _claim(self) -> Json:
        item = {"sequence": 1, "productOrService": self._code(), "net": self._money(), "servicedDate": self._day()}
        return {
            "status": "active",
            "use": "claim",
            "identifier": self._numbers("patient"),
            "created": self._day(),
            "provider": self._ref("Organization"),
            "insurer": self._ref("Organization"),
            "insurance": [{"sequence": self.random.randrange(1, 3), "focal": True, "coverage": self._ref("Coverage")}],
            "total": self._money(),
            "item": [item] * self.random.randrange(1, 3),
        }

    def _explanationofbenefit(self) -> Json:
        adjudication = [
            {"category": self._code("benefit"), "amount": self._money()},
            {
                "category": self._code("CO", "PR", "OA", system="https://x12.org/codes/claim-adjustment-group-codes"),
                "reason": self._code("45", "16", "23"),
                "amount": self._money(),
            },
        ]
        item = {"sequence": 1, "productOrService": self._code(), "net": self._money(), "adjudication": adjudication}
        return {
            "status": "active",
            "outcome": "complete",
            "identifier": self._numbers("patient", "payer"),
            "created": self._day(),
            "insurer": self._ref("Organization"),
            **({"claim": self._ref("Claim")} if self.random.random() < 0.3 else {}),
            "item": [item],
            "total": [{"category": self._code("benefit"), "amount": self._money()}],
            "payment": {"date": self._day(), "amount": self._money()},
        }

    def _chargeitem(self) -> Json:
        return {
            "status": self.random.choice(["billable", "entered-in-error"]),
            "code": self._code(),
            **({"context": self._ref("Encounter")} if self.random.random() < 0.5 else {}),
            "account": [{"identifier": {"value": self.random.choice("12")}}],
            "priceOverride": self._money(),
            "occurrenceDateTime": self._day(),
            "extension": [{"url": f"{_OURS}/StructureDefinition/payer", "valueReference": self._ref("Organization")}],
        }

    def _paymentreconciliation(self) -> Json:
        payer = {"url": f"{_OURS}/StructureDefinition/payment-patient", "valueReference": self._ref("Patient")}
        return {
            "status": "active",
            "outcome": "complete",
            "paymentDate": self._day(),
            "paymentAmount": self._money(),
            "paymentIssuer": self._ref("Organization"),
            "extension": [payer] if self.random.random() < 0.6 else [],
            "detail": [self._detail() for _ in range(self.random.randrange(1, 4))],
        }

    def _detail(self) -> Json:
        kind = self._code("payment", "adjustment", system="http://terminology.hl7.org/CodeSystem/payment-type")
        return {
            "type": kind,
            "amount": self._money(),
            **({"request": self._ref("Encounter")} if self.random.random() < 0.4 else {}),
            **({"response": self._ref("ExplanationOfBenefit")} if self.random.random() < 0.5 else {}),
        }

    def _coverageeligibilityresponse(self) -> Json:
        asked = {"patient": self._ref("Patient"), "insurer": self._ref("Organization")}
        return {"status": "active", "outcome": "complete", **asked}
