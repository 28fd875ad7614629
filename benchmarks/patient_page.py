"""The page and the whole timeline of a patient with a thousand visits, beside the patient's bytes from PostgreSQL."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import date, timedelta
from itertools import repeat
from typing import TYPE_CHECKING
from uuid import UUID

from benchmarks.clinic import CLERK, Clinic, open_clinic
from benchmarks.measuring import Figure
from benchmarks.scratch import Server, administrator_token, free_port, scratch_installation, serving
from benchmarks.wire import Loads, http_exchange, offer
from ehr_pm.acts import act
from ehr_pm.patients import service as registration
from ehr_pm.patients.schemas import NewPatient
from ehr_pm.record.apply import apply
from ehr_pm.record.entry import Entry
from ehr_pm.scheduling import service as schedule
from hub_core.clock import instant, now
from hub_core.feeds import OWN_SOURCE
from hub_core.fhir.canonical import Json
from hub_core.fhir.ids import new_id

if TYPE_CHECKING:
    from datetime import datetime

    from pipelines.installation import Installation

_VISITS, _BOOKED = 1000, 20
_SECONDS = 3.0
_ROUNDS = 3
_OURS, _TIMELINE, _BARE = "wholechart", "wholechart, the whole timeline", "bare Starlette, from PostgreSQL"


def measure(scale: float) -> Figure:
    """Return pages per second over one kept connection."""
    loads = Loads()
    with scratch_installation() as installation, ExitStack() as running:
        patient_id = _fill(installation)
        asked = f"Host: 127.0.0.1\r\nAuthorization: Bearer {administrator_token(installation)}\r\n\r\n"
        hub, bare = _servers(running, installation)
        page = f"/work/patients/{patient_id}"
        ways = {_OURS: (hub, page), _TIMELINE: (hub, f"{page}/chart"), _BARE: (bare, f"/postgres/Patient/{patient_id}")}
        for _ in range(_ROUNDS):
            for name, (server, path) in ways.items():
                request = f"GET {path} HTTP/1.1\r\n{asked}".encode()
                load = offer(server, http_exchange(repeat(request)), connections=1, seconds=_SECONDS * scale)
                loads.add(name, 1, load)
    return Figure(
        benchmark="patient_page",
        unit="pages per second, 1 connection",
        results={name: loads.rate(name, 1) for name in ways},
        input=f"a patient with {_VISITS:,} encounters in the record and {_BOOKED} appointments",
        notes="Access read and decided, rows read, audit durable, page rendered. The bare reader does none of this.",
        details=loads.details(_OURS),
    )


def _fill(installation: Installation) -> UUID:
    """Register a patient with a long history, and return their id."""
    clinic = open_clinic(installation)
    patient_id = _registered(installation, clinic)
    moments = [now() - timedelta(days=7 * number) for number in range(_VISITS)]
    entries = [_encounter(patient_id, moment) for moment in moments]
    with installation.database.begin() as unit:
        apply(unit.driver, entries, is_owner=True)
    return patient_id


def _registered(installation: Installation, clinic: Clinic) -> UUID:
    told = NewPatient(
        family="Longchart",
        given="Ada",
        birth_date=date(1950, 4, 2),
        gender="female",
        home_location_id=clinic.location_id,
    )
    with act(installation.database, CLERK) as doing:
        patient_id = registration.register(doing, told).patient_id
        for number in range(_BOOKED):
            visit = clinic.visit(number * len(clinic.clinicians))
            schedule.book(doing, visit.model_copy(update={"patient_id": patient_id}))
    return patient_id


def _encounter(patient_id: UUID, moment: datetime) -> Entry:
    resource: Json = {
        "resourceType": "Encounter",
        "id": str(new_id()),
        "status": "finished",
        "class": {"code": "AMB", "display": "ambulatory"},
        "subject": {"reference": f"Patient/{patient_id}"},
        "period": {"start": instant(moment)},
    }
    return Entry(resource, OWN_SOURCE, resource["id"], "bench", moment)


def _servers(running: ExitStack, installation: Installation) -> tuple[Server, Server]:
    hub_port, bare_port = free_port(), free_port()
    ours = {"WHOLECHART_DATA_DIR": str(installation.settings.data_dir), "WHOLECHART_API_PORT": str(hub_port)}
    bare = {"BARE_DATABASE": installation.database.conninfo}
    hub = running.enter_context(serving("hub_api.server", port=hub_port, environment=ours))
    reader = serving("benchmarks.baselines.bare_reader", str(bare_port), port=bare_port, environment=bare)
    return hub, running.enter_context(reader)
