"""`wholechart ingest`: counts that add up, a second run that changes nothing, and a clear line for whatever is bad."""

from __future__ import annotations

import gzip
import json
import os
import zipfile
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from pipelines.accounting import IngestReport, account, apply_all
from pipelines.cli import wholechart
from pipelines.installation import Installation
from pipelines.intake import Intake, feed_for

PATIENT = {"resourceType": "Patient", "id": "p1", "name": [{"family": "Okafor"}]}
ADT = (
    "MSH|^~\\&|EHR|FAM|HUB|GRP|20260301120000||ADT^A04|M1|P|2.5.1\rEVN|A04|20260301120000\r"
    "PID|1||77^^^RIVER^MR||Berg^Linnea||19910202|F\rPV1|1|O\r"
)


def ingest(installation: Installation, *paths: Path, feed: str | None = None) -> IngestReport:
    intake = Intake(installation, feed_for(installation, feed))
    list(intake.take(paths))
    apply_all(installation, intake, lambda _: None)
    report = account(installation, intake, 0)
    assert report.records == report.processed + report.duplicates + report.filtered + report.rejected
    assert len(report.rejects) == report.rejected
    return report


def write(folder: Path, name: str, content: bytes | str) -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.fixture
def good(tmp_path: Path) -> Path:
    return write(tmp_path, "good.ndjson", json.dumps(PATIENT) + "\n")


def test_a_second_run_changes_nothing(installation: Installation, good: Path, tmp_path: Path) -> None:
    adt = write(tmp_path, "adt.hl7", ADT)
    first, second = ingest(installation, good, adt), ingest(installation, good, adt)
    assert (first.processed, first.changed > 0) == (2, True)
    assert (second.duplicates, second.processed, second.resources, second.changed) == (2, 0, 0, 0)


def test_a_run_that_was_broken_off_is_finished_by_the_next(installation: Installation, good: Path) -> None:
    list(Intake(installation, feed_for(installation, None)).take([good]))
    report = ingest(installation, good)
    assert report.duplicates == 1
    with installation.database.begin() as unit:
        assert unit.driver.execute("SELECT state FROM message").fetchall() == [("processed",)]


BAD: dict[str, bytes] = {
    "empty.hl7": b"",
    "blank.json": b"  \n ",
    "truncated.json": b'{"resourceType":"Patient","id":"p2","name":[{"fam',
    "binary.hl7": bytes(range(256)) * 20,
    "utf16.json": json.dumps(PATIENT).encode("utf-16"),
    "latin1.json": '{"resourceType":"Patient","id":"p3","name":[{"family":"Godínez"}]}'.encode("latin-1"),
    "list.json": b"[1, 2, 3]",
    "unknown.json": b'{"resourceType":"Patent","id":"x"}',
    "cut.gz.json.gz": gzip.compress(json.dumps(PATIENT).encode() * 1000)[:-30],
    "nul.json": b'{"resourceType":"Patient","id":"a\\u0000b"}',
    "deep.json": b'{"resourceType":"Patient","x":' + b"[" * 5000 + b"]" * 5000 + b"}",
    "no-patient.hl7": ADT.replace("77^^^RIVER^MR", "").encode(),
    "cut.837": (
        f"ISA*00*{'':10}*00*{'':10}*ZZ*{'A':15}*ZZ*{'B':15}*260301*1200*^*00501*000000001*0*P*:~"
        "GS*HC*A*B*20260301*1200*1*X*005010X222A1~ST*837*0001*005010X222A1~BHT*0019*00*1*20260301*12"
    ).encode(),
}


@pytest.mark.parametrize("name", BAD)
def test_one_bad_file_gives_one_clear_line_and_harms_nobody(
    installation: Installation, good: Path, tmp_path: Path, name: str
) -> None:
    report = ingest(installation, write(tmp_path, name, BAD[name]), good)
    assert (report.processed, report.rejected) == (1, 1)
    reject = report.rejects[0]
    assert reject.input == name
    assert 10 < len(reject.reason) < 300
    assert "Traceback" not in reject.reason
    assert "Godínez" not in reject.reason


