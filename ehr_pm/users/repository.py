"""Finding people who work here, and what each of them may do at this moment."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from ehr_pm.rows import get
from ehr_pm.users.models import BrokenGlass, CareTeamMember, RoleAssignment, Staff
from hub_core.access import PERMISSIONS, Access, Grant, Role

if TYPE_CHECKING:
    import psycopg

    from hub_core.principals import Principal

_HELD: Final = """
SELECT a.role AS what, CASE WHEN a.location_id IS NOT NULL THEN array(
    SELECT shared.key FROM location held JOIN location shared
        ON shared.location_id = held.location_id OR shared.chart_group_id = held.chart_group_id
    WHERE held.location_id = a.location_id) END AS locations, NULL::uuid AS patient_id,
    (SELECT key FROM location WHERE location_id = a.location_id AND sensitivity = '42cfr2') AS programme
FROM role_assignment a
WHERE a.principal_id = %(who)s AND a.valid_from <= clock_timestamp()
    AND (a.valid_to IS NULL OR a.valid_to > clock_timestamp())
UNION ALL
SELECT known.what, NULL, coalesce(same.patient_id, known.patient_id), NULL
FROM (
    SELECT 'treats' AS what, c.patient_id FROM care_team_member c
    WHERE c.principal_id = %(who)s AND c.valid_from <= clock_timestamp()
        AND (c.valid_to IS NULL OR c.valid_to > clock_timestamp())
    UNION ALL
    SELECT 'opened', g.patient_id FROM break_glass_grant g
    WHERE g.principal_id = %(who)s AND g.expires_at > clock_timestamp()
    UNION ALL
    SELECT CASE p.relation WHEN 'self' THEN 'patient' ELSE 'third_party' END, p.patient_id
    FROM portal_link p LEFT JOIN consent c USING (consent_id)
    WHERE p.principal_id = %(who)s AND p.valid_from <= clock_timestamp()
        AND (p.valid_to IS NULL OR p.valid_to > clock_timestamp())
        AND (c.consent_id IS NULL OR (c.state = 'given' AND c.effective_on <= current_date
            AND coalesce(c.expires_on >= current_date, true)
            AND NOT EXISTS (SELECT 1 FROM consent later
                WHERE later.patient_id = c.patient_id AND later.kind = c.kind AND later.state <> 'given'
                AND later.effective_on <= current_date
                AND (later.effective_on, later.created_at) > (c.effective_on, c.created_at))))
) known
LEFT JOIN person_member member ON member.patient_id = known.patient_id AND member.valid_to IS NULL
LEFT JOIN person_member same ON same.person_id = member.person_id AND same.valid_to IS NULL
"""
"""Who treats a person, opened their chart in an emergency, or sees it in the portal, does so whichever of their records
they came by. What somebody else sees in the portal ends with the consent it stands on."""

STAFF_ROLES: Final = tuple(role for role in PERMISSIONS if role not in ("patient", "third_party"))


def access_of(connection: psycopg.Connection[Any], principal: Principal) -> Access:
    """Return what a principal may do now; an administrator of the installation holds every role of the staff.

    One statement: roles that are valid, with the locations that share charts with theirs, care teams, broken glass,
    and the patients a portal shows them.
    """
    rows = connection.execute(_HELD, {"who": principal.principal_id}).fetchall()
    grants = [_grant(what, *rest) for what, *rest in rows if what in PERMISSIONS]
    if principal.is_administrator:
        grants += [Grant(role) for role in STAFF_ROLES]
    return Access(
        principal.principal_id,
        principal.name,
        tuple(grants),
        care_team_of=frozenset(patient_id for what, _, patient_id, _ in rows if what == "treats"),
        broken_glass=frozenset(patient_id for what, _, patient_id, _ in rows if what == "opened"),
        actions=principal.actions,
    )


def _grant(role: Role, locations: list[str] | None, patient_id: UUID | None, programme: str | None) -> Grant:
    """Return a grant; of a role in a place that no longer is, one that reaches nothing."""
    if patient_id is not None:
        return Grant(role, frozenset(), frozenset({patient_id}))
    reached = None if locations is None else frozenset(locations)
    return Grant(role, reached, programmes=frozenset([programme] if programme else []))


def staff(session: Session) -> list[Staff]:
    """Return everybody who works here, by name."""
    return list(session.scalars(select(Staff).order_by(Staff.family, Staff.given)))


def roles(session: Session, principal_id: UUID) -> list[RoleAssignment]:
    """Return the roles somebody holds, held or will hold, the earliest first."""
    query = select(RoleAssignment).where(RoleAssignment.principal_id == principal_id)
    return list(session.scalars(query.order_by(RoleAssignment.valid_from, RoleAssignment.assignment_id)))


def get_role(session: Session, assignment_id: UUID) -> RoleAssignment:
    """Return a role somebody was given.

    Raises:
        NotFoundError: if there is none.
    """
    return get(session, RoleAssignment, assignment_id, "role")


def roles_of_all(session: Session, moment: datetime) -> dict[UUID, list[RoleAssignment]]:
    """Return by person the roles held at a moment, or later."""
    query = select(RoleAssignment).where(or_(RoleAssignment.valid_to.is_(None), RoleAssignment.valid_to > moment))
    held: dict[UUID, list[RoleAssignment]] = {}
    for row in session.scalars(query.order_by(RoleAssignment.valid_from, RoleAssignment.assignment_id)):
        held.setdefault(row.principal_id, []).append(row)
    return held


def supervisors(session: Session, principal_id: UUID) -> set[UUID]:
    """Return somebody with all who supervise them, directly or through others."""
    found: set[UUID] = set()
    next_id: UUID | None = principal_id
    while next_id is not None and next_id not in found:
        found.add(next_id)
        row = session.get(Staff, next_id)
        next_id = None if row is None else row.supervisor_id
    return found


def is_treating(session: Session, principal_id: UUID, patient_id: UUID, moment: datetime) -> bool:
    """Return whether somebody is of a patient's care team at a moment."""
    member = CareTeamMember
    query = select(member.member_id).where(
        member.principal_id == principal_id,
        member.patient_id == patient_id,
        member.valid_from <= moment,
        or_(member.valid_to.is_(None), member.valid_to > moment),
    )
    return session.scalars(query.limit(1)).first() is not None


def open_glass(session: Session, principal_id: UUID, moment: datetime) -> list[BrokenGlass]:
    """Return the charts somebody holds open at a moment, the latest opened first."""
    query = select(BrokenGlass).where(BrokenGlass.principal_id == principal_id, BrokenGlass.expires_at > moment)
    return list(session.scalars(query.order_by(BrokenGlass.granted_at.desc())))


def unreviewed_glass(session: Session) -> list[BrokenGlass]:
    """Return the opened charts nobody has looked at yet, the oldest first."""
    query = select(BrokenGlass).where(BrokenGlass.reviewed_at.is_(None))
    return list(session.scalars(query.order_by(BrokenGlass.granted_at)))
