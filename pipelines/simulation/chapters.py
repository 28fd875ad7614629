"""Lets the people of a chapter live: their households, their records at the sites, and three years of their care."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from pipelines.simulation.care import cardiology, family_practice, hospital, pediatrics
from pipelines.simulation.care.journal import Journal
from pipelines.simulation.care.patients import Patient
from pipelines.simulation.people.households import Settlers
from pipelines.simulation.people.lives import Life
from pipelines.simulation.world import Chapter

_ADULT_AGE = 18
_IN_THE_HOSPITAL_AT_THE_END = 70
"""Every so many households, somebody lies in the hospital when the simulated time ends."""


def live(seed: int, number: int, people: int) -> Chapter:
    """Return everything that happens to exactly `people` persons of a chapter; the same numbers give the same lives."""
    chapter = Chapter(number)
    journal = Journal(chapter)
    settlers = Settlers(seed, number, people)
    count = 0
    while household := settlers.next_household():
        random, lives = household
        patients = [Patient(random, life, journal) for life in lives]
        _care_for(patients)
        if count % _IN_THE_HOSPITAL_AT_THE_END == 5 and patients[0].life.dies_on is None:
            hospital.be_there_at_the_end(patients[0])
        for patient in patients:
            _write_down(chapter, patient)
        count += 1
    return chapter


def _care_for(patients: Sequence[Patient]) -> None:
    """Let the members of a household be born, fall ill and be cared for."""
    by_person = {patient.life.person_id: patient for patient in patients}
    for patient in patients:
        if patient.life.is_newborn:
            hospital.be_born(patient, by_person.get(patient.life.mother_id or ""))
    for patient in patients:
        _care_for_one(patient.random, patient)


def _care_for_one(random: Random, patient: Patient) -> None:
    is_child = patient.age(0) < _ADULT_AGE
    hospital.look_after(patient)
    if is_child:
        is_at_pediatrics = random.random() < 0.8
        if is_at_pediatrics:
            pediatrics.look_after(patient)
        if not is_at_pediatrics or random.random() < 0.25:
            family_practice.look_after(patient, 0.6 if is_at_pediatrics else 1.4)
    elif random.random() < 0.92:
        family_practice.look_after(patient)
    if not is_child and cardiology.needs_cardiology(patient):
        cardiology.look_after(patient)
    if not patient.charts:
        family_practice.register(patient)


def _write_down(chapter: Chapter, patient: Patient) -> None:
    """Add a person and their records to the chapter, once all is told."""
    life: Life = patient.life
    for chart in patient.charts.values():
        for registration in chart.registrations():
            chapter.registrations[registration.registration_id] = registration
    chapter.persons.append(life.person())
