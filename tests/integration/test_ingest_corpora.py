"""Public files, the whole way of `wholechart ingest`: how much is taken, why the rest is not, and a second run."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from pipelines.accounting import IngestReport, account, apply_all
from pipelines.installation import Installation
from pipelines.intake import Intake, feed_for

pytestmark = pytest.mark.slow


def ingest(installation: Installation, folder: Path) -> IngestReport:
    intake = Intake(installation, feed_for(installation, None))
    list(intake.take([folder]))
    apply_all(installation, intake, lambda _: None)
    report = account(installation, intake, 0)
    assert report.records == report.processed + report.duplicates + report.filtered + report.rejected
    assert len(report.rejects) == report.rejected
    return report


@pytest.mark.parametrize(
    ("name", "share"),
    [
        ("fhir/synthea-r4-gsd", 1.0),
        ("fhir/smart-bulk-10-patients", 0.99),
        ("fhir/synthea-hiv-bundles", 0.99),
        ("hl7v2/streams", 0.95),
    ],
)
def test_a_corpus_is_taken_and_a_second_run_changes_nothing(
    installation: Installation, corpora: Path, name: str, share: float
) -> None:
    first, second = ingest(installation, corpora / name), ingest(installation, corpora / name)
    assert first.records > 0
    assert first.processed >= share * first.records
    assert (second.processed, second.resources, second.changed) == (0, 0, 0)
    assert second.duplicates == first.records - first.rejected


@pytest.mark.parametrize(("name", "guide"), [("837P", b"005010X222"), ("835", b"005010X221")])
def test_nine_of_ten_5010_files_are_taken_and_the_rest_say_why(
    installation: Installation, corpora: Path, name: str, guide: bytes
) -> None:
    folder = corpora / "x12" / "samples" / name
    report = ingest(installation, folder)
    files = {f"{name}/{path.name}" for path in folder.iterdir() if guide in path.read_bytes()}
    rejected = Counter(reject.input for reject in report.rejects)
    assert len(files & rejected.keys()) <= 0.1 * len(files)
    assert all(len(reject.reason.split()) > 3 for reject in report.rejects)
