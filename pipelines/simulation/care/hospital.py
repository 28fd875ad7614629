"""Care at the hospital: births, emergencies, stays with their wards, screening; all hours, all days."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from pipelines.simulation.care.appointments import Plan, write_visit
from pipelines.simulation.care.calendar import DAYS, any_day, day_of, has_passed, instant
from pipelines.simulation.care.diseases import Complaint, draw_complaint
from pipelines.simulation.care.orders import order
from pipelines.simulation.care.patients import Patient
from pipelines.simulation.spans import minutes
from pipelines.simulation.world import Code, Visit, VisitClass

_BORN = Code("ICD-10-CM", "Z38.00", "Single liveborn infant, delivered vaginally")
_DELIVERY = Code("ICD-10-CM", "O80", "Encounter for full-term uncomplicated delivery")
_OUTCOME = Code("ICD-10-CM", "Z37.0", "Single live birth")
_SCREENINGS: Final = (
    (Code("ICD-10-CM", "Z12.31", "Encounter for screening mammogram for malignant neoplasm of breast"), 45, "female"),
    (Code("ICD-10-CM", "Z12.11", "Encounter for screening for malignant neoplasm of colon"), 45, ""),
    (Code("ICD-10-CM", "M54.50", "Low back pain, unspecified"), 25, ""),
)
"""Why people come to the hospital for an hour: reason, from which age, only which gender."""
_WARDS: Final = ("3N", "4W", "5E", "6S")
_ADMITTED = 0.2
_TAKEN_BACK = 0.012


def be_born(child: Patient, mother: Patient | None) -> None:
    """Let a child be born: its stay on the nursery, and its mother's on the maternity ward."""
    random = child.random
    day = day_of(child.life.born)
    if mother is not None:
        child.life.first_family = mother.life.at(child.life.born.toordinal()).family
    born_at = instant("hospital", day, int(random.random() * 1439))
    ends = born_at + timedelta(hours=30 + int(random.random() * 48), minutes=int(random.random() * 60))
    child.busy.update(range(day, day + 5))
    write_visit(
        child,
        Plan("hospital", day, "new", _BORN, visit_class="IMP"),
        child.clinician("hospital"),
        born_at,
        ends,
        wards=((born_at, "NURS"),),
    )
    if mother is not None and day < mother.until_day:
        came = born_at - timedelta(hours=2 + int(random.random() * 14))
        plan = Plan("hospital", day, "new", _DELIVERY, (_OUTCOME,), visit_class="IMP")
        wards = ((came, "LABOR"), (born_at + minutes(120), "MAT"))
        mother.busy.update(range(day - 1, day + 5))
        write_visit(mother, plan, mother.clinician("hospital"), came, ends + minutes(20), wards=wards)


