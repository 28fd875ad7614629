"""Care at the family practice: wellness visits, follow-ups of long diseases, complaints, screening, vaccines."""

from __future__ import annotations

from typing import Final

from pipelines.simulation.care.appointments import Plan, Seen, keep
from pipelines.simulation.care.calendar import AHEAD, DAYS, any_day
from pipelines.simulation.care.diseases import draw_complaint
from pipelines.simulation.care.immunizations import VaccineCard
from pipelines.simulation.care.orders import order
from pipelines.simulation.care.patients import Patient
from pipelines.simulation.care.wellness import well_child_days
from pipelines.simulation.world import Code

_CHECK_UP = Code("ICD-10-CM", "Z00.00", "Encounter for general adult medical examination without abnormal findings")
_CHILD_CHECK_UP = Code(
    "ICD-10-CM", "Z00.129", "Encounter for routine child health examination without abnormal findings"
)
_VACCINATION = Code("ICD-10-CM", "Z23", "Encounter for immunization")
_FIRST_VISIT = Code("ICD-10-CM", "Z76.89", "Persons encountering health services in other specified circumstances")
_ADULT_AGE = 18
_BY_VIDEO = 0.1
_NEW_PATIENTS = 0.13
_TESTS_OF: Final = {
    "hypertension": ("basic",),
    "diabetes": ("hemoglobin-a1c", "microalbumin"),
    "diabetic-kidney": ("hemoglobin-a1c", "kidney"),
    "hyperlipidemia": ("lipids",),
    "hypothyroidism": ("thyroid",),
    "kidney-disease": ("kidney",),
    "heart-failure": ("basic",),
    "coronary-disease": ("lipids",),
}
"""What is looked at when a disease is followed up."""


def look_after(patient: Patient, rate: float = 1.0) -> None:
    """Let somebody be a patient of the family practice for the simulated time."""
    card = VaccineCard(patient)
    since, seen = _join(patient)
    if patient.age(0) < _ADULT_AGE:
        seen += _bring_child(patient, since)
    else:
        seen += _check_up(patient, since)
        seen += _follow_up(patient, since)
    seen += _complain(patient, since, rate)
    for each in sorted(seen, key=lambda each: each.visit.started_at):
        card.vaccinate(each.visit, each.day)


def _join(patient: Patient) -> tuple[int, list[Seen]]:
    """Return since when somebody is a patient, and the visit by which they became one; most have long been."""
    random = patient.random
    if patient.life.is_newborn or random.random() > _NEW_PATIENTS:
        return patient.from_day, []
    day = 10 + int(random.random() * DAYS * 0.7)
    reason = _CHILD_CHECK_UP if patient.age(0) < _ADULT_AGE else _FIRST_VISIT
    others = tuple(disease.code for disease, _ in patient.diseases[:2])
    seen = keep(patient, Plan("family-practice", day, "new", reason, others, 5 + int(random.random() * 25)))
    return day + 20, [seen] if seen else []


def _bring_child(patient: Patient, since: int) -> list[Seen]:
    """Bring a child to the visits of the schedule."""
    plans = (
        Plan("family-practice", day, "well-child", _CHILD_CHECK_UP, (_VACCINATION,), 20)
        for day in well_child_days(patient)
        if day >= since
    )
    return [seen for plan in plans if (seen := keep(patient, plan))]


def _check_up(patient: Patient, since: int) -> list[Seen]:
    """Let an adult come for a wellness visit in some years, with blood drawn and screening."""
    random = patient.random
    found = []
    wish = 0.45 if patient.age(0) < 40 else 0.72
    for year in range(3):
        day = year * 365 + int(random.random() * 365)
        if day < since or random.random() > wish:
            continue
        others = tuple(disease.code for disease, _ in patient.diseases[:3])
        seen = keep(patient, Plan("family-practice", day, "annual", _CHECK_UP, others, 10 + int(random.random() * 50)))
        if seen:
            found.append(seen)
            _screen(patient, seen)
    return found


def _screen(patient: Patient, seen: Seen) -> None:
    random, age = patient.random, patient.age(seen.day)
    if age > 30 and random.random() < 0.35:
        order(patient, seen.visit, seen.day, "lipids")
    if age > 40 and random.random() < 0.3:
        order(patient, seen.visit, seen.day, "hemoglobin-a1c")
    if random.random() < 0.25:
        order(patient, seen.visit, seen.day, "blood-count")
    if 45 <= age <= 75 and random.random() < 0.2:
        order(patient, seen.visit, seen.day, "occult-blood")


def _follow_up(patient: Patient, since: int) -> list[Seen]:
    """Let somebody with long diseases come every three to six months, and beyond the end be booked."""
    random = patient.random
    if not patient.diseases:
        return []
    is_serious = len(patient.diseases) > 3
    day = since + int(random.random() * 150)
    found = []
    while day < DAYS + AHEAD:
        step = 95 + int(random.random() * 60) if is_serious else 130 + int(random.random() * 120)
        first, *others = random.sample(patient.diseases, len(patient.diseases))
        is_video = random.random() < _BY_VIDEO
        plan = Plan(
            "family-practice",
            day,
            "telehealth" if is_video else "follow-up",
            first[0].code,
            tuple(disease.code for disease, _ in others[:3]),
            14 + int(random.random() * (step - 14)),
            "VR" if is_video else "AMB",
        )
        seen = keep(patient, plan)
        if seen:
            found.append(seen)
            if not is_video:
                _monitor(patient, seen)
        day += step
    return found


def _monitor(patient: Patient, seen: Seen) -> None:
    """Order what the diseases ask for, no panel twice."""
    ordered: list[str] = []
    for disease, _ in patient.diseases:
        for panel in _TESTS_OF.get(disease.key, ()):
            if panel not in ordered and patient.random.random() < 0.27:
                ordered.append(panel)
    if "basic" in ordered and "kidney" in ordered:
        ordered.remove("kidney")
    for panel in ordered:
        order(patient, seen.visit, seen.day, panel)


def _complain(patient: Patient, since: int, rate: float) -> list[Seen]:
    """Let somebody fall ill now and then, more often in winter; most come the same day or the next."""
    random = patient.random
    age = patient.age(0)
    count = int(random.expovariate(1 / (rate * (3.8 if age < 6 or age > 64 else 3.0))))
    found = []
    for _ in range(min(count, 12)):
        complaint = draw_complaint(random, "office", patient.age(DAYS // 2))
        day = any_day(random, is_seasonal=complaint.is_seasonal)
        if day < since + 5:
            continue
        is_booked, is_video = random.random() < 0.42, random.random() < 0.06
        plan = Plan(
            "family-practice",
            day,
            "telehealth" if is_video else "acute",
            complaint.code,
            (),
            int(random.random() * 3),
            "VR" if is_video else "AMB",
            is_booked,
        )
        seen = keep(patient, plan)
        if seen:
            found.append(seen)
            if complaint.test and not is_video and random.random() < 0.55:
                order(patient, seen.visit, seen.day, complaint.test, is_ill=True)
    return found


def register(patient: Patient) -> None:
    """Let somebody become a patient of the family practice, whatever else happens to them."""
    day = min(patient.from_day + 5 + int(patient.random.random() * 300), DAYS - 30)
    is_child = patient.age(0) < _ADULT_AGE
    keep(patient, Plan("family-practice", day, "new", _CHILD_CHECK_UP if is_child else _FIRST_VISIT, is_booked=False))
