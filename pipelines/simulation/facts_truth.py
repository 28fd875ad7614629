"""The rows of truth about everything but money: who is who, what happened, and which faults the feeds have.

Truth says what the house can know: pediatrics sends claims only, so of its care only the visits are told.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import TypeAlias
from zoneinfo import ZoneInfo

from pipelines.simulation.clocks import clock
from pipelines.simulation.faults import Fault
from pipelines.simulation.feeds import SimulatedFeed
from pipelines.simulation.group import ENDS, PAYERS, PRACTICES
from pipelines.simulation.money import Books
from pipelines.simulation.truth import Row
from pipelines.simulation.world import Chapter, Policy, Registration, Report, Site, Visit

Table: TypeAlias = tuple[str, Iterable[Row]]
"""A file of truth, and rows that belong to it."""

_CODED_VISITS: frozenset[Site] = frozenset({"family-practice", "hospital"})
"""Sites whose diagnoses come with the visit; cardiology sends a problem list."""
_WRITTEN = clock(ZoneInfo("UTC")).written
_CLASSES = {"VR": "AMB"}
"""HL7 v2 has no class for video visits (table 0004): where it is spoken, they are ambulatory."""


def truth_tables(chapter: Chapter, books: Books) -> Iterator[Table]:
    """Yield the rows of a chapter by the file they belong to."""
    yield "persons", _persons(chapter)
    yield "registrations", map(_registration, chapter.registrations.values())
    yield "identifiers", _identifiers(chapter, books)
    yield "visits", _visits(chapter)
    yield "bookings", _bookings(chapter)
    reports = [each for each in chapter.reports if each.site != "pediatrics"]
    yield "reports", map(_key, reports)
    yield "results", _results(reports)
    yield "vaccinations", _vaccinations(chapter)
    yield "problems", _encounter_diagnoses(chapter)
    yield "problems", _problem_lists(chapter)
    yield "prescriptions", _prescriptions(chapter)
    yield "allergies", _allergies(chapter)


def fault_rows(chapter: int, feed: SimulatedFeed, faults: Iterable[Fault]) -> Iterator[Row]:
    """Yield a row per fault."""
    for number, fault in enumerate(faults, 1):
        yield {
            "fault_id": f"{feed.name}-{chapter:05d}-{number:05d}",
            "finding_kind": fault.kind,
            "feed": feed.name,
            "control_id": fault.control_id,
            "subject": fault.subject,
        }


def _persons(chapter: Chapter) -> Iterator[Row]:
    for person in chapter.persons:
        truth = person.truth
        yield {
            "person_id": person.person_id,
            "household": person.household,
            "family": truth.family,
            "given": truth.given,
            "gender": truth.gender,
            "birth_date": truth.birth_date,
            "mother_id": person.mother_id or "",
            "traits": "|".join(person.traits),
        }


def _registration(registration: Registration) -> Row:
    last = registration.stated[-1][1]
    return {
        "registration_id": registration.registration_id,
        "person_id": registration.person_id,
        "site": registration.site,
        "source": PRACTICES[registration.site].source,
        "mrn": registration.mrn,
        "merged_into": registration.merged_into or "",
        "family": last.family,
        "given": last.given,
        "birth_date": last.birth_date,
    }


def _identifiers(chapter: Chapter, books: Books) -> Iterator[Row]:
    members = _members(chapter, books)
    for registration in chapter.registrations.values():
        if registration.site == "pediatrics":
            numbers = [("MEMBER", *each) for each in members.get(registration.registration_id, ())]
        else:
            numbers = [(each.kind, each.assigner, each.value) for each in registration.identifiers]
        for kind, assigner, value in numbers:
            yield {
                "registration_id": registration.registration_id,
                "kind": kind,
                "assigner": assigner,
                "value": value,
            }


def _members(chapter: Chapter, books: Books) -> dict[str, dict[tuple[str, str], None]]:
    """Return the payers' numbers under which pediatrics' patients stand in claims and answers, by registration."""
    found: dict[str, dict[tuple[str, str], None]] = {}
    for claim in books.claims:
        registration = chapter.registrations[claim.registration_id]
        found.setdefault(claim.registration_id, {})[member(registration, claim.policy, claim.named_as_of)] = None
    for answer in books.eligibility:
        registration = chapter.registrations[answer.registration_id]
        found.setdefault(answer.registration_id, {})[member(registration, answer.policy, answer.answered_at)] = None
    return found


def member(registration: Registration, policy: Policy, moment: datetime) -> tuple[str, str]:
    """Return the payer and the number under which a claim or an answer of a moment knows a patient of pediatrics."""
    number = policy.member_id
    if policy.relationship != "self":
        stated = registration.as_of(moment)
        number = f"{number}|{stated.given}|{stated.birth_date}"
    return PAYERS[policy.payer].payer_id, number


def _visits(chapter: Chapter) -> Iterator[Row]:
    for visit in chapter.visits:
        is_hl7 = visit.site in _CODED_VISITS
        yield {
            "visit_id": visit.visit_id,
            "registration_id": visit.registration_id,
            "person_id": chapter.registrations[visit.registration_id].person_id,
            "site": visit.site,
            "visit_class": _CLASSES.get(visit.visit_class, visit.visit_class) if is_hl7 else visit.visit_class,
            "status": visit_status(visit),
            "started_at": _WRITTEN(visit.started_at),
            "ended_at": _WRITTEN(visit.ended_at) if visit.ended_at else "",
        }


def visit_status(visit: Visit) -> str:
    """Return what became of a visit."""
    return "cancelled" if visit.is_cancelled else "finished" if visit.ended_at else "in-progress"


def _encounter_diagnoses(chapter: Chapter) -> Iterator[Row]:
    for visit in chapter.visits:
        if visit.site in _CODED_VISITS and not visit.is_cancelled:
            for code in dict.fromkeys([each.code for each in visit.diagnoses]):
                yield {
                    "problem_id": f"{visit.visit_id}-{code}",
                    "registration_id": visit.registration_id,
                    "site": visit.site,
                    "icd10": code,
                    "kind": "encounter-diagnosis",
                    "is_active": True,
                }


def _problem_lists(chapter: Chapter) -> Iterator[Row]:
    for problem in chapter.problems:
        if problem.site == "cardiology":
            yield {
                "problem_id": problem.problem_id,
                "registration_id": problem.registration_id,
                "site": problem.site,
                "icd10": problem.code.code,
                "kind": "problem-list-item",
                "is_active": problem.abated_on is None or problem.abated_on > ENDS,
            }


def _bookings(chapter: Chapter) -> Iterator[Row]:
    for booking in chapter.bookings:
        if booking.site in ("family-practice", "cardiology"):
            yield {
                "booking_id": booking.booking_id,
                "registration_id": booking.registration_id,
                "site": booking.site,
                "clinician": booking.clinician,
                "status": booking.status,
                "starts_at": _WRITTEN(booking.changes[-1].starts_at),
            }


def _key(report: Report) -> Row:
    return {"report_id": report.report_id, "registration_id": report.registration_id, "site": report.site}


def _results(reports: Iterable[Report]) -> Iterator[Row]:
    for report in reports:
        for result in report.results:
            corrected = result.corrected_value if report.corrected_at is not None else None
            is_corrected = corrected is not None
            yield {
                "result_id": result.result_id,
                "report_id": report.report_id,
                "registration_id": report.registration_id,
                "site": report.site,
                "loinc": result.code.code,
                "value": result.value if corrected is None else corrected,
                "unit": result.unit,
                "flag": result.corrected_flag if is_corrected else result.flag,
                "is_corrected": is_corrected,
            }


def _vaccinations(chapter: Chapter) -> Iterator[Row]:
    for dose in chapter.vaccinations:
        if dose.site == "family-practice":
            yield {
                "vaccination_id": dose.vaccination_id,
                "registration_id": dose.registration_id,
                "site": dose.site,
                "cvx": dose.vaccine.code,
                "status": "not-done" if dose.is_refused else "completed",
                "given_on": clock(PRACTICES[dose.site].zone).day(dose.given_at),
            }


def _prescriptions(chapter: Chapter) -> Iterator[Row]:
    for drug in chapter.prescriptions:
        if drug.site == "cardiology":
            yield {
                "prescription_id": drug.prescription_id,
                "registration_id": drug.registration_id,
                "site": drug.site,
                "rxnorm": drug.medication.code,
                "is_active": drug.stopped_on is None or drug.stopped_on > ENDS,
            }


def _allergies(chapter: Chapter) -> Iterator[Row]:
    for allergy in chapter.allergies:
        if allergy.site != "pediatrics":
            yield {
                "allergy_id": allergy.allergy_id,
                "registration_id": allergy.registration_id,
                "site": allergy.site,
                "code": allergy.substance.code,
            }
