"""What clinicians order of laboratories, and what they report: hours or days later, sometimes corrected."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from pipelines.simulation.care.calendar import has_passed
from pipelines.simulation.care.laboratory import PANELS, Finding, Panel, corrected
from pipelines.simulation.care.patients import Patient
from pipelines.simulation.spans import minutes
from pipelines.simulation.world import Report, Result, Visit

_AT_ONCE: Final = frozenset({"respiratory", "strep", "urine", "echo"})
_CORRECTED = 0.014


def order(patient: Patient, visit: Visit, day: int, panel_key: str, *, is_ill: bool = False) -> None:
    """Write down the report on an order made at a visit, if it is out before the simulated time ends."""
    random, panel = patient.random, PANELS[panel_key]
    ordered_at = visit.started_at + minutes(6 + int(random.random() * 8))
    collected_at = ordered_at + minutes(4 + int(random.random() * 14))
    if panel_key in _AT_ONCE:
        takes = 12 + int(random.random() * 20)
    elif visit.site == "hospital":
        takes = 35 + int(random.random() * 90)
    else:
        takes = 240 + int(random.random() * 1800)
    reported_at = collected_at + minutes(takes)
    if has_passed(reported_at):
        findings = patient.body.examine(panel, day, is_ill=is_ill)
        _write(patient, visit, panel, findings, (ordered_at, collected_at, reported_at))


def _write(
    patient: Patient,
    visit: Visit,
    panel: Panel,
    findings: list[Finding],
    times: tuple[datetime, datetime, datetime],
) -> None:
    random, journal = patient.random, patient.journal
    wrong, corrected_at = -1, None
    if random.random() < _CORRECTED:
        wrong = int(random.random() * len(findings))
        corrected_at = times[2] + timedelta(hours=5 + int(random.random() * 70), minutes=int(random.random() * 60))
    better = corrected(random, findings[wrong]) if corrected_at and has_passed(corrected_at) else None
    results = tuple(
        Result(
            journal.key("O"),
            finding.test.code,
            finding.value,
            finding.test.unit,
            finding.low,
            finding.high,
            finding.flag,
            better if at == wrong else None,
        )
        for at, finding in enumerate(findings)
    )
    journal.chapter.reports.append(
        Report(
            journal.key("R"),
            visit.registration_id,
            visit.site,
            visit.visit_id,
            visit.clinician,
            panel.code,
            *times,
            results,
            corrected_at if better is not None else None,
        )
    )
