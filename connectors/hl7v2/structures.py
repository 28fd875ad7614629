"""What a well-formed message of the known types has: required segments and fields, and the data types of the rest.

The rules are those every version from 2.3 to 2.8 shares (chapters 2, 3, 4, 4A, 6, 7 and 10); what one version requires
and another allows to be left out is not asked for.
"""

from __future__ import annotations

from typing import Final

REQUIRED_SEGMENTS: Final[dict[str, tuple[str, ...]]] = {
    "ADT": ("EVN", "PID"),
    "DFT": ("EVN", "PID", "FT1"),
    "ORU": ("PID", "OBR"),
    "SIU": ("SCH",),
    "VXU": ("PID",),
}
"""Message type to the segments it cannot do without."""

MERGE_EVENTS: Final = frozenset({"A18", "A30", "A34", "A36", "A39", "A40"})
"""Events that also need an MRG."""

REQUIRED_FIELDS: Final[dict[str, tuple[int, ...]]] = {
    "MSH": (9, 10, 11, 12),
    "EVN": (2,),
    "PID": (3, 5),
    "PV1": (2,),
    "MRG": (1,),
    "NK1": (1,),
    "AL1": (1, 3),
    "DG1": (1,),
    "OBR": (4,),
    "OBX": (3, 11),
    "SCH": (6,),
    "RXA": (3, 5, 6),
    "IN1": (1, 3),
    "FT1": (4, 6, 7),
}

FIELD_TYPES: Final[dict[str, dict[int, str]]] = {
    "MSH": {7: "TS"},
    "EVN": {2: "TS", 6: "TS"},
    "PID": {1: "SI", 7: "TS", 25: "NM", 29: "TS"},
    "PV1": {1: "SI", 44: "TS", 45: "TS"},
    "NK1": {1: "SI", 16: "TS"},
    "AL1": {6: "TS"},
    "DG1": {1: "SI", 5: "TS"},
    "IN1": {1: "SI", 12: "TS", 13: "TS"},
    "OBR": {1: "SI", 7: "TS", 8: "TS", 22: "TS"},
    "OBX": {1: "SI", 14: "TS"},
    "NTE": {1: "SI"},
    "FT1": {1: "SI", 4: "TS", 5: "TS", 10: "NM", 11: "NM", 12: "NM"},
    "RXA": {1: "NM", 3: "TS", 4: "TS", 6: "NM", 16: "TS"},
}
"""Fields checked as sequence ids (SI), numbers (NM) and times (TS, DT, DTM)."""

TABLES: Final[dict[str, dict[int, tuple[str, frozenset[str]]]]] = {
    "PID": {8: ("0001", frozenset("AFMNOU"))},
    "OBX": {11: ("0085", frozenset("ABCDFINOPRSUVWX"))},
    "OBR": {25: ("0123", frozenset("ACFIMNOPRSXYZ"))},
    "FT1": {6: ("0017", frozenset({"CG", "CD", "PY", "AJ", "CO"}))},
    "RXA": {20: ("0322", frozenset({"CP", "RE", "NA", "PA"})), 21: ("0323", frozenset("ADUX"))},
}
"""Fields whose codes are HL7's own, with the table."""

VERSIONS: Final = frozenset(
    ("2.1", "2.2", "2.3", "2.3.1", "2.4", "2.5", "2.5.1", "2.6", "2.7", "2.7.1", "2.8", "2.8.1", "2.8.2", "2.9")
)
