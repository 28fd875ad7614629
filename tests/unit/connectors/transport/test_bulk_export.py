"""The client of FHIR exports: orders, waiting, files that break off, tokens that go to nobody else."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from connectors.transport.bulk_export import BulkServer, Exported, Waiting
from connectors.transport.smart_backend import BackendAuthorization, Client, read_key
from hub_core.errors import ConfigurationError, PartnerError
from tests.unit.connectors.transport.export_server import TAKEN_AT, Exports, serving

LINES = b"".join(b'{"resourceType":"Patient","id":"p%d"}\n' % number for number in range(500))


def pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def test_an_export_is_ordered_waited_for_fetched_and_cleared_away(tmp_path: Path) -> None:
    with serving(Exports([LINES, b""])) as exports:
        server = BulkServer(exports.base)
        status = server.kick_off("ours", ("Patient", "Encounter"), "2026-01-01T00:00:00Z")
        assert exports.asked == [
            "/Group/ours/$export?_outputFormat=application%2Ffhir%2Bndjson&_type=Patient%2CEncounter"
            "&_since=2026-01-01T00%3A00%3A00Z"
        ]
        assert server.look(status) == Waiting(2.0)
        found = server.look(status)
        assert isinstance(found, Exported)
        assert (found.taken_at, len(found.files)) == (TAKEN_AT, 2)
        server.download(found.files[0], tmp_path / "one")
        server.finish(status)
        server.close()
    assert (tmp_path / "one").read_bytes() == LINES
    assert exports.asked[-1] == "DELETE /status"


@pytest.mark.parametrize("is_packed", [False, True], ids=["plain", "gzip"])
def test_a_file_that_breaks_off_is_continued_where_it_broke(tmp_path: Path, is_packed: bool) -> None:
    path = tmp_path / "one"
    with serving(Exports([LINES], broken={0: 700}, is_packed=is_packed)) as exports:
        server = BulkServer(exports.base)
        with pytest.raises(PartnerError, match="cannot be heard"):
            server.download(f"{exports.base}/file/0", path)
        assert not path.exists()
        assert (tmp_path / "one.part").stat().st_size == 700
        server.download(f"{exports.base}/file/0", path)
        server.close()
    kept = path.read_bytes()
    assert (gzip.decompress(kept) if is_packed else kept) == LINES


@pytest.mark.parametrize("algorithm", ["RS384", "ES384"])
def test_a_program_says_who_it_is_with_its_key(tmp_path: Path, algorithm: str) -> None:
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey = (
        rsa.generate_private_key(65537, 2048) if algorithm == "RS384" else ec.generate_private_key(ec.SECP384R1())
    )
    client = Client("wholechart", "k1", read_key(pem(key)), "system/*.read")
    with serving(Exports([LINES], public_key=key.public_key(), algorithm=algorithm)) as exports:
        server = BulkServer(exports.base, BackendAuthorization(exports.base, client))
        server.kick_off(None, (), None)
        assert len(exports.tokens) == 1
        exports.tokens.clear()  # as if the server had forgotten: the answer is 401 once
        server.download(f"{exports.base}/file/0", tmp_path / "one")
        server.close()
        assert len(exports.tokens) == 1


def test_a_token_goes_to_nobody_else(tmp_path: Path) -> None:
    key = rsa.generate_private_key(65537, 2048)
    client = Client("wholechart", "k1", key, "system/*.read")
    with (
        serving(Exports([LINES], public_key=key.public_key(), waits=0)) as theirs,
        serving(Exports([LINES], public_key=object())) as others,
    ):
        theirs.elsewhere = others.base
        server = BulkServer(theirs.base, BackendAuthorization(theirs.base, client))
        with pytest.raises(PartnerError, match="somebody else"):
            server.look(f"{theirs.base}/status")
        with pytest.raises(PartnerError, match="401"):
            server.download(f"{others.base}/file/0", tmp_path / "one")
        server.close()
        assert others.tokens == set()


@pytest.mark.parametrize("status", [429, 503, 404])
def test_a_server_that_says_no_is_left_in_peace_or_given_up(status: int) -> None:
    with serving(Exports(failures=[status])) as exports:
        server = BulkServer(exports.base)
        with pytest.raises(PartnerError) as caught:
            server.kick_off(None, (), None)
        server.close()
    assert (caught.value.retry_after, caught.value.is_final) == (1.0, status == 404)


@pytest.mark.parametrize(
    "address", ["http://fhir.example.org", "ftp://127.0.0.1", "https://me:secret@fhir.example.org"]
)
def test_patients_data_are_not_fetched_in_the_open(address: str) -> None:
    with pytest.raises(ConfigurationError, match="https"):
        BulkServer(address)


@pytest.mark.parametrize("text", [b"", b"nonsense", pem(ec.generate_private_key(ec.SECP256R1()))])
def test_what_is_no_key_of_the_standard_is_refused(text: bytes) -> None:
    with pytest.raises(ConfigurationError, match="the key is"):
        read_key(text)
