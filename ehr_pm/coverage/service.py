"""What can be done with coverages; each function is part of an act."""

from __future__ import annotations

from datetime import date, timedelta

from psycopg.errors import ExclusionViolation
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.exc import IntegrityError

from ehr_pm.acts import Act
from ehr_pm.coverage import fhir
from ehr_pm.coverage.models import Coverage, CoverageCard
from ehr_pm.coverage.schemas import NewCoverage
from ehr_pm.organisation.models import Payer
from ehr_pm.patients.models import Patient
from ehr_pm.rows import get as get_row
from hub_core.errors import ConflictError, TooLargeError, UnreadableError
from hub_core.keyring import Keyring

LARGEST_CARD = 5 * 1024 * 1024
_SIGNATURES = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG\r\n\x1a\n": "image/png"}
_ONE_DAY = timedelta(days=1)


def add(doing: Act, patient: Patient, told: NewCoverage) -> Coverage:
    """Add a coverage.

    Raises:
        NotFoundError: if the payer is not known.
        ConflictError: if another coverage of this rank holds on some of its days.
    """
    get_row(doing.session, Payer, told.payer_id, "payer")
    row = Coverage(
        patient_id=patient.patient_id,
        relationship_=told.relationship,
        valid=_days(told.starts, told.ends),
        **told.model_dump(exclude={"relationship", "starts", "ends"}),
    )
    try:
        doing.add(row)
    except IntegrityError as error:
        raise _explain(error) from error
    doing.session.refresh(row, ["payer"])
    _say(doing, "coverage.add", row, patient)
    return row


def end(doing: Act, coverage: Coverage, patient: Patient, last_day: date) -> None:
    """Note the last day on which a coverage holds.

    Raises:
        ConflictError: if it had not begun by then.
    """
    begins = coverage.valid.lower
    if begins is not None and last_day < begins:
        raise ConflictError("a coverage cannot end before it begins; take it back instead")
    doing.change(coverage, valid=Range(begins, last_day + _ONE_DAY))
    _say(doing, "coverage.end", coverage, patient)


def take_back(doing: Act, coverage: Coverage, patient: Patient) -> None:
    """Note that a coverage was entered by mistake."""
    doing.change(coverage, is_active=False)
    _say(doing, "coverage.take_back", coverage, patient)


def keep_card(doing: Act, coverage: Coverage, patient: Patient, side: str, image: bytes, keyring: Keyring) -> None:
    """Keep an image of a side of the card, sealed; what it is is told by its bytes, not by its name.

    Raises:
        TooLargeError: if it is larger than a card needs.
        UnreadableError: if it is neither JPEG nor PNG.
    """
    if len(image) > LARGEST_CARD:
        raise TooLargeError(len(image), LARGEST_CARD)
    media_type = next((kind for mark, kind in _SIGNATURES.items() if image.startswith(mark)), None)
    if media_type is None:
        raise UnreadableError("an image of a card is JPEG or PNG", code="value")
    row = CoverageCard(
        coverage_id=coverage.coverage_id,
        side=side,
        media_type=media_type,
        image=keyring.seal(image),
        scanned_at=doing.moment,
        scanned_by=doing.actor.principal_id,
    )
    doing.add(row)
    doing.noted(
        "coverage.keep_card",
        resource_type="Coverage",
        resource_id=str(coverage.coverage_id),
        patient_id=patient.patient_id,
        location=patient.home_location.key,
        side=side,
    )


def _days(starts: date, ends: date | None) -> Range[date]:
    return Range(starts, None if ends is None else ends + _ONE_DAY)


def _explain(error: IntegrityError) -> Exception:
    if isinstance(error.orig, ExclusionViolation):
        return ConflictError("another coverage of this rank holds on some of these days; end that one first")
    return error


def _say(doing: Act, action: str, row: Coverage, patient: Patient) -> None:
    doing.done(action, fhir.coverage(row), patient_id=patient.patient_id, location=patient.home_location.key)
