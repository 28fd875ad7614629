"""ORU^R01: laboratory reports, and later the same reports with corrected values."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from random import Random

from pipelines.simulation.feeds import SimulatedFeed
from pipelines.simulation.hl7v2.people import People
from pipelines.simulation.hl7v2.writing import Draft, Stamp, clinician, coded, escaped, visit_in_passing
from pipelines.simulation.spans import seconds
from pipelines.simulation.world import Chapter, Report, Result


class Laboratory:
    """The ORU messages of one site in one chapter."""

    def __init__(self, chapter: Chapter, people: People, feed: SimulatedFeed, stamp: Stamp, random: Random) -> None:
        """Write the reports of the site of `feed`."""
        self._reports = [each for each in chapter.reports if each.site == feed.site]
        self._visits = {each.visit_id: each for each in chapter.visits if each.site == feed.site}
        self._people = people
        self._stamp = stamp
        self._random = random
        self._facility = feed.practice.facility

    def drafts(self) -> Iterator[Draft]:
        """Yield the messages: the final report, and the corrected one where there is."""
        for report in self._reports:
            yield self._draft(report, report.reported_at, is_corrected=False)
            if report.corrected_at is not None:
                yield self._draft(report, report.corrected_at, is_corrected=True)

    def _draft(self, report: Report, at: datetime, *, is_corrected: bool) -> Draft:
        sent_at = at + seconds(int(self._random.random() * 90) + 5)
        return Draft(
            sent_at, "ORU^R01^ORU_R01", report.report_id, self._segments(report, at, is_corrected=is_corrected)
        )

    def _segments(self, report: Report, at: datetime, *, is_corrected: bool) -> str:
        facility, who = self._facility, clinician(report.clinician)
        placer, filler = f"O{report.report_id}^{facility}", f"{report.report_id}^{facility}LAB"
        ordered, collected, reported = map(self._stamp, (report.ordered_at, report.collected_at, at))
        status = "C" if is_corrected else "F"
        visit = self._visits.get(report.visit_id or "")
        pv1 = visit_in_passing(visit, facility) if visit else ""
        obx = "".join(
            self._obx(number, each, collected, is_corrected=is_corrected)
            for number, each in enumerate(report.results, 1)
        )
        return (
            f"{self._people.pid(report.registration_id, at)}{pv1}"
            f"ORC|RE|{placer}|{filler}||CM||||{ordered}|||{who}\r"
            f"OBR|1|{placer}|{filler}|{coded(report.panel)}|||{collected}|||||||||{who}||||||{reported}||LAB|{status}\r{obx}"
        )

    def _obx(self, number: int, result: Result, collected: str, *, is_corrected: bool) -> str:
        value, flag, status, note = result.value, result.flag, "F", ""
        if is_corrected and result.corrected_value is not None:
            value, flag, status = result.corrected_value, result.corrected_flag, "C"
            note = "NTE|1|L|Run again \\T\\ confirmed: this value replaces the one reported before.\r"
        kind, text = ("NM", str(value)) if isinstance(value, Decimal) else ("ST", escaped(value))
        return (
            f"OBX|{number}|{kind}|{coded(result.code)}||{text}|{_unit(result.unit)}|{_range(result)}|{flag}|||{status}|||"
            f"{collected}\r{note}"
        )


@lru_cache(maxsize=1024)
def _unit(unit: str) -> str:
    return f"{escaped(unit)}^{escaped(unit)}^UCUM" if unit else ""


def _range(result: Result) -> str:
    low, high = result.low, result.high
    if low is not None and high is not None:
        return f"{low!s}-{high!s}"
    if high is not None:
        return f"<{high!s}"
    return f">{low!s}" if low is not None else ""
