"""The feeds of the group and its partners: what each is called, how it comes, and how its system writes times."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pipelines.simulation.group import PRACTICES, Practice
from pipelines.simulation.world import Site


@dataclass(frozen=True, slots=True)
class SimulatedFeed:
    """One flow of messages, as its feed file describes it to the house."""

    name: str
    site: Site
    format: Literal["hl7v2", "fhir", "x12"]
    description: str
    port: int | None = None
    """Of an MLLP listener; without one the feed comes as files in a folder."""
    application: str = ""
    """MSH-3."""
    letter: str = ""
    """What the control ids of its messages begin with."""
    has_offsets: bool = False
    """Whether its messages state the offset of every time, or leave times in the zone of the site."""

    @property
    def practice(self) -> Practice:
        """Return whose system sends."""
        return PRACTICES[self.site]


FEEDS: dict[str, SimulatedFeed] = {
    each.name: each
    for each in (
        SimulatedFeed(
            "family-practice-adt", "family-practice", "hl7v2", "Registrations and visits", 2575, "FRONTDESK", "A"
        ),
        SimulatedFeed(
            "family-practice-scheduling", "family-practice", "hl7v2", "Appointments", 2576, "SCHEDULER", "S"
        ),
        SimulatedFeed(
            "family-practice-lab", "family-practice", "hl7v2", "Laboratory results", 2577, "LAB", "L", has_offsets=True
        ),
        SimulatedFeed(
            "family-practice-immunizations", "family-practice", "hl7v2", "Immunizations", 2578, "SHOTS", "V",
            has_offsets=True,
        ),
        SimulatedFeed("family-practice-charges", "family-practice", "hl7v2", "Charges, payments", 2579, "BILLS", "D"),
        SimulatedFeed(
            "hospital-adt", "hospital", "hl7v2", "Admissions, transfers and discharges", 2580, "ADMITTING", "H",
            has_offsets=True,
        ),
        SimulatedFeed("hospital-results", "hospital", "hl7v2", "Laboratory results", 2581, "HOSPLAB", "R"),
        SimulatedFeed("cardiology", "cardiology", "fhir", "Nightly export of the record"),
        SimulatedFeed("pediatrics-billing", "pediatrics", "x12", "Claims (837P) and remittances (835)"),
        SimulatedFeed("eligibility", "pediatrics", "x12", "Payers' answers about cover (271)"),
    )
}  # fmt: skip


def write_feed_files(folder: Path) -> None:
    """Write `<feed>.yml` for every feed, and an empty folder for what it sends."""
    for feed in FEEDS.values():
        (folder / feed.name).mkdir(parents=True, exist_ok=True)
        (folder / f"{feed.name}.yml").write_text(_described(feed), encoding="utf-8")


def _described(feed: SimulatedFeed) -> str:
    practice = feed.practice
    lines = [
        f"name: {feed.name}",
        f"source: {practice.source}",
        f"location: {practice.site}",
        f"zone: {practice.zone.key}",
        f"format: {feed.format}",
        *(("transport: mllp", f"port: {feed.port}") if feed.port else ("transport: folder", f"folder: {feed.name}")),
        f"description: {feed.description} of {practice.name}. Nobody in it exists.",
    ]
    return "\n".join(lines) + "\n"
