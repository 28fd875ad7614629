"""The build: from messages of every format to a published warehouse whose every row leads back to its bytes."""

from __future__ import annotations

import fcntl
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from ehr_pm.record.bodies import pack
from hub_core.errors import BuildError, NotFoundError
from hub_core.feeds import load_feeds
from hub_core.settings import Settings
from hub_core.snapshot import current_snapshot, open_current
from pipelines import build_run, dbt_models
from pipelines.build import BuildReport, build
from pipelines.installation import Installation, open_installation
from pipelines.intake import Intake
from pipelines.trace import Trace, trace
from tests.samples import SAMPLES

pytestmark = pytest.mark.integration

MARTS = {
    "patients": "family_name",
    "encounters": None,
    "lab_results": "loinc_code",
    "appointments": "appointment_number",
    "claims": "claim_number",
    "claim_payments": "payer_control_number",
    "feed_activity": None,
    "patient_records": "mrn",
    "immunizations": "lot_number",
    "conditions": "icd10_code",
    "medications": "rxnorm_code",
    "charges": "procedure_code",
    "claim_adjustments": "procedure_code",
    "denials": "procedure_code",
    "payments": "reference_number",
    "receivables": "account_number",
    "findings": None,
}
"""Marts, and a column whose value must stand in the bytes a row leads to."""
ROWS_TRACED = 5


@dataclass(frozen=True)
class Built:
    installation: Installation
    report: BuildReport

    @property
    def settings(self) -> Settings:
        return self.installation.settings


def take_samples(installation: Installation) -> None:
    for name, feed in load_feeds(SAMPLES / "feeds").items():
        if (SAMPLES / name).is_dir():
            list(Intake(installation, feed).take([SAMPLES / name]))
    list(installation.worker().drain())


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Built]:
    settings = Settings(data_dir=tmp_path_factory.mktemp("built"))
    with open_installation(settings) as installation:
        take_samples(installation)
        yield Built(installation, build(settings))


def bytes_of(traced: Trace) -> bytes:
    messages = [version.message for each in traced.resources for version in each.versions]
    return b"\n".join(message.record for message in [*messages, *traced.messages] if message)


def test_every_mart_has_rows_and_every_stage_is_reported(built: Built) -> None:
    with open_current(built.settings) as warehouse:
        counts = {mart: warehouse.execute(f"SELECT count(*) FROM marts.{mart}").fetchall()[0][0] for mart in MARTS}
    assert min(counts.values()) > 0, counts
    assert [stage.name for stage in built.report.stages] == ["lake", "envelopes", "quality", "views", "dbt", "publish"]
    assert built.report.is_new
    assert built.report.is_whole


@pytest.mark.parametrize("mart", MARTS)
def test_random_rows_lead_to_bytes_that_hold_the_fact(built: Built, mart: str) -> None:
    with open_current(built.settings) as warehouse:
        key = warehouse.execute(f"DESCRIBE marts.{mart}").fetchall()[0][0]
        fact = MARTS[mart] or key
        rows = warehouse.execute(
            f"SELECT {key}, {fact} FROM marts.{mart} WHERE {fact} IS NOT NULL USING SAMPLE {ROWS_TRACED} ROWS"
        ).fetchall()
    assert rows
    for row_key, value in rows:
        traced = trace(built.installation.database, built.settings, mart, row_key)
        assert bytes_of(traced), row_key
        assert all(resource.versions for resource in traced.resources)
        if MARTS[mart]:
            assert str(value).casefold() in bytes_of(traced).decode().casefold()
        assert traced.as_json()["key"] == row_key
        assert next(traced.lines()) == f"{mart} {row_key}"


def test_money_is_the_sum_of_what_was_sent(built: Built) -> None:
    with open_current(built.settings) as warehouse:
        ((lines, claims),) = warehouse.execute(
            "SELECT sum(line_billed_amount), sum(billed_amount) FROM marts.claims"
        ).fetchall()
        ((unbalanced,),) = warehouse.execute(
            "SELECT count(*) FROM marts.claim_payments WHERE billed_amount <> paid_amount"
            " + contractual_adjustment_amount + payer_adjustment_amount + other_adjustment_amount"
            " + patient_adjustment_amount"
        ).fetchall()
    assert lines == claims
    assert unbalanced == 0


