"""A legacy EHR: writes its ADT and SIU, and the house takes them in as it takes any feed."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, time, timedelta
from uuid import UUID
from zlib import crc32

from connectors.connector import Origin
from connectors.hl7v2.connector import HL7v2Connector
from ehr_pm.acts import act
from ehr_pm.organisation import ownership
from ehr_pm.organisation.models import Location
from ehr_pm.organisation.schemas import Masters
from ehr_pm.record import changes
from ehr_pm.rows import get
from ehr_pm.scheduling import setup
from ehr_pm.scheduling.schemas import NewBookable
from hub_core.fhir.ids import derived_id
from hub_core.messages.arrival import Arrival
from pipelines.installation import Installation
from pipelines.receiving import Receiver
from tests.integration.ehr_pm.clinic import CLERK, MONDAY, NOW, Clinic

SOURCE = "meditech"
ZONE = "America/New_York"


def patient_id(mrn: str) -> UUID:
    return UUID(derived_id(SOURCE, "Patient", f"FAM|{mrn}"))


def visit_id(number: str) -> UUID:
    return UUID(derived_id(SOURCE, "Appointment", f"FAM|{number}"))


def adt(event: str, mrn: str, family: str = "Okafor", *, minute: int = 0, into: str = "", **more: str) -> str:
    """Return an ADT message; `into` is who survives a merge of `mrn`."""
    born, street = more.get("born", "19800402"), more.get("street", "12 Elm Street")
    who = into or mrn
    lines = [
        _header(f"ADT^{event}", minute, f"{event}{mrn}{into}{family}{minute}{street}"),
        f"PID|1||{who}^^^FAM^MR~9{who}^^^PLAN^PI||{family}^Ada^B||{born}|F|||{street}^^Fairhaven^MO^63999||555-{who:0>4}",
        f"MRG|{mrn}^^^FAM^MR" if into else "PV1|1|O",
    ]
    return "\r".join(lines) + "\r"


def siu(event: str, number: str, mrn: str, start: datetime | None, *, minute: int = 0, **more: str) -> str:
    """Return an SIU message about a visit of half an hour at a wall time of the location."""
    clinician, room, status = more.get("clinician", "D1"), more.get("room", ""), more.get("status", "Booked")
    when = "" if start is None else f"^^M30^{start:%Y%m%d%H%M}"
    lines = [
        _header(f"SIU^{event}", minute, f"{event}{number}{mrn}{start}{minute}{status}"),
        f"SCH|{number}^FAM|{number}^FAM||||PT^Patient cannot come|ROUTINE|follow-up^Follow-up|30|min|{when}"
        f"||||||||||||||{status}",
        f"PID|1||{mrn}^^^FAM^MR~9{mrn}^^^PLAN^PI||Okafor^Ada^B||19800402|F",
        "AIS|1||follow-up^Follow-up",
        f"AIP|1||{clinician}^Ito^Ken^^^^^^FAM",
        *([f"AIL|1||{room}^^^FAM"] if room else []),
    ]
    return "\r".join(lines) + "\r"


def _header(kind: str, minute: int, control: str) -> str:
    at = f"202603011{2 + minute // 60}{minute % 60:02}00"
    return f"MSH|^~\\&|EHR|FAM|HUB|GRP|{at}||{kind}|{crc32(control.encode()):x}|P|2.5.1\rEVN|A|{at}"


def send(installation: Installation, texts: Iterable[str], *, location: str | None = "northgate") -> None:
    """Take messages in, apply them, and number what was written."""
    connector = HL7v2Connector()
    for text in texts:
        body = text.encode()
        envelope = connector.envelope(body, Origin(SOURCE, location, ZONE))
        installation.store.take(
            [
                Arrival(
                    SOURCE, SOURCE, "hl7v2", envelope.kind, body,
                    location=location, zone=ZONE, control_id=envelope.control_id, keys=envelope.keys,
                )
            ]
        )  # fmt: skip
    for _ in installation.worker().drain():
        pass
    with installation.database.begin() as unit:
        changes.seal(unit.driver)


def receive(installation: Installation, *texts: str, location: str | None = "northgate") -> None:
    """Take messages in, one by one, and let the receiver see them."""
    send(installation, texts, location=location)
    Receiver(installation).tick()


def hand_over(installation: Installation, clinic: Clinic, *, flow_is_ours: bool = False, schedule: bool = True) -> None:
    """Make the legacy EHR master of patients, and of the schedule, at the clinic's location."""
    told = Masters(patients_from=SOURCE, schedule_from=SOURCE if schedule else None, flow_is_ours=flow_is_ours)
    with act(installation.database, CLERK, moment=NOW) as doing:
        ownership.set_masters(doing, get(doing.session, Location, clinic.location_id, "location"), told)


def add_clinician(installation: Installation, clinic: Clinic, number: str = "D1", *, lanes: int = 1) -> UUID:
    """Let a clinician of the legacy EHR be booked at the clinic's location."""
    subject_id = UUID(derived_id(SOURCE, "Practitioner", f"FAM|{number}"))
    told = NewBookable(
        location_id=clinic.location_id, kind="practitioner", subject_id=subject_id, name=f"Dr {number}", lanes=lanes
    )
    with act(installation.database, CLERK, moment=NOW) as doing:
        return setup.add_bookable(doing, told).bookable_id


def at(day: int, hour: int, minute: int = 0) -> datetime:
    """Return a wall time so many days after Monday."""
    return datetime.combine(MONDAY + timedelta(days=day), time(hour, minute))
