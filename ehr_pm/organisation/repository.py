"""Finding rows of the organisation."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from ehr_pm.organisation.models import ChartGroup, Department, Location, Organization, Payer, Room
from hub_core.errors import NotFoundError


def location_by_key(session: Session, key: str) -> Location:
    """Return the location that feeds and the record call `key`.

    Raises:
        NotFoundError: if there is none.
    """
    row = session.scalars(select(Location).where(Location.key == key)).one_or_none()
    if row is None:
        raise NotFoundError("there is no such location")
    return row


def locations(session: Session, *, only_active: bool = True) -> list[Location]:
    """Return the locations by name, with their hours."""
    query = select(Location).options(selectinload(Location.hours)).order_by(Location.name)
    return list(session.scalars(query.where(Location.is_active) if only_active else query))


def rooms(session: Session, location_id: UUID) -> list[Room]:
    """Return the rooms and devices of a location that can be booked, by name."""
    query = select(Room).where(Room.location_id == location_id, Room.is_active).order_by(Room.name)
    return list(session.scalars(query))


def departments(session: Session, location_id: UUID) -> list[Department]:
    """Return the departments of a location, by name."""
    query = select(Department).where(Department.location_id == location_id, Department.is_active)
    return list(session.scalars(query.order_by(Department.name)))


def organizations(session: Session) -> list[Organization]:
    """Return the legal bodies of the group, by name."""
    return list(session.scalars(select(Organization).where(Organization.is_active).order_by(Organization.name)))


def chart_groups(session: Session) -> list[ChartGroup]:
    """Return the groups of locations that share charts, by name."""
    return list(session.scalars(select(ChartGroup).order_by(ChartGroup.name)))


def payers(session: Session) -> list[Payer]:
    """Return the payers in use, by name."""
    return list(session.scalars(select(Payer).where(Payer.is_active).order_by(Payer.name)))
