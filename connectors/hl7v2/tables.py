"""HL7's code tables as FHIR says them, after the v2-to-FHIR concept maps (HL7 International, 2024).

Where a map leaves a code open and that would lose a meaning, ours is noted beside it. Concept tables map a v2 code to
(system, code, display); code tables map it to a FHIR code.
"""

from __future__ import annotations

from typing import Final, TypeAlias

from hub_core.fhir import systems

Concept: TypeAlias = tuple[str, str, str]

V2: Final = "http://terminology.hl7.org/CodeSystem/v2-"
V3: Final = "http://terminology.hl7.org/CodeSystem/v3-"
NPI_OID: Final = "2.16.840.1.113883.4.6"
SSN_OID: Final = "2.16.840.1.113883.4.1"

CODE_SYSTEMS: Final = {
    "LN": systems.LOINC,
    "LOINC": systems.LOINC,
    "SCT": systems.SNOMED,
    "SNM": systems.SNOMED,
    "SNOMED": systems.SNOMED,
    "SNOMED-CT": systems.SNOMED,
    "SNOMEDCT": systems.SNOMED,
    "I9": systems.ICD9_CM,
    "I9C": systems.ICD9_CM,
    "I9CDX": systems.ICD9_CM,
    "ICD9": systems.ICD9_CM,
    "ICD-9-CM": systems.ICD9_CM,
    "I10": "http://hl7.org/fhir/sid/icd-10",
    "ICD10": "http://hl7.org/fhir/sid/icd-10",
    "ICD-10": "http://hl7.org/fhir/sid/icd-10",
    "I10C": systems.ICD10_CM,
    "ICD10CM": systems.ICD10_CM,
    "ICD-10-CM": systems.ICD10_CM,
    "I10P": systems.ICD10_PCS,
    "C4": systems.CPT,
    "CPT": systems.CPT,
    "CPT4": systems.CPT,
    "HCPCS": systems.HCPCS,
    "CDT": systems.CDT,
    "RXNORM": systems.RXNORM,
    "NDC": systems.NDC,
    "CVX": systems.CVX,
    "MVX": systems.MVX,
    "UCUM": systems.UCUM,
    "NCIT": "http://ncicb.nci.nih.gov/xml/owl/EVS/Thesaurus.owl",
    "CDCREC": systems.RACE_AND_ETHNICITY,
    "UMLS": "http://www.nlm.nih.gov/research/umls",
    "DCM": "http://dicom.nema.org/resources/ontology/DCM",
    "PHINVADS": "urn:oid:2.16.840.1.114222.4.5.274",
    "CDCPHINVS": "urn:oid:2.16.840.1.113883.12.396",
    "NIP001": f"{V2}0441",
    "NIP002": f"{V2}0442",
    "ISO639": "urn:ietf:bcp:47",
    "FIPS5_2": "urn:oid:2.16.840.1.113883.6.92",
}
"""CWE-3, the name of a coding system (table 0396), to its URI."""

GENDER: Final = {"F": "female", "M": "male", "O": "other", "U": "unknown", "A": "other", "N": "other"}

MARITAL_STATUS: Final[dict[str, Concept]] = {
    "A": (f"{V3}MaritalStatus", "L", "Legally Separated"),
    "B": (f"{V3}MaritalStatus", "U", "unmarried"),
    "C": (f"{V3}MaritalStatus", "C", "Common Law"),
    "D": (f"{V3}MaritalStatus", "D", "Divorced"),
    "E": (f"{V3}MaritalStatus", "L", "Legally Separated"),
    "G": (f"{V3}MaritalStatus", "T", "Domestic partner"),
    "I": (f"{V3}MaritalStatus", "I", "Interlocutory"),
    "M": (f"{V3}MaritalStatus", "M", "Married"),
    "N": (f"{V3}MaritalStatus", "A", "Annulled"),
    "O": (systems.NULL_FLAVOR, "OTH", "other"),
    "P": (f"{V3}MaritalStatus", "T", "Domestic partner"),
    "R": (f"{V3}MaritalStatus", "T", "Domestic partner"),
    "S": (f"{V3}MaritalStatus", "S", "Never Married"),
    "T": (systems.NULL_FLAVOR, "NAVU", "not available"),
    "U": (systems.NULL_FLAVOR, "UNK", "unknown"),
    "W": (f"{V3}MaritalStatus", "W", "Widowed"),
}

NAME_USE: Final = {
    "BAD": "old",
    "D": "usual",
    "L": "official",
    "M": "maiden",
    "MSK": "anonymous",
    "N": "nickname",
    "NAV": "temp",
    "NOUSE": "old",  # ours: "no longer to be used"
    "R": "official",
    "S": "anonymous",  # ours: a pseudonym
    "TEMP": "temp",
    "CURRENT": "official",  # ours: HL7 v2.3 as some hospital systems write it
}

ADDRESS_USE: Final = {
    "B": "work", "BA": "old", "BI": "billing", "C": "temp", "H": "home", "HOME": "home", "O": "work", "P": "home",
    "V": "temp",
}  # fmt: skip
"""Table 0190; P (permanent) and V (vacation) are ours."""

