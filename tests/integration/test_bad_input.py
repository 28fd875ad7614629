"""Bad lines among good ones: each is refused or flagged with its place, and everything else arrives digit for digit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from click.testing import CliRunner

from pipelines.accounting import account, apply_all
from pipelines.cli import wholechart
from pipelines.installation import Installation
from pipelines.intake import Intake, feed_for
from tests.integration.stored import bodies

DEEP = b'{"resourceType":"Basic","id":"deep","extension":' + b'[{"extension":' * 400 + b"1" + b"}]" * 400 + b"}"
LINES = [
    b'{"resourceType":"Patient","id":"p1","name":[{"family":"Okafor"}]}',
    b'{"resourceType":"Patient","id":"p2","name":[{"fam',
    b'["no","object"]',
    b'{"resourceType":"Patient","id":7}',
    b'{"resourceType":"Patent","id":"p3"}',
    b'{"resourceType":17,"id":"p3"}',
    DEEP,
    b'{"resourceType":"Patient","id":"p4","meta":"now"}',
    b'{"resourceType":"Observation","id":"o1","status":"final","subject":{"reference":"Patient/p1"},'
    b'"valueQuantity":{"value":1.10,"unit":"mg"},"component":[{"valueQuantity":{"value":0.000000000000000000100}}]}',
    b'{"resourceType":"Observation","id":"o2","subject":{"reference":"Patient/never"},"code":"no concept",'
    b'"component":{"no":"array"},"performer":["no object"],"effectiveDateTime":20260301}',
    b'{"resourceType":"Patient","id":"p1","name":[{"family":"Okafor"}],"gender":"female"}',
    b'{"resourceType":"Bundle","type":"transaction","entry":[{"resource":{"resourceType":"Patient","id":"p5"}},'
    b'{"resource":"none"},{"resource":{"resourceType":"Patient","id":"p5","gender":"male"}}]}',
]


def rows(installation: Installation, query: str) -> list[tuple[Any, ...]]:
    with installation.database.begin() as unit:
        return unit.driver.execute(query).fetchall()


def test_each_bad_line_is_told_with_its_place_and_harms_no_other(installation: Installation, tmp_path: Path) -> None:
    path = tmp_path / "mixed.ndjson"
    path.write_bytes(b"\n".join(LINES) + b"\n")
    intake = Intake(installation, feed_for(installation, None))
    list(intake.take([path]))
    apply_all(installation, intake, lambda _: None)
    report = account(installation, intake, 0)
    assert (report.records, report.processed, report.rejected) == (12, 5, 7)
    assert [reject.position for reject in report.rejects] == [2, 3, 4, 5, 6, 7, 8]
    reasons = [reject.reason for reject in report.rejects]
    for reason, word in zip(reasons, ["JSON", "object", "id", "Patent", "resourceType", "deeper", "meta"], strict=True):
        assert word in reason
    warned = rows(installation, "SELECT position, code, location FROM reject WHERE severity = 'warning' ORDER BY 1, 3")
    assert ("duplicate", "Patient.id") in [row[1:] for row in warned if row[0] == 11]
    assert ("duplicate", "Bundle.entry[2].resource") in [row[1:] for row in warned if row[0] == 12]
    assert any(row[0] == 12 and row[2] == "Bundle.entry[1].resource" for row in warned)
    [body] = [each for each in bodies(installation.database) if "1.10," in each]
    assert '"value":0.000000000000000000100}' in body
    said = rows(installation, "SELECT source_id, version FROM resource WHERE authority = 2 ORDER BY 1")
    assert said == [("o1", 1), ("o2", 1), ("p1", 2), ("p5", 1)]
    settings = installation.settings
    environment = {"WHOLECHART_DATABASE_URL": str(settings.database_url), "WHOLECHART_DATA_DIR": str(settings.data_dir)}
    answer = CliRunner().invoke(wholechart, ["references"], env=environment)
    [loose] = [line for line in answer.output.splitlines() if line.startswith("files")]
    assert loose.split()[:5] == ["files", "Observation", "patient", "Patient", "1"]