def look_after(patient: Patient) -> None:
    """Let somebody meet with what brings people to a hospital."""
    if patient.life.dies_on is not None and patient.random.random() < 0.5:
        _lie_dying(patient)
    _come_by_emergency(patient)
    _come_for_an_hour(patient)
    if patient.random.random() < 0.02 + 0.0022 * max(patient.age(0), 0):
        complaint = draw_complaint(patient.random, "inpatient", patient.age(DAYS // 2))
        _stay(patient, _day(patient, complaint), int(7 * 60 + patient.random.random() * 700), complaint)


def be_there_at_the_end(patient: Patient) -> None:
    """Let somebody lie in the hospital when the simulated time ends."""
    complaint = draw_complaint(patient.random, "inpatient", patient.age(DAYS))
    day = DAYS - 1 - int(patient.random.random() * 2)
    _stay(patient, day, int(8 * 60 + patient.random.random() * 600), complaint, days=4)


def _lie_dying(patient: Patient) -> None:
    """Let somebody be brought to the hospital some days before they die there."""
    complaint = draw_complaint(patient.random, "inpatient", patient.age(patient.until_day))
    _stay(patient, patient.until_day - 1 - int(patient.random.random() * 9), 900, complaint, days=28)


def _day(patient: Patient, complaint: Complaint) -> int:
    return any_day(patient.random, is_seasonal=complaint.is_seasonal)


def _come_by_emergency(patient: Patient) -> None:
    random = patient.random
    age = patient.age(DAYS // 2)
    expected = 1.5 if age < 5 or age > 75 else 0.95
    expected += 0.2 * min(len(patient.diseases), 4)
    for _ in range(min(int(random.expovariate(1 / expected) + 0.4), 9)):
        complaint = draw_complaint(random, "emergency", age)
        day = _day(patient, complaint)
        if not patient.from_day + 4 < day < patient.until_day or day in patient.busy:
            continue
        patient.busy.add(day)
        minute = int(random.triangular(0, 1439, 1080))
        is_admitted = random.random() < _ADMITTED
        started_at = instant("hospital", day, minute)
        lasts = 80 + int(random.random() * 340)
        ended_at = started_at + minutes(lasts)
        visit = _write(patient, day, "EMER", complaint.code, started_at, ended_at)
        if visit.is_cancelled:
            continue
        if random.random() < 0.32 or is_admitted:
            order(patient, visit, day, complaint.test or "basic", is_ill=True)
        if is_admitted:
            _stay(patient, day, minute + lasts, draw_complaint(random, "inpatient", age))


def _come_for_an_hour(patient: Patient) -> None:
    random = patient.random
    for reason, from_age, gender in _SCREENINGS:
        if patient.age(0) < from_age or (gender and patient.life.gender != gender) or random.random() > 0.4:
            continue
        day = int(random.random() * DAYS)
        if day < patient.until_day and day not in patient.busy:
            patient.busy.add(day)
            started_at = instant("hospital", day, 8 * 60 + int(random.random() * 500))
            _write(patient, day, "AMB", reason, started_at, started_at + minutes(30 + int(random.random() * 90)))


def _stay(patient: Patient, day: int, minute: int, complaint: Complaint, days: int = 0) -> None:
    """Let somebody lie in the hospital for some days, often moved from ward to ward; or until they die."""
    random = patient.random
    if not patient.from_day + 4 < day < min(patient.until_day, DAYS) or not patient.busy.isdisjoint((day + 1, day + 2)):
        return
    admitted_at = instant("hospital", day, min(minute, 2879))
    hours = days * 24 + 30 + int(random.expovariate(1 / 70))
    discharged_at = admitted_at + timedelta(hours=min(hours, 24 * 28), minutes=int(random.random() * 60))
    if patient.life.dies_on is not None:
        discharged_at = min(discharged_at, instant("hospital", patient.until_day, 600))
    if discharged_at <= admitted_at + minutes(60) or not has_passed(admitted_at):
        return
    plan = Plan("hospital", day, "acute", complaint.code, _known(patient), visit_class="IMP")
    patient.busy.update(range(day, day + 2 + (discharged_at - admitted_at).days))
    wards = _wards(patient, admitted_at, discharged_at)
    visit = write_visit(patient, plan, patient.clinician("hospital"), admitted_at, discharged_at, wards=wards)
    for panel in dict.fromkeys((complaint.test or "blood-count", "basic" if random.random() < 0.5 else "blood-count")):
        order(patient, visit, day, panel, is_ill=True)


def _wards(patient: Patient, admitted_at: datetime, discharged_at: datetime) -> tuple[tuple[datetime, str], ...]:
    random = patient.random
    first = int(random.random() * len(_WARDS))
    if random.random() < 0.5:
        return ((admitted_at, _WARDS[first]),)
    moved_at = admitted_at + (discharged_at - admitted_at) * (0.2 + 0.5 * random.random())
    second = _WARDS[(first + 1) % len(_WARDS)]
    before = "ICU" if random.random() < 0.4 else _WARDS[first]
    return ((admitted_at, before), (moved_at.replace(microsecond=0), second))


def _known(patient: Patient) -> tuple[Code, ...]:
    return tuple(disease.code for disease, _ in patient.diseases[:3])


def _write(
    patient: Patient, day: int, visit_class: VisitClass, reason: Code, started_at: datetime, ended_at: datetime
) -> Visit:
    """Write down a visit of some hours; a few were registered by mistake and are taken back at once."""
    is_mistake = patient.random.random() < _TAKEN_BACK
    if is_mistake:
        ended_at = started_at + minutes(10)
    plan = Plan(
        "hospital", day, "acute", reason, _known(patient) if visit_class == "EMER" else (), visit_class=visit_class
    )
    return write_visit(patient, plan, patient.clinician("hospital"), started_at, ended_at, is_cancelled=is_mistake)
