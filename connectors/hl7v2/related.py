"""NK1 to RelatedPerson: next of kin, guardians and contacts of a patient."""

from __future__ import annotations

from connectors.hl7v2.concepts import concept
from connectors.hl7v2.conversion import Conversion, said
from connectors.hl7v2.datatypes import addresses, identifier, names, telecoms
from connectors.hl7v2.parties import folded
from connectors.hl7v2.patient import gender
from connectors.hl7v2.tables import RELATIONSHIP
from connectors.hl7v2.tokenizer import Segment


def add_related_person(nk1: Segment, patient_key: str, conversion: Conversion) -> None:
    """State the person of `nk1`, known by identifier where there is one, else by name and relationship.

    An NK1 that names nobody (an organization, an empty set) states nothing.
    """
    name = names(nk1, 2, 30)
    numbers = [found for value in nk1.repetitions(33) if (found := identifier(value, conversion))]
    if not name and not numbers:
        return
    source = conversion.origin.source
    said_name = folded(" ".join(nk1[2][number] for number in (1, 2, 3)))
    key = numbers[0]["value"] if numbers else f"{said_name}|{nk1.text(3)}"
    relationships = [
        concept(nk1[3], source, table="0063", mapped=RELATIONSHIP),
        concept(nk1[7], source, table="0131"),
    ]
    content = said(
        identifier=numbers,
        active=True,
        patient=conversion.reference("Patient", patient_key),
        relationship=[each for each in relationships if each],
        name=name,
        telecom=[*telecoms(nk1, 5), *telecoms(nk1, 6, "work")],
        gender=gender(nk1, 15, conversion),
        birthDate=conversion.date(nk1, 16),
        address=addresses(nk1, 4, conversion),
        period=said(start=conversion.date(nk1, 8), end=conversion.date(nk1, 9)),
    )
    conversion.add("RelatedPerson", f"{patient_key}|NK1|{key}", content)
