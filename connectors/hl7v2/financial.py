"""DFT messages: what was charged to a patient's account, what was paid to it, and what was written off."""

from __future__ import annotations

from typing import Final

from connectors.connector import Authority
from connectors.hl7v2.account import Account
from connectors.hl7v2.account_entry import add_entry
from connectors.hl7v2.admission import required_pid
from connectors.hl7v2.charge import add_charge
from connectors.hl7v2.concepts import concept
from connectors.hl7v2.condition import add_condition
from connectors.hl7v2.conversion import Conversion
from connectors.hl7v2.coverage import add_coverage, insurer
from connectors.hl7v2.datatypes import identifier
from connectors.hl7v2.encounter import add_encounter
from connectors.hl7v2.patient import add_patient
from connectors.hl7v2.tokenizer import Segment
from hub_core.fhir.canonical import Json

_ADDERS: Final = {"CG": add_charge, "CD": add_charge, "PY": add_entry, "CO": add_entry, "AJ": add_entry}
"""Transaction type (FT1-6, table 0017) to who states it: charge, credit, payment, co-payment, adjustment."""


def map_transactions(conversion: Conversion) -> None:
    """State what a DFT message says.

    Patient, visit and diagnoses are only mentioned: charges are posted later, with what the billing desk knew of them.

    Raises:
        UnreadableError: if it has no PID, or the PID identifies nobody.
    """
    message = conversion.message
    pid = required_pid(conversion)
    key, patient = add_patient(pid, conversion, Authority.MENTION, message.first("PD1"))
    visit = add_encounter(message.first("PV1"), message.first("PV2"), key, conversion, Authority.MENTION)
    for segment in message.segments:
        if segment.name == "IN1":
            add_coverage(segment, key, conversion)
        elif segment.name == "DG1":
            add_condition(segment, key, visit, conversion, Authority.MENTION)
    account = _account(pid, patient, visit, conversion)
    found = False
    for ft1 in message.all("FT1"):
        found = True
        kind = ft1.text(6).upper()
        if kind in _ADDERS:
            _ADDERS[kind](ft1, kind, account, conversion)
        else:
            conversion.note(
                "error", "code-invalid", "not a code of table 0017; the transaction is left out", ft1.place(6)
            )
    if not found:
        conversion.note("warning", "required", "there is no FT1 segment: no transaction", "FT1")


def _account(pid: Segment, patient: Json, visit: Json | None, conversion: Conversion) -> Account:
    message, source = conversion.message, conversion.origin.source
    in1 = message.first("IN1")
    return Account(
        patient=patient,
        visit=visit,
        number=identifier(pid[18], conversion, kind="AN"),
        diagnoses=[each for dg1 in message.all("DG1") if (each := concept(dg1[3], source)) is not None],
        insurer=insurer(in1, conversion) if in1 else None,
    )
