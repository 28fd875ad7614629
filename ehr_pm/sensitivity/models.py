"""Rows of tags."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Mapped

from ehr_pm.rows import Kept, Row, key


class SensitivityTag(Kept, Row):
    """Somebody's word that all of a patient's records, or one of them, are sensitive; never deleted, only ended."""

    __tablename__ = "sensitivity_tag"

    tag_id: Mapped[UUID] = key()
    patient_id: Mapped[UUID]
    """Of any source: what is sensitive is not only what was written here."""
    resource_type: Mapped[str | None]
    """None: all of the patient's records."""
    resource_id: Mapped[UUID | None]
    kind: Mapped[str]
    reason: Mapped[str]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[UUID | None]
    end_reason: Mapped[str | None]
