"""Care at the cardiology group: consultations, echoes, problem lists, prescriptions, allergies."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

from pipelines.simulation.care.appointments import Plan, Seen, keep
from pipelines.simulation.care.calendar import AHEAD, DAYS, date_of
from pipelines.simulation.care.orders import order
from pipelines.simulation.care.patients import Patient
from pipelines.simulation.group import ENDS
from pipelines.simulation.spans import minutes
from pipelines.simulation.tables import rows
from pipelines.simulation.world import Allergy, Code, Prescription, Problem

_MEDICATIONS: Final[dict[str, list[tuple[Code, str, float]]]] = {}
for _row in rows("medications"):
    _MEDICATIONS.setdefault(_row["condition"], []).append(
        (Code("RxNorm", _row["code"], _row["label"]), _row["dosage"], float(_row["share"]))
    )
_ALLERGENS: Final = tuple(Code("RxNorm", row["code"], row["label"]) for row in rows("allergens"))
_PASSING: Final = (
    Code("ICD-10-CM", "R07.9", "Chest pain, unspecified"),
    Code("ICD-10-CM", "R55", "Syncope and collapse"),
    Code("ICD-10-CM", "I49.3", "Ventricular premature depolarization"),
    Code("ICD-10-CM", "I95.1", "Orthostatic hypotension"),
    Code("ICD-10-CM", "R60.0", "Localized edema"),
    Code("ICD-10-CM", "R06.09", "Other forms of dyspnea"),
)
"""What is on a problem list for some months."""
_WARFARIN = "855332"
_OF_EVERY_HEART = ("hypertension", "hyperlipidemia")


def needs_cardiology(patient: Patient) -> bool:
    """Tell whether somebody's heart is a case for the cardiologists."""
    cardiac = [disease.key for disease, _ in patient.diseases if disease.is_cardiac]
    is_grave = any(key not in _OF_EVERY_HEART for key in cardiac)
    return is_grave or (bool(cardiac) and patient.random.random() < 0.5 * len(cardiac))


def look_after(patient: Patient) -> None:
    """Let somebody be a patient of the cardiology group, from some day on."""
    random = patient.random
    diseases = [disease for disease, _ in patient.diseases if disease.is_cardiac]
    is_grave = any(disease.key in ("heart-failure", "atrial-fibrillation") for disease in diseases)
    day = int(random.random() * 260)
    notes: _Notes | None = None
    while day < DAYS + AHEAD:
        step = 65 + int(random.random() * 60) if is_grave else 120 + int(random.random() * 100)
        reason = diseases[int(random.random() * len(diseases))].code
        is_video = notes is not None and random.random() < 0.1
        plan = Plan(
            "cardiology",
            day,
            "telehealth" if is_video else "follow-up" if notes else "cardiology",
            reason,
            tuple(disease.code for disease in diseases),
            10 + int(random.random() * 50),
            "VR" if is_video else "AMB",
        )
        seen = keep(patient, plan)
        if seen and notes is None:
            notes = _Notes(patient)
            notes.take_history(seen)
        elif seen and notes is not None:
            notes.review(seen)
        if seen and not is_video:
            _examine(patient, seen, takes_warfarin=notes is not None and notes.takes(_WARFARIN))
        day += step
    if notes is not None:
        notes.write_prescriptions()


@dataclass(slots=True)
class _Medication:
    """A prescription that may still be stopped."""

    seen: Seen
    disease: str
    code: Code
    dosage: str
    started: date
    stopped: date | None = None


