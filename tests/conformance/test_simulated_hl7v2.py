"""Other readers of HL7 v2 take what the simulated systems send: python-hl7 word by word, hl7apy as its grammar has it.

hl7apy knows the structures of 2.5.1, their cardinalities, the data types and lengths of fields. Tables it does not look
at, and of an OBX it checks the type that OBX-2 names.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import hl7
import pytest
from hl7apy.consts import VALIDATION_LEVEL
from hl7apy.exceptions import HL7apyException
from hl7apy.parser import parse_message

from pipelines.simulation.simulate import simulate

KINDS = {
    "ADT^A01^ADT_A01", "ADT^A02^ADT_A02", "ADT^A03^ADT_A03", "ADT^A04^ADT_A01", "ADT^A08^ADT_A01", "ADT^A11^ADT_A09",
    "ADT^A28^ADT_A05", "ADT^A31^ADT_A05", "SIU^S12^SIU_S12", "SIU^S13^SIU_S12", "SIU^S14^SIU_S12", "SIU^S15^SIU_S12",
    "SIU^S26^SIU_S12", "ORU^R01^ORU_R01", "VXU^V04^VXU_V04", "DFT^P03^DFT_P03",
}  # fmt: skip
"""Those that a small group sends; merges and discharges taken back are rarer."""
PEOPLE, SEED = 40, 3


def messages(out: Path) -> Iterator[str]:
    """Yield the messages of all files, which are framed as in MLLP."""
    for path in sorted((out / "feeds").glob("*/*.hl7")):
        for frame in path.read_bytes().decode().split("\x0b")[1:]:
            yield frame.removesuffix("\x1c\r")


def is_whole(message: str) -> bool:
    fields = message.split("|", 10)
    return bool(fields[8]) and "\rPID|1||" in message and "\rPID|1|||" not in message


@pytest.fixture(scope="module")
def by_kind(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """Return the messages that are not broken on purpose, by MSH-9."""
    out: Path = tmp_path_factory.mktemp("simulated")
    simulate(PEOPLE, SEED, out)
    found: dict[str, list[str]] = {}
    for message in messages(out):
        if is_whole(message):
            found.setdefault(message.split("|", 10)[8], []).append(message)
    return found


def test_every_kind_of_message_is_sent(by_kind: dict[str, list[str]]) -> None:
    assert by_kind.keys() >= KINDS


def test_python_hl7_reads_and_writes_them_unchanged(by_kind: dict[str, list[str]]) -> None:
    for kind, some in by_kind.items():
        for message in some[:20]:
            read = hl7.parse(message)
            assert str(read).rstrip("\r") == message.rstrip("\r"), kind
            assert read.extract_field("PID", 1, 3, 1, 1), kind


@pytest.mark.parametrize("level", [VALIDATION_LEVEL.TOLERANT, VALIDATION_LEVEL.STRICT], ids=["tolerant", "strict"])
def test_hl7apy_finds_them_valid(by_kind: dict[str, list[str]], level: int) -> None:
    for kind, some in by_kind.items():
        for message in (some[0], some[-1]):
            assert parse_message(message, validation_level=level, find_groups=True).validate(), kind


def test_hl7apy_would_find_a_missing_segment(by_kind: dict[str, list[str]]) -> None:
    whole = by_kind["ADT^A04^ADT_A01"][0]
    without = "\r".join(line for line in whole.split("\r") if not line.startswith("PID"))
    with pytest.raises(HL7apyException):
        parse_message(without, validation_level=VALIDATION_LEVEL.STRICT, find_groups=True).validate()
