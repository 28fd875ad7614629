"""OBX-5 by its type in OBX-2 (chapter 2A) to the value of an Observation; numbers keep their digits."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from typing import Final

from connectors.hl7v2.concepts import system
from connectors.hl7v2.conversion import Conversion, said
from connectors.hl7v2.timestamps import time_of_day
from connectors.hl7v2.tokenizer import Composite, Segment
from hub_core.fhir.canonical import Json, Lexeme

_NUMBER: Final = re.compile(r"([+-]?)(\d{0,20})(?:\.(\d{0,20}))?(?:[eE]([+-]?\d{1,3}))?\Z", re.ASCII)
_COMPARED: Final = re.compile(r"(<=|>=|<|>)\s*(\S+)\Z")
_RANGE: Final = re.compile(r"([+-]?[\d.]+)\s*-\s*([+-]?[\d.]+)\Z")
_ATTACHMENT_EXTENSION: Final = "http://hl7.org/fhir/5.0/StructureDefinition/extension-Observation.value"
"""R4 observations hold no attachment; the cross-version extension does (v2-to-FHIR, OBX[Observation])."""
_CONTENT_TYPES: Final = {
    "PDF": "application/pdf", "HTML": "text/html", "XML": "application/xml", "RTF": "application/rtf",
    "JPEG": "image/jpeg", "JPG": "image/jpeg", "GIF": "image/gif", "TIFF": "image/tiff", "PNG": "image/png",
    "DICOM": "application/dicom", "PLAIN": "text/plain", "TEXT": "text/plain",
}  # fmt: skip
_TEXTS: Final = frozenset(
    {"ST", "TX", "FT", "HD", "EI", "CX", "XCN", "XAD", "XTN", "XPN", "XON", "PL", "MO", "CP", "VR"}
)


def decimal(text: str) -> Lexeme | None:
    """Return the number in `text` digit for digit, as JSON writes numbers; None where it is none."""
    found = _NUMBER.match(text)
    if not found or not (found[2] or found[3]):
        return None
    sign = "-" if found[1] == "-" else ""
    fraction = f".{found[3]}" if found[3] else ""
    exponent = f"e{found[4]}" if found[4] else ""
    return Lexeme(f"{sign}{found[2].lstrip('0') or '0'}{fraction}{exponent}")


def quantity(number: Lexeme, unit: Composite | None, source: str, comparator: str = "") -> Json:
    """Return a Quantity of `number` in the coded unit of OBX-6."""
    result: Json = {"value": number}
    if comparator:
        result["comparator"] = comparator
    if unit:
        code, shown, uri = unit[1], unit.whole(2), system(unit[3], source)
        result |= said(unit=shown or code, system=uri if code else None, code=code if uri else None)
    return result


def observed(obx: Segment, conversion: Conversion) -> Json:
    """Return the value elements of the observation in `obx`: one value, further ones as components, or why none."""
    kind = obx.text(2).upper()
    values = obx.repetitions(5)
    if not values:
        return {}
    if kind in _TEXTS:
        text = "\n".join(part for value in values if (part := value.text))
        return {"valueString": text} if text else {}
    read = _READERS.get(kind, _text)
    found = [read(value, obx, conversion) for value in values]
    found = [each for each in found if each]
    if not found:
        return {}
    if len(found) == 1:
        return found[0]
    code = conversion.concept(obx[3])
    components = [{"code": code, **each} for each in found[1:] if "extension" not in each]
    return {**found[0], "component": components} if components and code else found[0]


def reference_range(obx: Segment, conversion: Conversion) -> list[Json]:
    """Return OBX-7 as text, with its bounds where they are numbers."""
    if not obx.raw(7):
        return []
    words = ("range", obx.raw(7), obx.raw(6))
    return conversion.known(words, lambda: _reference_range(obx[7].text, obx[6], conversion.origin.source))


def _reference_range(text: str, unit: Composite, source: str) -> list[Json]:
    if not text:
        return []
    result: Json = {}
    if found := _RANGE.match(text):
        low, high = decimal(found[1]), decimal(found[2])
        if low is not None and high is not None:
            result = {"low": quantity(low, unit, source), "high": quantity(high, unit, source)}
    elif (found := _COMPARED.match(text)) and (bound := decimal(found[2])) is not None:
        result = {"high" if found[1][0] == "<" else "low": quantity(bound, unit, source)}
    return [{**result, "text": text}]


def _number(value: Composite, obx: Segment, conversion: Conversion) -> Json:
    text = value.text
    comparator = ""
    if found := _COMPARED.match(text):
        comparator, text = found[1], found[2]
    number = decimal(text)
    if number is None:
        conversion.note("warning", "value", "not a number, though OBX-2 says NM; kept as text", obx.place(5))
        return _text(value, obx, conversion)
    return {"valueQuantity": quantity(number, obx[6], conversion.origin.source, comparator)}


def _structured_number(value: Composite, obx: Segment, conversion: Conversion) -> Json:
    """Return an SN: `>^100`, `^1^-^5`, `^1^:^128`; what is neither quantity, range nor ratio stays text."""
    source, unit = conversion.origin.source, obx[6]
    comparator, separator = value[1], value[3]
    low, high = decimal(value[2]), decimal(value[4])
    if comparator in ("", "=", "<", ">", "<=", ">="):
        if separator == "" and low is not None and not value[4]:
            return {"valueQuantity": quantity(low, unit, source, comparator.strip("=") and comparator)}
        if comparator in ("", "=") and low is not None and high is not None:
            if separator == "-":
                return {"valueRange": {"low": quantity(low, unit, source), "high": quantity(high, unit, source)}}
            if separator in ("/", ":"):
                ratio = {"numerator": quantity(low, unit, source), "denominator": quantity(high, unit, source)}
                return {"valueRatio": ratio}
    text = " ".join(part for number in (1, 2, 3, 4) if (part := value[number]))
    return {"valueString": text} if text else {}


def _concept(value: Composite, obx: Segment, conversion: Conversion) -> Json:
    found = conversion.concept(value)
    return {"valueCodeableConcept": found} if found else {}


def _date_time(value: Composite, obx: Segment, conversion: Conversion) -> Json:
    found = conversion.clock.date_time(value[1])
    if found is None:
        conversion.note("warning", "value", "not a date or time; kept as text", obx.place(5))
        return _text(value, obx, conversion)
    return {"valueDateTime": found}


def _time(value: Composite, obx: Segment, conversion: Conversion) -> Json:
    found = time_of_day(value[1])
    return {"valueTime": found} if found else _text(value, obx, conversion)


def _period(value: Composite, obx: Segment, conversion: Conversion) -> Json:
    period = said(start=conversion.clock.date_time(value[1]), end=conversion.clock.date_time(value[2]))
    return {"valuePeriod": period} if period else _text(value, obx, conversion)


def _range(value: Composite, obx: Segment, conversion: Conversion) -> Json:
    source = conversion.origin.source
    low, high = decimal(value[1]), decimal(value[2])
    bounds = said(
        low=quantity(low, obx[6], source) if low is not None else None,
        high=quantity(high, obx[6], source) if high is not None else None,
    )
    return {"valueRange": bounds} if bounds else _text(value, obx, conversion)


def _text(value: Composite, obx: Segment, conversion: Conversion) -> Json:
    return {"valueString": value.text} if value.text else {}


def _encapsulated(value: Composite, obx: Segment, conversion: Conversion) -> Json:
    """Return an ED as an attachment; the bytes are decoded once to be sure of them."""
    subtype, encoding = value[3].upper(), value[4].upper()
    content_type = _CONTENT_TYPES.get(subtype) or _CONTENT_TYPES.get(value[2].upper(), "application/octet-stream")
    data = _base64(value, encoding)
    if data is None:
        conversion.note(
            "warning", "value", "the encapsulated data cannot be decoded; left out", obx.place(5, component=5)
        )
        return {}
    attachment = said(contentType=content_type, data=data, title=obx[3].whole(2))
    return {"extension": [{"url": _ATTACHMENT_EXTENSION, "valueAttachment": attachment}]}


def _base64(value: Composite, encoding: str) -> str | None:
    raw = value.component(5)
    try:
        if encoding == "BASE64":
            data = "".join(value.whole(5).split())
            base64.b64decode(data, validate=True)
            return data
        body = bytes.fromhex(raw) if encoding == "HEX" else value.whole(5).encode()
        return base64.b64encode(body).decode("ascii")
    except (ValueError, binascii.Error):
        return None


def _pointer(value: Composite, obx: Segment, conversion: Conversion) -> Json:
    """Return an RP (reference pointer) as an attachment that lies elsewhere."""
    pointer = value.whole(1)
    if not pointer:
        return {}
    content_type = _CONTENT_TYPES.get(value[4].upper()) or _CONTENT_TYPES.get(value[3].upper())
    attachment = said(contentType=content_type, url=pointer, title=value.whole(2))
    return {"extension": [{"url": _ATTACHMENT_EXTENSION, "valueAttachment": attachment}]}


_READERS: Final[dict[str, Callable[[Composite, Segment, Conversion], Json]]] = {
    "NM": _number,
    "SN": _structured_number,
    "CE": _concept,
    "CF": _concept,
    "CNE": _concept,
    "CWE": _concept,
    "IS": _concept,
    "DT": _date_time,
    "DTM": _date_time,
    "TS": _date_time,
    "TM": _time,
    "DR": _period,
    "NR": _range,
    "ED": _encapsulated,
    "RP": _pointer,
}