class _Notes:
    """What the cardiologists write about one patient over the years."""

    def __init__(self, patient: Patient) -> None:
        self._patient = patient
        self._random = patient.random
        self._medications: list[_Medication] = []
        self._allergens = list(_ALLERGENS)

    def take_history(self, seen: Seen) -> None:
        """Write the problem list, the prescriptions and the allergies at the first visit."""
        today = date_of(seen.day)
        for disease, since in self._patient.diseases:
            onset, abated = min(since, today), None
            if not disease.is_cardiac and self._random.random() < 0.15:
                abated = onset + (today - onset) * self._random.random()
            self._note_problem(seen, disease.code, onset, abated)
            if abated is None:
                self._prescribe(seen, disease.key)
        if self._random.random() < 0.3:
            self._note_allergy(seen)

    def review(self, seen: Seen) -> None:
        """Change at a later visit what is no longer right: renew, replace, stop; note what is new."""
        random, today = self._random, date_of(seen.day)
        for medication in list(self._medications):
            draw = random.random()
            if medication.stopped is not None or draw > 0.13:
                continue
            medication.stopped = today
            if draw < 0.09:
                self._medications.append(
                    _Medication(seen, medication.disease, medication.code, medication.dosage, today)
                )
            elif draw < 0.115:
                self._replace(seen, medication)
        if random.random() < 0.09:
            passing = _PASSING[int(random.random() * len(_PASSING))]
            ends = date_of(min(seen.day + 20 + int(random.random() * 160), DAYS + 300))
            self._note_problem(seen, passing, today, ends if ends <= ENDS else None)
        if random.random() < 0.015:
            self._note_allergy(seen)

    def takes(self, code: str) -> bool:
        """Tell whether a medicine is prescribed and not stopped."""
        return any(each.stopped is None and each.code.code == code for each in self._medications)

    def write_prescriptions(self) -> None:
        """Write down what was prescribed, now that it is known what was stopped."""
        journal = self._patient.journal
        for each in self._medications:
            visit = each.seen.visit
            journal.chapter.prescriptions.append(
                Prescription(
                    journal.key("M"),
                    visit.registration_id,
                    visit.site,
                    visit.visit_id,
                    visit.clinician,
                    each.code,
                    each.dosage,
                    each.started,
                    each.stopped,
                )
            )

    def _prescribe(self, seen: Seen, disease: str) -> None:
        """Prescribe some of what is usual for a disease, nothing twice."""
        taken = {each.code for each in self._medications}
        for code, dosage, share in _MEDICATIONS.get(disease, ()):
            if code not in taken and self._random.random() < share:
                self._medications.append(_Medication(seen, disease, code, dosage, date_of(seen.day)))

    def _replace(self, seen: Seen, stopped: _Medication) -> None:
        """Prescribe another medicine for the same disease, if there is one."""
        taken = {each.code for each in self._medications if each.stopped is None} | {stopped.code}
        for code, dosage, _ in _MEDICATIONS[stopped.disease]:
            if code not in taken:
                self._medications.append(_Medication(seen, stopped.disease, code, dosage, date_of(seen.day)))
                return

    def _note_problem(self, seen: Seen, code: Code, onset: date, abated: date | None) -> None:
        journal, visit = self._patient.journal, seen.visit
        at = visit.started_at + minutes(12)
        journal.chapter.problems.append(
            Problem(journal.key("P"), visit.registration_id, visit.site, visit.visit_id, code, onset, abated, at)
        )

    def _note_allergy(self, seen: Seen) -> None:
        journal, visit = self._patient.journal, seen.visit
        substance = self._allergens.pop(int(self._random.random() * len(self._allergens)))
        at = visit.started_at + minutes(14)
        journal.chapter.allergies.append(Allergy(journal.key("A"), visit.registration_id, visit.site, substance, at))


def _examine(patient: Patient, seen: Seen, *, takes_warfarin: bool) -> None:
    random = patient.random
    if random.random() < 0.22:
        order(patient, seen.visit, seen.day, "echo")
    if takes_warfarin and random.random() < 0.9:
        order(patient, seen.visit, seen.day, "inr")
    if (patient.has("heart-failure") or patient.has("aortic-stenosis")) and random.random() < 0.5:
        order(patient, seen.visit, seen.day, "natriuretic")
    if random.random() < 0.12:
        order(patient, seen.visit, seen.day, "lipids")