def test_a_line_of_200_megabytes_is_refused_and_the_next_one_taken(installation: Installation, tmp_path: Path) -> None:
    path = tmp_path / "long.ndjson"
    with path.open("wb") as file:
        file.write(b'{"resourceType":"Patient","id":"big","x":"')
        for _ in range(200):
            file.write(b"A" * 1_000_000)
        file.write(b'"}\n' + json.dumps(PATIENT).encode() + b"\n")
    report = ingest(installation, path)
    assert (report.processed, report.rejected) == (1, 1)
    assert "limit" in report.rejects[0].reason


def test_a_zip_bomb_is_refused(installation: Installation, good: Path, tmp_path: Path) -> None:
    bomb = tmp_path / "bomb.zip"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("x.ndjson", "w") as member:
        for _ in range(300):
            member.write(b"\0" * 1_000_000)
    report = ingest(installation, bomb, good)
    assert (report.processed, report.rejected) == (1, 1)


def test_a_gzip_bomb_is_refused(installation: Installation, good: Path, tmp_path: Path) -> None:
    bomb = tmp_path / "bomb.ndjson.gz"
    with gzip.open(bomb, "wb") as file:
        for _ in range(300):
            file.write(b" " * 1_000_000)
    report = ingest(installation, bomb, good)
    assert (report.processed, report.rejected) == (1, 1)


def test_a_folder_of_everything(installation: Installation, tmp_path: Path) -> None:
    folder = tmp_path / "mixed"
    folder.mkdir()
    for name, content in BAD.items():
        write(folder, name, content)
    write(folder, "README.md", "# not data")
    write(folder, "picture.png", b"\x89PNG\r\n\x1a\n")
    write(folder, "good.ndjson", json.dumps(PATIENT) + "\n")
    write(folder, "adt.hl7", ADT)
    report = ingest(installation, folder)
    assert (report.processed, report.rejected) == (2, len(BAD))
    assert {name for name, _ in report.skipped} == {"mixed/README.md", "mixed/picture.png"}


def test_a_control_id_of_any_length_is_taken(installation: Installation, tmp_path: Path) -> None:
    long = [write(tmp_path, f"{n}.hl7", ADT.replace("|M1|", f"|{'9' * 8000}{n}|")) for n in range(2)]
    assert ingest(installation, *long).processed == 2


def test_a_link_out_of_the_folder_is_not_followed(installation: Installation, tmp_path: Path) -> None:
    secret = write(tmp_path, "secret.ndjson", json.dumps(PATIENT))
    folder = tmp_path / "drop"
    folder.mkdir()
    (folder / "innocent.ndjson").symlink_to(secret)
    report = ingest(installation, folder)
    assert (report.processed, report.rejected) == (0, 1)
    assert "link" in report.rejects[0].reason


def test_a_pipe_is_not_waited_for(installation: Installation, tmp_path: Path) -> None:
    folder = tmp_path / "drop"
    folder.mkdir()
    os.mkfifo(folder / "pipe.hl7")
    assert ingest(installation, folder).rejected == 1


def run(installation: Installation, *words: str) -> Any:
    environment = {
        "WHOLECHART_DATABASE_URL": str(installation.settings.database_url),
        "WHOLECHART_DATA_DIR": str(installation.settings.data_dir),
    }
    return CliRunner().invoke(wholechart, list(words), env=environment, standalone_mode=False)


def test_the_verb_ends_with_0_when_all_was_taken_and_1_when_not(
    installation: Installation, good: Path, tmp_path: Path
) -> None:
    assert run(installation, "ingest", str(good)).return_value == 0
    answer = run(installation, "ingest", str(write(tmp_path, "bad.json", b"{")), "--json")
    assert answer.return_value == 1
    report = json.loads(answer.stdout)
    assert set(report) >= {"files", "records", "processed", "duplicates", "filtered", "rejected", "resources"}
    assert report["rejects"][0].keys() == {"input", "position", "reason"}


def test_an_unknown_feed_is_named_with_those_there_are(installation: Installation, good: Path) -> None:
    answer = run(installation, "ingest", str(good), "--feed", "nowhere")
    assert "there is no feed nowhere" in str(answer.exception)


def test_positions_are_those_of_the_file(installation: Installation, tmp_path: Path) -> None:
    lines = [json.dumps({**PATIENT, "id": f"p{number}"}) for number in range(600)]
    lines[449] = '{"resourceType":"Patient"'
    report = ingest(installation, write(tmp_path, "many.ndjson", "\n".join(lines)))
    assert (report.processed, report.rejected) == (599, 1)
    assert report.rejects[0].position == 450
