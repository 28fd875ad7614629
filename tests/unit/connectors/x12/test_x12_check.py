"""Checks of structure and elements, one fault at a time in a claim that has none."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.x12.connector import X12Connector
from connectors.x12.structure import has_valid_npi

CLAIM = (Path(__file__).parents[3] / "golden" / "x12" / "claim_subscriber" / "input.edi").read_bytes()


@pytest.mark.parametrize(
    ("found", "instead", "location", "text"),
    [
        (b"DMG*D8*19800214*F", b"DMG*D8*19800230*F", "2010BA DMG02, segment 17", "no date"),
        (b"DMG*D8*19800214*F", b"DMG*D8*19800214*X", "2010BA DMG03, segment 17", "none of F, M, U"),
        (b"SV1*HC:J3301:JZ*30*", b"SV1*HC:J3301:JZ*30,0*", "2400 SV102, segment 35", "not a number"),
        (b"CLM*MC-1001*", b"CLM**", "2300 CLM01, segment 19", "required"),
        (b"REF*EI*123456789~\n", b"", "NM1, segment 8", "segment REF"),
        (b"N4*SPRINGFIELD*IL*627010001~\n", b"", "NM1, segment 8", "segment N4"),
        (b"HL*2*1*22*0", b"HL*2*7*22*0", "2000B HL02, segment 12", "parent"),
        (b"11:B:1*", b"11:B:7*", "2300 CLM05, segment 19", "REF*F8"),
        (b"XX*1205975380", b"XX*1205975381", "2310B NM109, segment 25", "check digit"),
        (b"DTP*472*RD8*20250325-20250326", b"DTP*472*RD8*20250325", "2400 DTP03, segment 36", "RD8"),
        (b"DTP*431*D8*20250320~", b"DTP*431*D8*20250320*9~", "2300 DTP04, segment 20", "4 elements"),
        (b"HC:99214:25", b"HC>99214>25", "2400 SV101, segment 31", "ISA16"),
        (b"REF*D9", b"ZZZ*D9", "ZZZ, segment 21", "no such segment"),
    ],
)
def test_says_what_is_wrong_and_where(found: bytes, instead: bytes, location: str, text: str) -> None:
    body = CLAIM.replace(found, instead, 1)
    assert body != CLAIM
    issues = [issue for issue in X12Connector().check(body) if issue.location == location]
    assert any(text in issue.text for issue in issues), list(X12Connector().check(body))


@pytest.mark.parametrize("npi", ["1234567890", "123456789", "12345678931", "123456789x", ""])
def test_knows_an_npi_by_its_check_digit(npi: str) -> None:
    assert has_valid_npi("1234567893")
    assert not has_valid_npi(npi)
