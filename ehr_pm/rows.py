"""What every row of the practice has: an id born here, who wrote it, and a version by which others are noticed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeVar, cast
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, Text, inspect
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, declared_attr, mapped_column
from sqlalchemy.orm.attributes import instance_dict, instance_state

from hub_core.errors import NotFoundError
from hub_core.fhir.ids import new_id

T = TypeVar("T", bound="Row")


class Row(DeclarativeBase):
    """Base of all tables of the practice. The tables themselves are made by migrations."""

    type_annotation_map = {  # noqa: RUF012 - read once by SQLAlchemy
        str: Text,
        datetime: DateTime(timezone=True),
        int: BigInteger,
        dict[str, Any]: JSONB,
    }


class Kept:
    """Columns of rows that people change: two who change the same version at once are told (ConflictError)."""

    created_at: Mapped[datetime]
    created_by: Mapped[UUID | None]
    changed_at: Mapped[datetime]
    changed_by: Mapped[UUID | None]
    version: Mapped[int]

    @declared_attr.directive
    def __mapper_args__(cls) -> dict[str, Any]:  # noqa: N805 - SQLAlchemy calls it with the class
        """Count the version up with every change, and refuse to change one that is no longer there."""
        return {"version_id_col": cls.version}


def key() -> Mapped[UUID]:
    """Return the column of a primary key that is born with the row (UUIDv7)."""
    return mapped_column(primary_key=True, default=new_id)


def get(session: Session, kind: type[T], row_id: UUID, name: str) -> T:
    """Return a row by its id.

    Raises:
        NotFoundError: if there is none; `name` is what a person calls it.
    """
    row = session.get(kind, row_id)
    if row is None:
        raise NotFoundError(f"there is no such {name}")
    return row


def loaded(session: Session, kind: type[T], values: Mapping[str, Any]) -> T:
    """Return the row of these columns, all that its table has, as if the session had read it.

    It is put down as the mapper puts down what it reads. Set one by one, each column would be noted as a change.
    """
    mapper = inspect(kind)
    key: Any = mapper.identity_key_from_primary_key(tuple(values[str(each.key)] for each in mapper.primary_key))
    known = session.identity_map.get(key)
    if known is not None:
        return cast("T", known)
    row = cast("T", mapper.class_manager.new_instance())
    instance_dict(row).update(values)
    state = instance_state(row)
    state.key, state.session_id = key, session.hash_key
    session.identity_map.add(state)
    return row
