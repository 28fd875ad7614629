"""Care at the pediatrics practice, which reaches us only as claims: no appointments, no results."""

from __future__ import annotations

from pipelines.simulation.care.appointments import Plan, keep
from pipelines.simulation.care.calendar import DAYS, any_day
from pipelines.simulation.care.diseases import draw_complaint
from pipelines.simulation.care.patients import Patient
from pipelines.simulation.care.wellness import well_child_days
from pipelines.simulation.world import Code

_CHECK_UP = Code("ICD-10-CM", "Z00.129", "Encounter for routine child health examination without abnormal findings")
_VACCINATION = Code("ICD-10-CM", "Z23", "Encounter for immunization")


def look_after(patient: Patient) -> None:
    """Let a child be a patient of the pediatrics practice."""
    random = patient.random
    for day in well_child_days(patient):
        keep(patient, Plan("pediatrics", day, "well-child", _CHECK_UP, (_VACCINATION,), is_booked=False))
    age = max(patient.age(DAYS // 2), 0.5)
    expected = 8.0 if age < 3 else 6.0 if age < 7 else 4.0
    for _ in range(int(random.gauss(expected, expected / 3))):
        complaint = draw_complaint(random, "office", age)
        day = any_day(random, is_seasonal=complaint.is_seasonal)
        if day > patient.from_day + 3:
            keep(patient, Plan("pediatrics", day, "acute", complaint.code, is_booked=False))
    for disease, _ in patient.diseases:
        for _ in range(3):
            day = int(random.random() * DAYS)
            if day > patient.from_day + 3:
                keep(patient, Plan("pediatrics", day, "follow-up", disease.code, is_booked=False))
