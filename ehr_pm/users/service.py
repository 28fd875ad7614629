"""What can be done about people who work here; each function is part of an act and commits nothing itself.

Who may do it to whom is decided before, by whoever calls.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from sqlalchemy import func, update
from sqlalchemy.exc import IntegrityError

from ehr_pm.acts import Act
from ehr_pm.organisation.models import Location
from ehr_pm.rows import get
from ehr_pm.users import fhir, identities, leaving, portal, repository
from ehr_pm.users.models import (
    BrokenGlass,
    CareTeamMember,
    Licence,
    PortalLink,
    PrincipalRow,
    RoleAssignment,
    Staff,
)
from ehr_pm.users.schemas import (
    Emergency,
    NewCareTeamMember,
    NewProgram,
    NewRole,
    NewStaff,
    Review,
    StaffDetails,
)
from hub_core import principals, second_factor
from hub_core.database import driver_connection
from hub_core.errors import ConflictError, NotFoundError
from hub_core.fhir.ids import new_id
from hub_core.principals import IssuedToken

if TYPE_CHECKING:
    import psycopg

GLASS_STAYS_BROKEN: Final = timedelta(minutes=60)


def add_staff(doing: Act, told: NewStaff) -> tuple[Staff, str]:
    """Add a person who works here, and return their first password, which they must change when they log in.

    Raises:
        NotFoundError: if their supervisor is not known.
        ConflictError: if the log-in name or the NPI is taken.
    """
    principal_id, password = principals.add_person(_driver(doing), told.name)
    row = Staff(principal_id=principal_id, practitioner_id=new_id(), **_details(doing, told), licences=_licences(told))
    doing.add(row, conflict="somebody else has this NPI")
    doing.session.refresh(row, ["principal"])
    doing.done("staff.add", fhir.practitioner(row), subject=str(principal_id))
    return row, password


def change_staff(doing: Act, row: Staff, told: StaffDetails) -> None:
    """Change what is known of a person who works here.

    Raises:
        NotFoundError: if their supervisor is not known.
        ConflictError: if the NPI is somebody else's, or they would supervise each other.
    """
    if told.supervisor_id is not None and row.principal_id in repository.supervisors(doing.session, told.supervisor_id):
        raise ConflictError("they would supervise each other")
    row.licences.clear()
    doing.flush()
    try:
        doing.change(row, **_details(doing, told), licences=_licences(told))
    except IntegrityError as error:
        raise ConflictError("somebody else has this NPI") from error
    doing.done("staff.change", fhir.practitioner(row), subject=str(row.principal_id))


def give_role(doing: Act, principal_id: UUID, told: NewRole) -> RoleAssignment:
    """Give somebody a role at a place, or in the whole group, for a time.

    Raises:
        NotFoundError: if the person, program or place is not known.
        ConflictError: if they hold it there already, were deactivated, or see patients in the portal.
    """
    _active(doing, principal_id)
    if portal.is_portal_account(doing.session, principal_id):
        raise ConflictError("this is a patient's account: who works here has one of their own for that")
    if told.location_id is not None:
        get(doing.session, Location, told.location_id, "location")
    starts, ends = told.span(doing.moment)
    for held in repository.roles(doing.session, principal_id):
        is_same = (held.role, held.location_id) == (told.role, told.location_id)
        if is_same and (ends is None or held.valid_from < ends) and (held.valid_to is None or held.valid_to > starts):
            raise ConflictError("they hold this role there at this time already")
    row = RoleAssignment(
        principal_id=principal_id, role=told.role, location_id=told.location_id, valid_from=starts, valid_to=ends
    )
    doing.add(row)
    doing.session.refresh(row, ["location"])
    _say_role(doing, row, "role.give")
    return row


def end_role(doing: Act, row: RoleAssignment) -> None:
    """Take a role away; that it was held stays known.

    Raises:
        ConflictError: if it has ended.
    """
    if row.valid_to is not None and row.valid_to <= doing.moment:
        raise ConflictError("this role has ended")
    doing.change(row, valid_to=max(row.valid_from, doing.moment))
    _say_role(doing, row, "role.end")


def add_program(doing: Act, told: NewProgram) -> IssuedToken:
    """Add a program with one role at one place, and return its token at the one moment it is known.

    Raises:
        NotFoundError: if the place is not known.
        ConflictError: if the name is taken.
    """
    principal_id = principals.add_program(_driver(doing), told.name)
    doing.noted("program.add", subject=str(principal_id))
    role = NewRole(role=told.role, location_id=told.location_id, valid_to=doing.moment + timedelta(days=told.days))
    give_role(doing, principal_id, role)
    return issue_token(doing, principal_id, timedelta(days=told.days))


def issue_token(doing: Act, principal_id: UUID, lifetime: timedelta) -> IssuedToken:
    """Return a token for a program that is known.

    Raises:
        NotFoundError: if there is no such program.
        ConflictError: if it was deactivated.
    """
    if _active(doing, principal_id).kind != "program":
        raise NotFoundError("there is no such program")
    issued = principals.add_token(_driver(doing), principal_id, issued_by=doing.actor.principal_id, lifetime=lifetime)
    doing.noted("token.issue", subject=str(principal_id), token_id=str(issued.token_id))
    return issued


def reset_password(doing: Act, principal_id: UUID) -> str:
    """Return a new first password of a person, whose sessions end.

    Raises:
        NotFoundError: if there is no such person.
        ConflictError: if they were deactivated.
    """
    row = _active(doing, principal_id)
    password = principals.first_password()
    principals.set_password(_driver(doing), row.name, password, must_change=True)
    doing.noted("password.reset", subject=str(principal_id))
    return password


def forget_second_factor(doing: Act, principal_id: UUID) -> None:
    """Ask a person for no more codes, because their authenticator is lost.

    Raises:
        NotFoundError: if they are not known.
    """
    get(doing.session, PrincipalRow, principal_id, "person or program")
    second_factor.forget(_driver(doing), principal_id)
    doing.noted("second_factor.forget", subject=str(principal_id))


def deactivate(doing: Act, principal_id: UUID) -> None:
    """End everything somebody could come in by or reach: the next request they make is refused.

    Sessions, tokens, the password, identities elsewhere, roles, care teams, broken glass, portal links and invitations
    end, and what they had in hand goes to others; what was done stays on record.

    Raises:
        NotFoundError: if they are not known.
        ConflictError: if they were deactivated before, or are whoever does this.
    """
    if principal_id == doing.actor.principal_id:
        raise ConflictError("nobody deactivates themselves")
    row = _active(doing, principal_id)
    principals.end_credentials(_driver(doing), principal_id)
    for held in repository.roles(doing.session, principal_id):
        if held.valid_to is None or held.valid_to > doing.moment:
            end_role(doing, held)
    _end(doing, CareTeamMember, principal_id)
    _end(doing, PortalLink, principal_id)
    portal.revoke_invitations(doing, principal_id)
    for identity in identities.of_person(doing, principal_id):
        identities.unlink(doing, identity)
    doing.session.execute(
        update(BrokenGlass)
        .where(BrokenGlass.principal_id == principal_id, BrokenGlass.expires_at > doing.moment)
        .values(expires_at=func.greatest(doing.moment, BrokenGlass.granted_at + timedelta(microseconds=1)))
    )
    leaving.hand_over(doing, principal_id)
    doing.session.refresh(row)
    staff = doing.session.get(Staff, principal_id)
    if staff is None:
        doing.noted("principal.deactivate", subject=str(principal_id))
    else:
        doing.done("staff.deactivate", fhir.practitioner(staff), subject=str(principal_id))


def break_glass(doing: Act, told: Emergency, location: str | None) -> BrokenGlass:
    """Open a patient's chart for an hour, in an emergency; somebody else has to look at it afterwards.

    45 CFR 164.312(a)(2)(ii) asks for a way in in emergencies.
    """
    row = BrokenGlass(
        principal_id=doing.actor.principal_id,
        patient_id=told.patient_id,
        reason=told.reason,
        granted_at=doing.moment,
        expires_at=doing.moment + GLASS_STAYS_BROKEN,
    )
    doing.add(row)
    doing.noted("glass.break", patient_id=told.patient_id, location=location, grant_id=str(row.grant_id))
    return row


def review_glass(doing: Act, row: BrokenGlass, told: Review) -> None:
    """Say whether it was right to open a chart.

    Raises:
        ConflictError: if it was reviewed before, or by whoever opened it.
    """
    if row.principal_id == doing.actor.principal_id:
        raise ConflictError("who opened the chart does not judge it")
    if row.reviewed_at is not None:
        raise ConflictError("this was reviewed before")
    doing.change(
        row, reviewed_at=doing.moment, reviewed_by=doing.actor.principal_id, finding=told.finding, note=told.note
    )
    doing.noted("glass.review", patient_id=row.patient_id, grant_id=str(row.grant_id), finding=told.finding)


def join_care_team(doing: Act, told: NewCareTeamMember) -> CareTeamMember:
    """Note that somebody treats a patient.

    Raises:
        NotFoundError: if they are not known.
        ConflictError: if they treat the patient already, or were deactivated.
    """
    _active(doing, told.principal_id)
    if repository.is_treating(doing.session, told.principal_id, told.patient_id, doing.moment):
        raise ConflictError("they treat this patient already")
    row = CareTeamMember(patient_id=told.patient_id, principal_id=told.principal_id, valid_from=doing.moment)
    doing.add(row)
    doing.noted("care_team.join", patient_id=told.patient_id, subject=str(told.principal_id))
    return row


def leave_care_team(doing: Act, row: CareTeamMember) -> None:
    """Note that somebody treats a patient no more.

    Raises:
        ConflictError: if they left before.
    """
    if row.valid_to is not None and row.valid_to <= doing.moment:
        raise ConflictError("they left this care team before")
    doing.change(row, valid_to=max(row.valid_from, doing.moment))
    doing.noted("care_team.leave", patient_id=row.patient_id, subject=str(row.principal_id))


def _active(doing: Act, principal_id: UUID) -> PrincipalRow:
    row = get(doing.session, PrincipalRow, principal_id, "person or program")
    if row.disabled_at is not None:
        raise ConflictError("they were deactivated")
    return row


def _details(doing: Act, told: StaffDetails) -> dict[str, Any]:
    if told.supervisor_id is not None:
        get(doing.session, Staff, told.supervisor_id, "supervisor")
    return told.model_dump(include={"family", "given", "npi", "taxonomy", "supervisor_id"})


def _licences(told: StaffDetails) -> list[Licence]:
    return [Licence(**each.model_dump()) for each in told.licences]


def _say_role(doing: Act, row: RoleAssignment, action: str) -> None:
    """Put a role on record; a person's is also a PractitionerRole."""
    place = None if row.location is None else row.location.key
    staff = doing.session.get(Staff, row.principal_id)
    who, which = str(row.principal_id), str(row.assignment_id)
    if staff is None:
        doing.noted(action, location=place, subject=who, role=row.role, assignment_id=which)
    else:
        resource = fhir.practitioner_role(row, staff, doing.moment)
        doing.done(action, resource, location=place, subject=who, role=row.role, assignment_id=which)


def _end(doing: Act, kind: type[CareTeamMember] | type[PortalLink], principal_id: UUID) -> None:
    """End what counts for somebody, now or later."""
    doing.session.execute(
        update(kind)
        .where(kind.principal_id == principal_id, (kind.valid_to.is_(None)) | (kind.valid_to > doing.moment))
        .values(
            valid_to=func.greatest(doing.moment, kind.valid_from),
            changed_at=doing.moment,
            changed_by=doing.actor.principal_id,
            version=kind.version + 1,
        )
    )


def _driver(doing: Act) -> psycopg.Connection[Any]:
    """Return the connection of an act, its rows sent before it is used beside them."""
    doing.flush()
    return driver_connection(doing.session.connection())
