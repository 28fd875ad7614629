"""The one decision: may this principal do this, to whose data, where? Deny by default.

    role x action x location x care team x sensitivity

Roles are given for a location and a time; what a role may do is the table `PERMISSIONS`, and nothing else grants
anything. API, pages, dashboards, listeners and exports all ask `decide`; lists and totals ask `scope_of` and filter in
SQL, so that what may not be opened is neither shown nor counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, get_args
from uuid import UUID

Role: TypeAlias = Literal[
    "administrator",
    "manager",
    "front_desk",
    "medical_assistant",
    "clinician",
    "biller",
    "analyst",
    "privacy_officer",
    "patient",
    "third_party",
    "interface",
]

Action: TypeAlias = Literal[
    "organisation.read",
    "organisation.write",
    "user.read",
    "user.write",
    "audit.read",
    "disclosure.read",
    "disclosure.write",
    "sensitivity.write",
    "patient.read",
    "patient.write",
    "patient.merge",
    "coverage.read",
    "coverage.write",
    "eligibility.check",
    "schedule.read",
    "schedule.write",
    "appointment.write",
    "appointment.override",
    "chart.read",
    "chart.write",
    "glass.break",
    "glass.review",
    "billing.read",
    "billing.write",
    "report.read",
    "export.run",
    "feed.read",
    "message.write",
]

ACTIONS: Final[tuple[Action, ...]] = get_args(Action)
"""Everything there is to decide about."""

_DESK: Final = frozenset[Action](
    {
        "organisation.read",
        "patient.read",
        "patient.write",
        "coverage.read",
        "coverage.write",
        "eligibility.check",
        "schedule.read",
        "appointment.write",
    }
)

PERMISSIONS: Final[Mapping[Role, frozenset[Action]]] = {
    "administrator": frozenset(
        {
            "organisation.read",
            "organisation.write",
            "user.read",
            "user.write",
            "audit.read",
            "feed.read",
            "schedule.read",
            "schedule.write",
        }
    ),
    "manager": _DESK
    | {"schedule.write", "appointment.override", "billing.read", "report.read", "export.run", "feed.read", "user.read"},
    "front_desk": _DESK,
    "medical_assistant": _DESK | {"chart.read", "glass.break"},
    "clinician": _DESK
    | {"appointment.override", "chart.read", "chart.write", "glass.break", "report.read", "sensitivity.write"},
    "biller": frozenset(
        {
            "organisation.read",
            "patient.read",
            "coverage.read",
            "coverage.write",
            "eligibility.check",
            "schedule.read",
            "billing.read",
            "billing.write",
            "report.read",
            "export.run",
        }
    ),
    "analyst": frozenset({"organisation.read", "report.read", "export.run", "feed.read"}),
    "privacy_officer": frozenset(
        {
            "organisation.read",
            "user.read",
            "audit.read",
            "disclosure.read",
            "disclosure.write",
            "sensitivity.write",
            "glass.review",
            "patient.read",
            "patient.merge",
        }
    ),
    "patient": frozenset({"patient.read", "coverage.read", "schedule.read", "chart.read", "disclosure.read"}),
    "third_party": frozenset({"patient.read", "chart.read"}),
    "interface": frozenset({"message.write"}),
}
"""What each role may do, where it is held. An administrator runs the house and sees no chart."""

NEEDS_CARE_TEAM: Final = frozenset({"42cfr2", "psychotherapy", "restricted"})
"""Records only those who treat the patient may read: 42 CFR 2.12 and 2.31, 45 CFR 164.508(a)(2) and 164.522(a)."""
OF_A_PROGRAMME: Final = "42cfr2"
"""Records that a programme's own people share among themselves (42 CFR 2.12(c)(3))."""
NEVER_BY_GLASS: Final = frozenset({"psychotherapy"})
"""Records that no emergency opens: psychotherapy notes need an authorization (45 CFR 164.508(a)(2))."""
HIDDEN_FROM_OTHERS: Final = frozenset({"minor"})
"""Care a minor may seek alone; whoever acts for the minor does not see it."""

_ABOUT_CHARTS: Final = frozenset[Action]({"chart.read", "chart.write"})
_OF_ONES_OWN: Final = frozenset[Role]({"patient", "third_party"})


@dataclass(frozen=True, slots=True)
class Grant:
    """A role, and the keys of the locations where it is held now; None is the whole group."""

    role: Role
    locations: frozenset[str] | None = None
    patient_ids: frozenset[UUID] = frozenset()
    """Whose data, for patients and third parties; they reach nobody else's."""
    programmes: frozenset[str] = frozenset()
    """Which of the locations are programmes under 42 CFR Part 2; those that only share charts with one are not."""


