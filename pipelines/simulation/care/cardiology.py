"""Care at the cardiology group: consultations, echoes, problem lists, prescriptions, allergies."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from pipelines.simulation.care.appointments import Plan, Seen, keep
from pipelines.simulation.care.calendar import AHEAD, DAYS, date_of
from pipelines.simulation.care.orders import order
from pipelines.simulation.care.patients import Patient
from pipelines.simulation.tables import rows
from pipelines.simulation.world import Allergy, Code, Prescription, Problem

_MEDICATIONS: Final[dict[str, list[tuple[Code, str, float]]]] = {}
for _row in rows("medications"):
    _MEDICATIONS.setdefault(_row["condition"], []).append(
        (Code("RxNorm", _row["code"], _row["label"]), _row["dosage"], float(_row["share"]))
    )
_ALLERGENS: Final = tuple(Code("RxNorm", row["code"], row["label"]) for row in rows("allergens"))


def needs_cardiology(patient: Patient) -> bool:
    """Tell whether somebody's heart is a case for the cardiologists."""
    cardiac = {disease.key for disease, _ in patient.diseases if disease.is_cardiac}
    grave = cardiac - {"hypertension", "hyperlipidemia"}
    return bool(grave) or (bool(cardiac) and patient.random.random() < 0.3 * len(cardiac))


def look_after(patient: Patient) -> None:
    """Let somebody be a patient of the cardiology group, from some day on."""
    random = patient.random
    diseases = [disease for disease, _ in patient.diseases if disease.is_cardiac]
    is_grave = any(disease.key in ("heart-failure", "atrial-fibrillation") for disease in diseases)
    day = int(random.random() * 260)
    is_known = False
    while day < DAYS + AHEAD:
        step = 65 + int(random.random() * 60) if is_grave else 110 + int(random.random() * 90)
        reason = diseases[int(random.random() * len(diseases))].code
        is_video = is_known and random.random() < 0.1
        plan = Plan(
            "cardiology",
            day,
            "telehealth" if is_video else "follow-up" if is_known else "cardiology",
            reason,
            tuple(disease.code for disease in diseases),
            10 + int(random.random() * 50),
            "VR" if is_video else "AMB",
        )
        seen = keep(patient, plan)
        if seen:
            if not is_known:
                _take_history(patient, seen)
            if not is_video:
                _examine(patient, seen, is_new=not is_known)
            is_known = True
        day += step


def _take_history(patient: Patient, seen: Seen) -> None:
    """Write the problem list, the prescriptions and the allergies at the first visit."""
    random, journal, visit = patient.random, patient.journal, seen.visit
    for disease, since in patient.diseases:
        onset = min(since, date_of(seen.day))
        abated = None
        if disease.key in ("palpitations", "anxiety", "depression", "vitamin-d") and random.random() < 0.3:
            abated = onset + (date_of(seen.day) - onset) * random.random()
        journal.chapter.problems.append(
            Problem(
                journal.key("P"),
                visit.registration_id,
                visit.site,
                visit.visit_id,
                disease.code,
                onset,
                abated,
                visit.started_at + timedelta(minutes=12),
            )
        )
        if abated is None:
            _prescribe(patient, seen, disease.key)
    if random.random() < 0.3:
        for substance in random.sample(_ALLERGENS, 1 + int(random.random() * 2)):
            at = visit.started_at + timedelta(minutes=14)
            journal.chapter.allergies.append(
                Allergy(journal.key("A"), visit.registration_id, visit.site, substance, at)
            )


def _prescribe(patient: Patient, seen: Seen, disease: str) -> None:
    """Prescribe some of what is usual for a disease; some is stopped or replaced later."""
    random, journal, visit = patient.random, patient.journal, seen.visit
    started = date_of(seen.day)
    for medication, dosage, share in _MEDICATIONS.get(disease, ()):
        if random.random() >= share:
            continue
        stopped = None
        if random.random() < 0.25:
            stopped = started + timedelta(days=20 + int(random.random() * 500))
        if stopped is not None and stopped > date_of(DAYS - 1):
            stopped = None
        journal.chapter.prescriptions.append(
            Prescription(
                journal.key("M"),
                visit.registration_id,
                visit.site,
                visit.visit_id,
                visit.clinician,
                medication,
                dosage,
                started,
                stopped,
            )
        )


def _examine(patient: Patient, seen: Seen, *, is_new: bool) -> None:
    random = patient.random
    if is_new or random.random() < 0.12:
        order(patient, seen.visit, seen.day, "echo")
    if patient.has("atrial-fibrillation") and random.random() < 0.4:
        order(patient, seen.visit, seen.day, "inr")
    if (patient.has("heart-failure") or patient.has("aortic-stenosis")) and random.random() < 0.5:
        order(patient, seen.visit, seen.day, "natriuretic")
    if random.random() < 0.2:
        order(patient, seen.visit, seen.day, "lipids")