ADDRESS_TYPE: Final = {"M": "postal", "SH": "postal"}

TELECOM_USE: Final = {
    "PRN": "home", "ORN": "home", "VHN": "home", "WPN": "work", "PRS": "mobile", "HOME": "home", "WORK": "work",
}  # fmt: skip
"""Table 0201; ORN and VHN (other residence, vacation home) are ours."""

TELECOM_SYSTEM: Final = {
    "PH": "phone",
    "CP": "phone",
    "FX": "fax",
    "BP": "pager",
    "INTERNET": "email",
    "X.400": "email",
    "MD": "other",
    "SAT": "phone",
    "TDD": "other",
    "TTY": "other",
}

RELATIONSHIP: Final[dict[str, Concept]] = {
    "SEL": (f"{V3}RoleCode", "ONESELF", "self"),
    "SPO": (f"{V3}RoleCode", "SPS", "spouse"),
    "DOM": (f"{V3}RoleCode", "SIGOTHR", "significant other"),
    "CHD": (f"{V3}RoleCode", "CHILD", "child"),
    "GCH": (f"{V3}RoleCode", "GRNDCHILD", "grandchild"),
    "NCH": (f"{V3}RoleCode", "NCHILD", "natural child"),
    "SCH": (f"{V3}RoleCode", "STPCHLD", "step child"),
    "FCH": (f"{V3}RoleCode", "CHLDFOST", "foster child"),
    "PAR": (f"{V3}RoleCode", "PRN", "parent"),
    "MTH": (f"{V3}RoleCode", "MTH", "mother"),
    "FTH": (f"{V3}RoleCode", "FTH", "father"),
    "GRP": (f"{V3}RoleCode", "GRPRN", "grandparent"),
    "EXF": (f"{V3}RoleCode", "EXT", "extended family member"),
    "SIB": (f"{V3}RoleCode", "SIB", "sibling"),
    "BRO": (f"{V3}RoleCode", "BRO", "brother"),
    "SIS": (f"{V3}RoleCode", "SIS", "sister"),
    "FND": (f"{V3}RoleCode", "FRND", "unrelated friend"),
    "EMR": (f"{V2}0131", "E", "Employer"),
    "EMC": (f"{V2}0131", "C", "Emergency Contact"),
    "UNK": (f"{V2}0131", "U", "Unknown"),
    "OTH": (f"{V2}0131", "O", "Other"),
}

SUBSCRIBER_RELATIONSHIP: Final = {
    "SEL": "self", "18": "self", "SELF": "self", "SPO": "spouse", "01": "spouse", "CHD": "child", "19": "child",
    "NCH": "child", "SCH": "child", "PAR": "parent", "DOM": "common", "OTH": "other",
}  # fmt: skip
"""IN1-17 to FHIR's subscriber-relationship codes; X12 numbers are met in the field."""

ENCOUNTER_CLASS: Final[dict[str, Concept]] = {
    "E": (f"{V3}ActCode", "EMER", "emergency"),
    "I": (f"{V3}ActCode", "IMP", "inpatient encounter"),
    "O": (f"{V3}ActCode", "AMB", "ambulatory"),
    "P": (f"{V3}ActCode", "PRENC", "pre-admission"),
}

PATIENT_CLASS: Final = {
    "B": "obstetrics",
    "C": "commercial account",
    "N": "not applicable",
    "R": "recurring patient",
    "U": "unknown",
}
"""Our labels for the patient classes of v2 table 0004 that have no encounter class."""

ENCOUNTER_STATUS: Final = {
    "A01": "in-progress",
    "A02": "in-progress",
    "A03": "finished",
    "A04": "in-progress",  # ours: the patient is here; HL7's map says planned
    "A05": "planned",
    "A06": "in-progress",
    "A07": "in-progress",
    "A09": "in-progress",
    "A10": "in-progress",
    "A11": "cancelled",
    "A12": "in-progress",
    "A13": "in-progress",
    "A14": "planned",
    "A15": "in-progress",
    "A16": "in-progress",
    "A21": "onleave",
    "A22": "in-progress",
    "A23": "entered-in-error",  # ours: what is deleted of a patient's record is the visit
    "A25": "in-progress",
    "A26": "in-progress",
    "A27": "cancelled",
    "A38": "cancelled",
    "A52": "in-progress",
    "A53": "onleave",
}
"""Trigger event (table 0003) to Encounter.status; other events leave it to PV1.

An event that takes another one back gives the status before that one: A13 (discharge), A12 (transfer), A52 and A53
(leave of absence and return from it).
"""

NOT_DISCHARGED: Final = frozenset({"A13"})
"""Events after which nobody has left, whatever discharge the segment still shows."""

ENCOUNTER_PARTICIPANTS: Final[tuple[tuple[int, str, str], ...]] = (
    (7, "ATND", "attender"),
    (8, "REF", "referrer"),
    (9, "CON", "consultant"),
    (17, "ADM", "admitter"),
    (52, "PART", "Participation"),
)
"""PV1 fields naming people, with their code in v3-ParticipationType."""

