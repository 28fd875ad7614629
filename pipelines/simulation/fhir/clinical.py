"""What cardiology knows of its patients' health: problems, prescriptions, allergies, laboratory reports."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from pipelines.simulation.fhir.parties import clinician_reference
from pipelines.simulation.fhir.writing import BASE, PRACTICE, Content, Version, concept, exact, instant, reference, term
from pipelines.simulation.world import Allergy, Chapter, Prescription, Problem, Report, Result

_FLAGS = {"L": "Low", "H": "High", "A": "Abnormal"}
_OPENS, _CLOSES = time(9), time(17)
_MINUTE = timedelta(minutes=1)


class Findings:
    """The clinical resources of one chapter at cardiology."""

    def __init__(self, chapter: Chapter) -> None:
        """Take what `chapter` says of cardiology's patients."""
        self._chapter = chapter
        self._visits = {each.visit_id: each.started_at for each in chapter.visits if each.site == PRACTICE.site}

    def versions(self) -> Iterator[list[Version]]:
        """Yield the versions of each resource."""
        site, chapter = PRACTICE.site, self._chapter
        for problem in chapter.problems:
            if problem.site == site:
                yield self._problem(problem)
        for prescription in chapter.prescriptions:
            if prescription.site == site:
                yield self._prescription(prescription)
        for allergy in chapter.allergies:
            if allergy.site == site:
                yield [_allergy(allergy)]
        for report in chapter.reports:
            if report.site == site:
                yield self._report(report)
                for result in report.results:
                    yield self._result(report, result)

    def _encounter(self, visit_id: str | None) -> Content:
        return {"encounter": reference("Encounter", visit_id)} if visit_id in self._visits and visit_id else {}

    def _problem(self, problem: Problem) -> list[Version]:
        content: Content = {
            "clinicalStatus": term("condition-clinical", "active", "Active"),
            "verificationStatus": term("condition-ver-status", "confirmed", "Confirmed"),
            "category": [term("condition-category", "problem-list-item", "Problem List Item")],
            "code": concept(problem.code),
            "subject": reference("Patient", problem.registration_id),
            **self._encounter(problem.visit_id),
            "onsetDateTime": problem.onset_on.isoformat(),
            "recordedDate": instant(problem.recorded_at),
        }
        versions = [Version(problem.recorded_at, "Condition", problem.problem_id, content)]
        if problem.abated_on is not None:
            gone = {
                **content,
                "clinicalStatus": term("condition-clinical", "resolved", "Resolved"),
                "abatementDateTime": problem.abated_on.isoformat(),
            }
            since = max(_at(problem.abated_on, _CLOSES), problem.recorded_at + _MINUTE)
            versions.append(Version(since, "Condition", problem.problem_id, gone))
        return versions

    def _prescription(self, prescription: Prescription) -> list[Version]:
        key = prescription.prescription_id
        content: Content = {
            "status": "active",
            "intent": "order",
            "medicationCodeableConcept": concept(prescription.medication),
            "subject": reference("Patient", prescription.registration_id),
            **self._encounter(prescription.visit_id),
            "authoredOn": prescription.started_on.isoformat(),
            "requester": clinician_reference(prescription.clinician),
            "dosageInstruction": [{"text": prescription.dosage}],
        }
        since = self._visits.get(prescription.visit_id or "", _at(prescription.started_on, _OPENS))
        versions = [Version(since, "MedicationRequest", key, content)]
        if prescription.stopped_on is not None:
            until = max(_at(prescription.stopped_on, _CLOSES), since + _MINUTE)
            versions.append(Version(until, "MedicationRequest", key, {**content, "status": "stopped"}))
        return versions

    def _report(self, report: Report) -> list[Version]:
        content: Content = {
            "identifier": [{"system": f"{BASE}/report", "value": report.report_id}],
            "status": "final",
            "category": [term("v2-0074", "LAB", "Laboratory")],
            "code": concept(report.panel),
            "subject": reference("Patient", report.registration_id),
            **self._encounter(report.visit_id),
            "effectiveDateTime": instant(report.collected_at),
            "issued": instant(report.reported_at),
            "performer": [clinician_reference(report.clinician)],
            "result": [reference("Observation", each.result_id) for each in report.results],
        }
        versions = [Version(report.reported_at, "DiagnosticReport", report.report_id, content)]
        if report.corrected_at is not None:
            corrected = {**content, "status": "corrected", "issued": instant(report.corrected_at)}
            versions.append(Version(report.corrected_at, "DiagnosticReport", report.report_id, corrected))
        return versions

    def _result(self, report: Report, result: Result) -> list[Version]:
        content: Content = {
            "status": "final",
            "category": [term("observation-category", "laboratory", "Laboratory")],
            "code": concept(result.code),
            "subject": reference("Patient", report.registration_id),
            **self._encounter(report.visit_id),
            "effectiveDateTime": instant(report.collected_at),
            "issued": instant(report.reported_at),
            "performer": [clinician_reference(report.clinician)],
            **_value(result.value, result),
            **_flag(result.flag),
            **_range(result),
        }
        versions = [Version(report.reported_at, "Observation", result.result_id, content)]
        if report.corrected_at is not None and result.corrected_value is not None:
            kept = {name: value for name, value in content.items() if name not in ("interpretation", *_VALUES)}
            kept |= {
                "status": "corrected",
                "issued": instant(report.corrected_at),
                **_value(result.corrected_value, result),
                **_flag(result.corrected_flag),
            }
            versions.append(Version(report.corrected_at, "Observation", result.result_id, kept))
        return versions


_VALUES = ("valueQuantity", "valueString")


def _allergy(allergy: Allergy) -> Version:
    content = {
        "clinicalStatus": term("allergyintolerance-clinical", "active", "Active"),
        "verificationStatus": term("allergyintolerance-verification", "confirmed", "Confirmed"),
        "code": concept(allergy.substance),
        "patient": reference("Patient", allergy.registration_id),
        "recordedDate": instant(allergy.recorded_at),
    }
    return Version(allergy.recorded_at, "AllergyIntolerance", allergy.allergy_id, content)


def _value(value: Decimal | str, result: Result) -> Content:
    return {"valueQuantity": _quantity(value, result.unit)} if isinstance(value, Decimal) else {"valueString": value}


def _quantity(value: Decimal, unit: str) -> Content:
    coded = {"unit": unit, "system": "http://unitsofmeasure.org", "code": unit} if unit else {}
    return {"value": exact(value), **coded}


def _flag(flag: str) -> Content:
    return {"interpretation": [term("v3-ObservationInterpretation", flag, _FLAGS[flag])]} if flag else {}


def _range(result: Result) -> Content:
    bounds = {
        name: _quantity(bound, result.unit)
        for name, bound in (("low", result.low), ("high", result.high))
        if bound is not None
    }
    return {"referenceRange": [bounds]} if bounds else {}


def _at(on: date, hour: time) -> datetime:
    return datetime.combine(on, hour, PRACTICE.zone).astimezone(UTC)
