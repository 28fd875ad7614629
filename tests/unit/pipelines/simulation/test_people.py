"""The people of the simulated world: how many, who is related to whom, what makes them hard to match."""

import subprocess
import sys

from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.simulation.chapters import live
from pipelines.simulation.group import BEGINS, END_INSTANT, ENDS, EXCHANGE, PAYERS
from pipelines.simulation.people.lives import TRAITS
from pipelines.simulation.world import Chapter, Registration
from tests.unit.pipelines.simulation.lives import a_thousand

_SEEDS = st.integers(min_value=0, max_value=2**40)
_FEW = settings(max_examples=6, deadline=None)


def _by_person(chapter: Chapter) -> dict[str, list[Registration]]:
    found: dict[str, list[Registration]] = {person.person_id: [] for person in chapter.persons}
    for registration in chapter.registrations.values():
        found[registration.person_id].append(registration)
    return found


@_FEW
@given(_SEEDS, st.integers(0, 900), st.integers(1, 90))
def test_a_chapter_has_exactly_the_people_asked_for_and_each_is_known_somewhere(
    seed: int, number: int, people: int
) -> None:
    chapter = live(seed, number, people)
    assert len({person.person_id for person in chapter.persons}) == people
    assert all(_by_person(chapter).values())


@_FEW
@given(_SEEDS)
def test_the_same_numbers_give_the_same_lives(seed: int) -> None:
    assert live(seed, 3, 60) == live(seed, 3, 60)


def test_lives_do_not_depend_on_the_process() -> None:
    script = "import hashlib; from pipelines.simulation.chapters import live; "
    script += "print(hashlib.sha256(repr(live(11, 2, 60)).encode()).hexdigest())"
    found = {
        subprocess.run(
            [sys.executable, "-c", script], env={"PYTHONHASHSEED": hash_seed}, capture_output=True, check=True
        ).stdout
        for hash_seed in ("1", "2")
    }
    assert len(found) == 1


def test_chapters_share_no_key_and_no_number() -> None:
    first, second = live(7, 0, 120), live(7, 1, 120)

    def keys(chapter: Chapter) -> set[str]:
        named = {person.person_id for person in chapter.persons} | {p.truth.ssn for p in chapter.persons}
        for registration in chapter.registrations.values():
            named |= {registration.registration_id, registration.mrn}
            named |= {policy.policy_id for policy in registration.policies}
            named |= {policy.member_id for policy in registration.policies}
            named |= {identifier.value for identifier in registration.identifiers}
        named |= {visit.visit_id for visit in chapter.visits} | {each.booking_id for each in chapter.bookings}
        named |= {report.report_id for report in chapter.reports}
        named |= {result.result_id for report in chapter.reports for result in report.results}
        named |= {each.vaccination_id for each in chapter.vaccinations} | {p.problem_id for p in chapter.problems}
        named |= {each.prescription_id for each in chapter.prescriptions} | {a.allergy_id for a in chapter.allergies}
        return named

    assert keys(first).isdisjoint(keys(second))
    assert {person.household for person in first.persons}.isdisjoint({person.household for person in second.persons})


@_FEW
@given(_SEEDS)
def test_statements_are_in_order_and_within_the_simulated_time(seed: int) -> None:
    for registration in live(seed, 0, 80).registrations.values():
        moments = [since for since, _ in registration.stated]
        assert moments == sorted(set(moments))
        assert BEGINS.toordinal() <= moments[0].toordinal()
        assert moments[-1] <= (registration.merged_at or END_INSTANT)


@_FEW
@given(_SEEDS)
def test_a_merged_record_goes_into_another_of_the_same_person_at_the_same_site(seed: int) -> None:
    chapter = live(seed, 0, 150)
    for registration in chapter.registrations.values():
        assert (registration.merged_into is None) == (registration.merged_at is None)
        if registration.merged_into is not None:
            survivor = chapter.registrations[registration.merged_into]
            assert survivor.registration_id != registration.registration_id
            assert (survivor.person_id, survivor.site) == (registration.person_id, registration.site)
            assert survivor.merged_into is None
            assert survivor.stated[0][0] < registration.merged_at < END_INSTANT  # type: ignore[operator]


@_FEW
@given(_SEEDS)
def test_nothing_is_put_on_a_record_that_was_merged_away(seed: int) -> None:
    chapter = live(seed, 0, 150)
    merged = {key: each.merged_at for key, each in chapter.registrations.items() if each.merged_at}
    moments = [(visit.registration_id, visit.ended_at or END_INSTANT) for visit in chapter.visits]
    moments += [(each.registration_id, each.changes[-1].at) for each in chapter.bookings]
    moments += [(each.registration_id, each.corrected_at or each.reported_at) for each in chapter.reports]
    assert all(at < merged[key] for key, at in moments if key in merged)


