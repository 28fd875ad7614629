"""What the audit trail costs: the same act of eight writers with its events and without them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING
from unittest.mock import patch
from uuid import UUID

from benchmarks.clinic import CLERK, Clinic, at_once, open_clinic
from benchmarks.measuring import Contender, Figure, Work, milliseconds, percentile, rounded, take_turns
from benchmarks.scratch import scratch_installation
from ehr_pm.acts import Act, act
from ehr_pm.patients import repository, service
from ehr_pm.patients.schemas import Contact

if TYPE_CHECKING:
    from pipelines.installation import Installation

_ACTS = 400
_OURS, _SILENT = "wholechart", "the same act without audit"


def measure(scale: float) -> Figure:
    """Return acts per second of eight writers."""
    acts = max(16, int(_ACTS * scale))
    waits: dict[str, list[float]] = {_OURS: [], _SILENT: []}
    with scratch_installation() as installation:
        clinic = open_clinic(installation)
        rates = take_turns(
            {
                _OURS: _contender(installation, clinic, acts, waits[_OURS], is_silent=False),
                _SILENT: _contender(installation, clinic, acts, waits[_SILENT], is_silent=True),
            }
        )
        written = _events(installation)
    assert written == 3 * acts, written
    return Figure(
        benchmark="audit_cost",
        unit="acts per second, 8 writers",
        results=rates.wall,
        input=f"{acts} changes of how a patient is reached, each of another patient",
        notes="One act: rows, FHIR, search index and announcement in one durable transaction; with the audit event, and"
        " with the function that notes it taken out. Events are linked into the chain later, by the sealer.",
        details={
            "times as long with audit": rounded(rates.wall[_SILENT] / rates.wall[_OURS]),
            **{f"p95 ms: {name}": milliseconds(percentile(waits[name], 0.95)) for name in waits},
        },
    )


def _contender(
    installation: Installation, clinic: Clinic, acts: int, waits: list[float], *, is_silent: bool
) -> Contender:
    def work() -> int:
        patients = (clinic.patients[number % len(clinic.patients)] for number in range(acts))
        works = [partial(_change, installation, each, number) for number, each in enumerate(patients)]
        if is_silent:
            with patch.object(Act, "noted", _nothing):
                waits.extend(at_once(works))
        else:
            waits.extend(at_once(works))
        return acts

    def make_ready() -> Work:
        return work

    return make_ready


def _change(installation: Installation, patient_id: UUID, number: int) -> None:
    reached = Contact(kind="mobile", value=f"+1217555{number % 10_000:04}", may_text=number % 2 == 0)
    with act(installation.database, CLERK) as doing:
        service.set_contacts(doing, repository.get(doing.session, patient_id), [reached])


def _nothing(*_: object, **__: object) -> None:
    """Note no event."""


def _events(installation: Installation) -> int:
    with installation.database.begin() as unit:
        query = "SELECT count(*) FROM audit_event WHERE action = 'patient.set_contacts'"
        row = unit.driver.execute(query).fetchone()
    return 0 if row is None else int(row[0])