@dataclass(frozen=True, slots=True)
class Access:
    """Everything a decision needs to know of a principal, as it is at this request."""

    principal_id: UUID
    name: str
    grants: tuple[Grant, ...]
    care_team_of: frozenset[UUID] = frozenset()
    """Patients whom they treat."""
    broken_glass: frozenset[UUID] = frozenset()
    """Patients whose chart they opened in an emergency, with a reason, not long ago."""
    actions: frozenset[str] | None = None
    """What the token they came by is limited to, of what their roles allow; None is all of it."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What an action is about."""

    locations: frozenset[str] | None = None
    """Keys of the locations that own the data, or where the patient is known; None: no location owns it."""
    patient_id: UUID | None = None
    sensitivity: str | None = None
    owner: str | None = None
    """Key of the location whose record it is; of a sensitive one, that matters."""


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer, and why."""

    is_allowed: bool
    reason: str = ""
    is_breakable: bool = False
    """Whether breaking the glass would open it."""


ALLOWED: Final = Decision(True)
NOTHING: Final = Subject()


def holds(access: Access, action: Action) -> bool:
    """Return whether a principal may do something at all, somewhere or to somebody."""
    return bool(_allowing(access, action))


def is_of_portal(access: Access) -> bool:
    """Return whether somebody holds roles of the portal only: a patient, or whom a patient lets see their record."""
    return bool(access.grants) and all(grant.role in _OF_ONES_OWN for grant in access.grants)


def decide(access: Access, action: Action, subject: Subject = NOTHING) -> Decision:
    """Return whether a principal may do something, and if not, why not."""
    grants = _allowing(access, action)
    if not grants:
        return Decision(False, "no role of yours allows this")
    if _is_open_in_an_emergency(access, action, subject):
        return ALLOWED
    reaching = [grant for grant in grants if _reaches(grant, subject)]
    if not reaching:
        return Decision(False, "no role of yours reaches this", is_breakable=_can_break(access, action, subject))
    if subject.sensitivity in HIDDEN_FROM_OTHERS and all(grant.role == "third_party" for grant in reaching):
        return Decision(False, "this care is confidential")
    if subject.sensitivity in NEEDS_CARE_TEAM and not _treats(access, reaching, subject):
        return Decision(False, "only those who treat the patient", is_breakable=_can_break(access, action, subject))
    return ALLOWED


def visible_locations(access: Access, action: Action) -> frozenset[str] | None:
    """Return the locations whose data a list may show and a total may count; None is all of them."""
    return scope_of(access, action).locations


@dataclass(frozen=True, slots=True)
class Scope:
    """What a list may show: `decide`, said of all records at once, for a filter in SQL."""

    locations: frozenset[str] | None
    """Where the roles of the staff reach; None is everywhere."""
    is_staff: bool
    """Whether there is any such role; then what no location owns is reached too."""
    own: frozenset[UUID] = frozenset()
    """Patients who look at their own data."""
    entrusted: frozenset[UUID] = frozenset()
    """Patients whose data somebody else may see; not what is hidden from others."""
    treated: frozenset[UUID] = frozenset()
    """Patients whose records that only those who treat them may read are shown, where they are reached."""
    programmes: frozenset[str] = frozenset()
    """Programmes whose own records are shown, where they are reached."""
    opened: frozenset[UUID] = frozenset()
    """Patients whose charts an emergency opened."""


def scope_of(access: Access, *actions: Action) -> Scope:
    """Return what a list may show to whoever may do one of these actions."""
    grants = _allowing(access, *actions)
    staff = [grant for grant in grants if grant.role not in _OF_ONES_OWN]
    reached = [grant.locations for grant in staff if grant.locations is not None]
    can_open = any(action in _ABOUT_CHARTS and holds(access, action) for action in actions)
    return Scope(
        locations=frozenset[str]().union(*reached) if len(reached) == len(staff) else None,
        is_staff=bool(staff),
        own=_patients(grants, "patient"),
        entrusted=_patients(grants, "third_party"),
        treated=access.care_team_of,
        programmes=frozenset[str]().union(*(grant.programmes for grant in staff)),
        opened=access.broken_glass if can_open and holds(access, "glass.break") else frozenset(),
    )


def _allowing(access: Access, *actions: Action) -> list[Grant]:
    """Return the roles that allow one of these actions to somebody who came in as they did."""
    within = [action for action in actions if access.actions is None or action in access.actions]
    return [grant for grant in access.grants if not PERMISSIONS[grant.role].isdisjoint(within)]


def _patients(grants: list[Grant], role: Role) -> frozenset[UUID]:
    return frozenset[UUID]().union(*(grant.patient_ids for grant in grants if grant.role == role))


def _is_open_in_an_emergency(access: Access, action: Action, subject: Subject) -> bool:
    """Return whether this principal broke the glass for it, and still holds a role that may."""
    is_open = subject.patient_id in access.broken_glass and holds(access, "glass.break")
    return is_open and action in _ABOUT_CHARTS and subject.sensitivity not in NEVER_BY_GLASS


def _reaches(grant: Grant, subject: Subject) -> bool:
    if grant.role in _OF_ONES_OWN:
        return subject.patient_id is not None and subject.patient_id in grant.patient_ids
    if grant.locations is None or subject.locations is None:
        return True
    return not grant.locations.isdisjoint(subject.locations)


def _treats(access: Access, grants: list[Grant], subject: Subject) -> bool:
    """Return whether it is their own, they treat the patient, or they work in the programme whose record it is.

    Nobody treats a patient by a role that the patient's trust gives: what is stricter than what is hidden from such
    roles would be open to them.
    """
    if subject.sensitivity == OF_A_PROGRAMME and any(subject.owner in grant.programmes for grant in grants):
        return True
    is_own = any(grant.role == "patient" and _reaches(grant, subject) for grant in grants)
    is_staff = any(grant.role not in _OF_ONES_OWN for grant in grants)
    return is_own or (is_staff and subject.patient_id in access.care_team_of)


def _can_break(access: Access, action: Action, subject: Subject) -> bool:
    """Return whether this principal could open it in an emergency."""
    if subject.patient_id is None or action not in _ABOUT_CHARTS or subject.sensitivity in NEVER_BY_GLASS:
        return False
    return holds(access, "glass.break")
