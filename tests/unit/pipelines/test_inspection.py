"""`convert` and `check` without an installation: Bundles out, issues with their place, answers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from pipelines.cli import wholechart

ADT = (
    "MSH|^~\\&|EHR|FAM|HUB|GRP|20260301120000||ADT^A04|M1|P|2.5.1\rEVN|A04|20260301120000\r"
    "PID|1||1077^^^RIVER^MR||Berg^Linnea||19910202|F\rPV1|1|O\r"
)


@pytest.fixture
def adt(tmp_path: Path) -> Path:
    path = tmp_path / "adt.hl7"
    path.write_text(ADT, newline="")
    return path


def run(*words: str) -> tuple[object, str, str]:
    answer = CliRunner().invoke(wholechart, list(words), standalone_mode=False)
    return answer.return_value, answer.stdout, answer.stderr


def test_a_message_becomes_a_bundle_on_standard_output(adt: Path) -> None:
    code, out, _ = run("convert", str(adt))
    bundle = json.loads(out)
    assert code == 0
    assert {"Patient", "Encounter"} <= {entry["resource"]["resourceType"] for entry in bundle["entry"]}


def test_ids_do_not_depend_on_the_run(adt: Path) -> None:
    assert run("convert", str(adt)) == run("convert", str(adt))


def test_ids_are_scoped_to_the_source(adt: Path) -> None:
    assert run("convert", str(adt))[1] != run("convert", str(adt), "--source", "other")[1]


def test_each_input_gets_a_bundle_or_its_issues(adt: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_text("{")
    out = tmp_path / "out"
    code, _, _ = run("convert", str(adt), str(tmp_path / "bad.json"), "--out", str(out))
    assert code == 1
    assert json.loads((out / "adt.hl7.fhir.json").read_bytes())["resourceType"] == "Bundle"
    assert json.loads((out / "bad.json.issues.json").read_bytes())["resourceType"] == "OperationOutcome"
    assert not (out / "bad.json.fhir.json").exists()


def test_every_file_asked_about_has_its_outcome(adt: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.hl7").write_text("not a message")
    code, out, _ = run("check", str(adt), str(tmp_path / "bad.hl7"), "--json")
    outcomes = json.loads(out)
    assert code == 1
    assert outcomes.keys() == {"adt.hl7", "bad.hl7"}
    assert {outcome["resourceType"] for outcome in outcomes.values()} == {"OperationOutcome"}
    assert outcomes["bad.hl7"]["issue"][0]["severity"] == "error"


def test_files_of_one_name_in_two_folders_both_count(adt: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    bad = tmp_path / "other" / adt.name
    bad.write_text(ADT.replace("1077^^^RIVER^MR", ""), newline="")
    code, out, _ = run("check", str(bad), str(adt), "--json")
    assert (code, len(json.loads(out))) == (1, 2)
    run("convert", str(adt), str(adt), "--out", str(tmp_path / "out"))
    assert len(list((tmp_path / "out").glob("*.fhir.json"))) == 2


def test_an_issue_names_its_place(tmp_path: Path) -> None:
    path = tmp_path / "no-number.hl7"
    path.write_text(ADT.replace("1077^^^RIVER^MR", ""), newline="")
    _, out, _ = run("check", str(path))
    assert "PID-3" in out


def test_a_sender_would_be_acknowledged(adt: Path) -> None:
    code, out, _ = run("check", "--ack", str(adt))
    assert code == 0
    assert "MSA|AA|M1" in out
