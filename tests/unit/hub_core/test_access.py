"""The decision: nothing without the action, more never allows less, patients reach their own, secrets stay secret."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from uuid import UUID

from hypothesis import example, given
from hypothesis import strategies as st

from hub_core.access import (
    HIDDEN_FROM_OTHERS,
    NEEDS_CARE_TEAM,
    NEVER_BY_GLASS,
    OF_A_PROGRAMME,
    PERMISSIONS,
    Access,
    Action,
    Grant,
    Role,
    Subject,
    decide,
    holds,
    is_of_portal,
    scope_of,
    visible_locations,
)
from hub_core.sensitivity import KINDS

NOBODY = UUID(int=0)
PATIENTS = tuple(UUID(int=number) for number in range(1, 4))
PLACES = ("north", "south", "west")
OWN: tuple[Role, ...] = ("patient", "third_party")
ROLES: tuple[Role, ...] = tuple(PERMISSIONS)
ACTIONS: tuple[Action, ...] = tuple(sorted({action for held in PERMISSIONS.values() for action in held}))
ABOUT_CHARTS: tuple[Action, ...] = ("chart.read", "chart.write")

places = st.none() | st.frozensets(st.sampled_from(PLACES))
patients = st.frozensets(st.sampled_from(PATIENTS))
grants = st.builds(
    lambda role, where, whose, programmes: (
        Grant(role, frozenset(), whose)
        if role in OWN
        else Grant(role, where, programmes=(where or frozenset()) & programmes)
    ),
    st.sampled_from(ROLES),
    places,
    patients,
    st.frozensets(st.sampled_from(PLACES)),
)
accesses = st.builds(
    Access,
    st.just(NOBODY),
    st.just("x"),
    st.lists(grants, max_size=4).map(tuple),
    care_team_of=patients,
    broken_glass=patients,
)
subjects = st.builds(
    Subject,
    places,
    st.none() | st.sampled_from(PATIENTS),
    st.sampled_from((None, *KINDS, "other")),
    st.none() | st.sampled_from(PLACES),
)
actions = st.sampled_from(ACTIONS)


def is_allowed(access: Access, action: Action, subject: Subject) -> bool:
    return decide(access, action, subject).is_allowed


@given(accesses, actions, subjects)
def test_nothing_is_allowed_that_no_role_may_do(access: Access, action: Action, subject: Subject) -> None:
    if not any(action in PERMISSIONS[grant.role] for grant in access.grants):
        assert not holds(access, action)
        assert not is_allowed(access, action, subject)


@given(accesses, grants, actions, subjects)
def test_another_role_never_allows_less(access: Access, more: Grant, action: Action, subject: Subject) -> None:
    if is_allowed(access, action, subject):
        assert is_allowed(replace(access, grants=(*access.grants, more)), action, subject)


@given(accesses, patients, patients, actions, subjects)
def test_treating_more_patients_or_opening_more_charts_never_allows_less(
    access: Access, treated: frozenset[UUID], opened: frozenset[UUID], action: Action, subject: Subject
) -> None:
    if is_allowed(access, action, subject):
        more = replace(access, care_team_of=access.care_team_of | treated, broken_glass=access.broken_glass | opened)
        assert is_allowed(more, action, subject)


@given(st.lists(st.builds(Grant, st.sampled_from(OWN), st.just(frozenset()), patients)), actions, subjects)
def test_patients_and_whom_they_trust_reach_nobody_else(held: list[Grant], action: Action, subject: Subject) -> None:
    access = Access(NOBODY, "x", tuple(held), frozenset(PATIENTS), frozenset(PATIENTS))
    if is_allowed(access, action, subject):
        assert subject.patient_id in frozenset[UUID]().union(*(grant.patient_ids for grant in held))


@given(accesses, actions, subjects)
def test_staff_reach_only_the_places_of_their_roles(access: Access, action: Action, subject: Subject) -> None:
    staff = replace(access, grants=tuple(grant for grant in access.grants if grant.role not in OWN))
    bare = replace(staff, broken_glass=frozenset())
    if subject.locations is not None and is_allowed(bare, action, subject):
        reached = visible_locations(bare, action)
        assert reached is None or reached & subject.locations


@given(accesses, actions, subjects)
def test_what_needs_a_care_team_is_for_those_who_treat_and_for_the_patient(
    access: Access, action: Action, subject: Subject
) -> None:
    if subject.sensitivity not in NEEDS_CARE_TEAM or not is_allowed(access, action, subject):
        return
    treats = subject.patient_id in access.care_team_of
    is_own = any(grant.role == "patient" and subject.patient_id in grant.patient_ids for grant in access.grants)
    has_opened = subject.patient_id in access.broken_glass and action in ABOUT_CHARTS
    is_programmes = subject.sensitivity == OF_A_PROGRAMME and any(
        subject.owner in grant.programmes for grant in access.grants
    )
    assert treats or is_own or is_programmes or (has_opened and subject.sensitivity not in NEVER_BY_GLASS)


@given(accesses, actions, subjects)
def test_sharing_charts_with_a_programme_does_not_open_its_records(
    access: Access, action: Action, subject: Subject
) -> None:
    about = replace(subject, sensitivity=OF_A_PROGRAMME)
    elsewhere = replace(access, grants=tuple(replace(grant, programmes=frozenset()) for grant in access.grants))
    if is_allowed(elsewhere, action, about):
        treats = subject.patient_id in access.care_team_of | access.broken_glass
        assert treats or any(subject.patient_id in grant.patient_ids for grant in access.grants)


@given(accesses, actions, subjects)
@example(
    Access(NOBODY, "x", (Grant("third_party", patient_ids=frozenset(PATIENTS)),), care_team_of=frozenset(PATIENTS)),
    "chart.read",
    Subject(patient_id=PATIENTS[0]),
)
def test_outside_programmes_who_may_see_the_stricter_kind_may_see_the_milder(
    access: Access, action: Action, subject: Subject
) -> None:
    access = replace(access, grants=tuple(replace(grant, programmes=frozenset()) for grant in access.grants))
    for strict, mild in pairwise((*KINDS, None)):
        if is_allowed(access, action, replace(subject, sensitivity=strict)):
            assert is_allowed(access, action, replace(subject, sensitivity=mild)), (strict, mild)


@given(accesses, actions, subjects)
def test_no_emergency_opens_psychotherapy_notes(access: Access, action: Action, subject: Subject) -> None:
    closed = replace(access, broken_glass=frozenset())
    about = replace(subject, sensitivity="psychotherapy")
    assert is_allowed(access, action, about) == is_allowed(closed, action, about)


@given(accesses, actions, subjects)
def test_confidential_care_of_a_minor_is_hidden_from_who_acts_for_them(
    access: Access, action: Action, subject: Subject
) -> None:
    for kind in HIDDEN_FROM_OTHERS:
        others = replace(access, grants=tuple(grant for grant in access.grants if grant.role == "third_party"))
        assert not is_allowed(others, action, replace(subject, sensitivity=kind))


@given(accesses, actions, subjects)
def test_the_glass_is_offered_only_where_breaking_it_opens(access: Access, action: Action, subject: Subject) -> None:
    refused = decide(access, action, subject)
    if refused.is_breakable:
        assert not refused.is_allowed
        assert subject.patient_id is not None
        opened = replace(access, broken_glass=access.broken_glass | {subject.patient_id})
        assert is_allowed(opened, action, subject)


@given(accesses, actions, subjects)
def test_a_broken_glass_counts_only_while_a_role_may_break_it(access: Access, action: Action, subject: Subject) -> None:
    if not holds(access, "glass.break"):
        assert is_allowed(access, action, subject) == is_allowed(
            replace(access, broken_glass=frozenset()), action, subject
        )


@given(accesses, actions)
def test_a_list_reaches_exactly_the_places_where_single_things_are_allowed(access: Access, action: Action) -> None:
    reached = visible_locations(access, action)
    for place in PLACES:
        assert is_allowed(access, action, Subject(frozenset({place}))) == (reached is None or place in reached)
    assert is_allowed(access, action, Subject(frozenset())) == (reached is None)
    assert scope_of(access, action).is_staff == is_allowed(access, action, Subject())


def test_who_runs_the_house_sees_no_chart_and_who_sees_charts_runs_nothing() -> None:
    assert not PERMISSIONS["administrator"] & {"chart.read", "patient.read", "billing.read", "glass.break"}
    for role in ROLES:
        if "chart.read" in PERMISSIONS[role]:
            assert not PERMISSIONS[role] & {"user.write", "organisation.write", "glass.review"}, role


@given(accesses, st.frozensets(st.sampled_from(ACTIONS)), actions, subjects)
def test_a_limited_token_allows_what_both_it_and_its_roles_allow(
    access: Access, limits: frozenset[str], action: Action, subject: Subject
) -> None:
    limited = replace(access, actions=limits)
    assert holds(limited, action) == (action in limits and holds(access, action))
    if is_allowed(limited, action, subject):
        assert action in limits
        assert is_allowed(access, action, subject)
    if "glass.break" in limits and action in limits:
        assert is_allowed(limited, action, subject) == is_allowed(access, action, subject)


@given(accesses)
def test_the_portal_is_for_those_who_hold_no_role_of_the_staff(access: Access) -> None:
    roles = {grant.role for grant in access.grants}
    assert is_of_portal(access) == (bool(roles) and roles <= set(OWN))