def test_every_trait_appears_among_a_thousand_people() -> None:
    for seed in (1, 2):
        found = {trait for person in a_thousand(seed).persons for trait in person.traits}
        assert found == set(TRAITS)


def test_most_people_are_known_at_more_than_one_site_and_few_records_carry_a_wrong_exchange_number() -> None:
    chapter = a_thousand(1)
    numbers: dict[str, set[str]] = {}
    with_number = eligible = 0
    for registration in chapter.registrations.values():
        for identifier in registration.identifiers:
            if identifier.kind == "PI":
                assert identifier.assigner == EXCHANGE
                numbers.setdefault(registration.person_id, set()).add(identifier.value)
        if registration.site != "pediatrics":
            eligible += 1
            with_number += any(identifier.kind == "PI" for identifier in registration.identifiers)
    assert 0.62 < with_number / eligible < 0.8
    assert 0 < sum(len(each) > 1 for each in numbers.values()) < 12
    sites = [len({each.site for each in known}) for known in _by_person(chapter).values()]
    assert sum(count > 1 for count in sites) > 700


def test_twins_share_their_birth_date_and_namesakes_their_name() -> None:
    persons = a_thousand(1).persons
    twins = [person for person in persons if "twin" in person.traits]
    by_household = {
        person.household: [each for each in twins if each.household == person.household] for person in twins
    }
    assert all(len({each.truth.birth_date for each in pair}) == 1 for pair in by_household.values())
    assert sum(len(pair) == 2 for pair in by_household.values()) >= len(by_household) - 1
    namesakes = [person for person in persons if "namesake" in person.traits]
    for person in namesakes:
        same = [each for each in namesakes if each.household == person.household]
        assert len({(each.truth.given, each.truth.family) for each in same}) == 1
        assert len({each.truth.birth_date for each in same}) == len(same)


def test_a_newborn_is_registered_before_its_name() -> None:
    chapter = a_thousand(1)
    newborns = {person.person_id: person for person in chapter.persons if "newborn" in person.traits}
    assert newborns
    births = [
        each
        for each in chapter.registrations.values()
        if each.person_id in newborns
        and each.site == "hospital"
        and (each.stated[0][0].date() - newborns[each.person_id].truth.birth_date).days <= 1
    ]
    for registration in births:
        first, second = registration.stated[:2]
        assert first[1].given in ("BABYGIRL", "BABYBOY")
        assert not second[1].given.startswith("BABY")
        assert first[1].birth_date.toordinal() <= first[0].toordinal() <= first[1].birth_date.toordinal() + 1
    assert {each.person_id for each in births} == set(newborns)


def test_mothers_are_in_the_household_and_old_enough() -> None:
    persons = {person.person_id: person for person in a_thousand(2).persons}
    mothers = 0
    for person in persons.values():
        if person.mother_id is not None:
            mother = persons[person.mother_id]
            mothers += 1
            assert mother.household == person.household
            assert mother.truth.gender == "female"
            assert 15 < person.truth.birth_date.year - mother.truth.birth_date.year < 50
    assert mothers > 100


def test_policies_are_known_payers_and_a_family_shares_the_subscribers_number() -> None:
    chapter = a_thousand(1)
    ranks = set()
    for registration in chapter.registrations.values():
        for policy in registration.policies:
            ranks.add(policy.rank)
            assert policy.payer in PAYERS
            assert (policy.relationship == "self") == (policy.subscriber_id == registration.person_id)
            assert policy.ends is None or policy.starts < policy.ends
    assert ranks == {1, 2}


def test_numbers_that_could_be_somebodys_are_not_issued() -> None:
    chapter = a_thousand(1)
    for registration in chapter.registrations.values():
        for _, stated in registration.stated:
            assert not stated.ssn or (len(stated.ssn) == 9 and stated.ssn.startswith("9"))
            assert not stated.phone or stated.phone.startswith("555-")
            assert not stated.email or stated.email.endswith(".example")


def test_the_dead_are_dead_within_the_simulated_time_and_stay_away() -> None:
    chapter = a_thousand(1)
    died = {each.person_id: on for each in chapter.persons if (on := each.truth.deceased_on) is not None}
    assert died
    assert all(BEGINS <= on <= ENDS for on in died.values())
    for visit in chapter.visits:
        person_id = chapter.registrations[visit.registration_id].person_id
        assert visit.started_at.date() <= died.get(person_id, END_INSTANT.date())