OBSERVATION_STATUS: Final = {
    "A": "amended",
    "B": "amended",
    "C": "corrected",
    "D": "entered-in-error",
    "F": "final",
    "I": "registered",
    "N": "cancelled",
    "O": "registered",
    "P": "preliminary",
    "R": "preliminary",
    "S": "preliminary",
    "U": "final",
    "V": "final",
    "W": "entered-in-error",
    "X": "cancelled",
}
"""Table 0085; B, I, N, O, R, S, U and V are ours."""

REPORT_STATUS: Final = {
    "A": "partial",
    "C": "corrected",
    "F": "final",
    "I": "registered",
    "M": "preliminary",
    "N": "registered",
    "O": "registered",
    "P": "preliminary",
    "R": "partial",
    "S": "registered",
    "X": "cancelled",
    "Y": "unknown",
    "Z": "unknown",
}
"""Table 0123; A, M, N, Y and Z are ours."""

INTERPRETATION: Final = {
    "<": "Off scale low", ">": "Off scale high", "A": "Abnormal", "AA": "Critical abnormal", "B": "Better",
    "CAR": "Carrier", "D": "Significant change down", "DET": "Detected", "E": "Equivocal", "EX": "outside threshold",
    "EXP": "Expected", "H": "High", "HH": "Critical high", "HU": "Significantly high", "I": "Intermediate",
    "IE": "Insufficient evidence", "IND": "Indeterminate", "L": "Low", "LL": "Critical low", "LU": "Significantly low",
    "N": "Normal", "NCL": "No CLSI defined breakpoint", "ND": "Not detected", "NEG": "Negative", "NR": "Non-reactive",
    "NS": "Non-susceptible", "POS": "Positive", "R": "Resistant", "RR": "Reactive", "S": "Susceptible",
    "SDD": "Susceptible-dose dependent", "SYN-R": "Synergy - resistant", "SYN-S": "Synergy - susceptible",
    "U": "Significant change up", "UNE": "Unexpected", "W": "Worse", "WR": "Weakly reactive",
}  # fmt: skip
"""Table 0078 codes that are the same in v3-ObservationInterpretation, with their displays."""

LAB_SECTIONS: Final = frozenset(
    {
        "LAB",
        "BG",
        "BLB",
        "CH",
        "CUS",
        "CTH",
        "HM",
        "ICU",
        "IMM",
        "MB",
        "MCB",
        "MYC",
        "SP",
        "SR",
        "TX",
        "VR",
        "CG",
        "PAT",
    }
)
IMAGING_SECTIONS: Final = frozenset(
    {"RAD", "CT", "MR", "NMR", "NMS", "US", "VUS", "OUS", "RX", "XRC", "DX", "IMG", "MA"}
)
"""OBR-24 (table 0074) that make an observation a laboratory or an imaging one."""

ORDER_STATUS: Final = {
    "CA": "revoked", "CM": "completed", "DC": "revoked", "ER": "entered-in-error", "HD": "on-hold", "IP": "active",
    "RP": "revoked", "SC": "active", "A": "active",
}  # fmt: skip
"""ORC-5, table 0038."""

APPOINTMENT_STATUS: Final = {
    "PENDING": "pending", "WAITLIST": "waitlist", "BOOKED": "booked", "STARTED": "checked-in", "COMPLETE": "fulfilled",
    "CANCELLED": "cancelled", "CANCELED": "cancelled", "DELETED": "entered-in-error", "NOSHOW": "noshow",
    "NO SHOW": "noshow", "DISCONTINUED": "cancelled", "BLOCKED": "pending", "OVERBOOK": "booked", "ARRIVED": "arrived",
}  # fmt: skip
"""SCH-25, table 0278 in capitals; discontinued, blocked and overbook are ours."""

APPOINTMENT_EVENT_STATUS: Final = {"S15": "cancelled", "S16": "cancelled", "S17": "entered-in-error", "S26": "noshow"}
"""Events that say the status by themselves."""

IMMUNIZATION_STATUS: Final = {"CP": "completed", "PA": "completed", "RE": "not-done", "NA": "not-done"}

ALLERGY_CATEGORY: Final = {
    "DA": "medication", "FA": "food", "EA": "environment", "AA": "biologic", "PA": "environment", "LA": "environment",
}  # fmt: skip
ALLERGY_CRITICALITY: Final = {"SV": "high", "MI": "low", "U": "unable-to-assess"}
ALLERGY_SEVERITY: Final = {"SV": "severe", "MO": "moderate", "MI": "mild"}

OMB_RACES: Final = frozenset({"1002-5", "2028-9", "2054-5", "2076-8", "2106-3"})
OMB_ETHNICITIES: Final = frozenset({"2135-2", "2186-5"})
ETHNICITY: Final[dict[str, tuple[str, str]]] = {
    "H": ("2135-2", "Hispanic or Latino"),
    "N": ("2186-5", "Not Hispanic or Latino"),
}
"""Table 0189 to CDC race and ethnicity."""