def test_an_unchanged_record_is_not_built_again(built: Built) -> None:
    again = build(built.settings)
    assert not again.is_new
    assert again.snapshot == current_snapshot(built.settings)


def test_only_what_changed_is_made_anew(built: Built, tmp_path: Path) -> None:
    said_since = tmp_path / "since.hl7"
    said = (SAMPLES / "family-practice" / "1-adt.hl7").read_bytes()
    said_since.write_bytes(said.replace(b"V260001", b"V269999"))
    feed = load_feeds(SAMPLES / "feeds")["family-practice"]
    list(Intake(built.installation, feed).take([said_since]))
    list(built.installation.worker().drain())
    before = current_snapshot(built.settings)
    report = build(built.settings)
    assert (report.is_new, report.is_whole) == (True, False)
    assert [stage.name for stage in report.stages] == ["lake", "envelopes", "quality", "views", "dbt", "publish"]
    assert before is not None
    assert report.snapshot.whole_at == before.whole_at
    with open_current(built.settings) as warehouse:
        visits = warehouse.execute("SELECT status FROM marts.encounters WHERE visit_number = 'V269999'").fetchall()
        counted = warehouse.execute("SELECT count(*), count(DISTINCT encounter_id) FROM marts.encounters").fetchall()
        checks = warehouse.execute("SELECT count(*), bool_and(is_passed) FROM quality.checks").fetchall()
    assert len(visits) == 1
    assert counted[0][0] == counted[0][1]
    assert checks[0][0] > 60
    assert list((built.settings.warehouse_dir / "building").iterdir()) == []


def test_a_trace_of_what_is_not_there_says_so(built: Built) -> None:
    with pytest.raises(NotFoundError, match=r"the marts are account_adjustments, appointments, "):
        trace(built.installation.database, built.settings, "patient", "x")
    with pytest.raises(NotFoundError, match="has no row"):
        trace(built.installation.database, built.settings, "patients", "x")


def test_a_second_build_at_the_same_time_is_refused(built: Built) -> None:
    with (built.settings.warehouse_dir / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(BuildError, match="another build"):
            build(built.settings)


@pytest.mark.slow
def test_a_failing_test_of_a_model_keeps_the_old_warehouse(
    built: Built, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = tmp_path / "dbt"
    shutil.copytree(dbt_models.project_folder(), project)
    (project / "tests" / "nobody.sql").write_text("select person_id from {{ ref('patients') }}")
    monkeypatch.setattr(build_run, "project_folder", lambda: project)
    monkeypatch.setattr("pipelines.definitions.project_folder", lambda: project)
    before = current_snapshot(built.settings)
    with open_current(built.settings) as warehouse:
        ((persons,),) = warehouse.execute("SELECT count(*) FROM marts.patients").fetchall()
    with pytest.raises(BuildError, match=f"the dbt test nobody of the model patients failed: {persons} rows"):
        build(built.settings)
    assert current_snapshot(built.settings) == before


def test_a_batch_that_fails_the_gate_keeps_the_old_warehouse(installation: Installation) -> None:
    with installation.database.begin() as unit:
        ((batch,),) = unit.driver.execute("INSERT INTO change_batch (size) VALUES (1) RETURNING batch_key").fetchall()
        unit.driver.execute(
            "INSERT INTO resource_version (resource_type, resource_id, version, source, source_id, authority,"
            " recorded_at, batch_key, ordinal, body)"
            " VALUES ('Observation', gen_random_uuid(), 1, 'lab', 'o', 2, now(), %s, 0, %s)",
            (batch, pack(b'{"resourceType": "Observation", "status": "final"}')),
        )
    with pytest.raises(BuildError, match="the quality gate refuses the feed lab: not every record names its patient"):
        build(installation.settings)
    assert current_snapshot(installation.settings) is None


@pytest.mark.slow
def test_a_build_is_silent(installation: Installation) -> None:
    environment = {
        "WHOLECHART_DATA_DIR": str(installation.settings.data_dir),
        "WHOLECHART_DATABASE_URL": str(installation.settings.database_url),
        "PATH": "/usr/bin:/bin",
        "HOME": str(installation.settings.data_dir),
    }
    code = "from hub_core.settings import Settings; from pipelines.build import build; build(Settings())"
    root = Path(__file__).parents[2]
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=root, env=environment, capture_output=True, text=True, check=True
    )
    assert (ran.stdout, ran.stderr) == ("", "")
