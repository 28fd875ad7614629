"""The formats are known by name, recognised by content, and imported only when asked for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from connectors.registry import CONNECTORS, connector, recognise
from hub_core.errors import ConfigurationError

ISA = b"ISA*00*          *00*          *ZZ*SENDER         *ZZ*RECEIVER       *240101*1200*^*00501*000000001*0*P*:~GS*HC"


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b"MSH|^~\\&|A|B|C|D|20240101||ADT^A01|1|P|2.5\r", "hl7v2"),
        (b"\x0bMSH|^~\\&|A|B|C|D|20240101||ADT^A01|1|P|2.5\r", "hl7v2"),
        (ISA, "x12"),
        (b'{"resourceType": "Patient"}', "fhir"),
        (b'\xef\xbb\xbf{\n  "resourceType": "Bundle"', "fhir"),
    ],
)
def test_each_format_is_recognised_by_its_own_connector_alone(head: bytes, name: str) -> None:
    assert [each.format for each in CONNECTORS.values() if each.recognises(head)] == [name]
    found = recognise(head)
    assert found is not None
    assert found.format == name


@pytest.mark.parametrize("head", [b"", b" \n", b"Dear colleague", b"\x89PNG\r\n\x1a\n", b"a,b,c\n1,2,3\n", b"[1]"])
def test_other_content_is_no_format(head: bytes) -> None:
    assert recognise(head) is None


def test_a_connector_is_found_by_name_and_made_once() -> None:
    assert connector("fhir") is CONNECTORS["fhir"]
    assert {name: found.format for name, found in CONNECTORS.items()} == {name: name for name in CONNECTORS}
    assert len(CONNECTORS) == 3


def test_an_unknown_format_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ConfigurationError, match="hl7v2, x12, fhir"):
        connector("csv")


def test_importing_the_registry_imports_no_format() -> None:
    code = "import sys, connectors.registry; print(sorted(n for n in sys.modules if n.startswith('connectors.')))"
    root = Path(__file__).parents[3]
    shown = subprocess.run([sys.executable, "-c", code], cwd=root, check=True, capture_output=True, text=True).stdout
    assert shown.strip() == "['connectors.connector', 'connectors.registry']"
