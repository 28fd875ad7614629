"""VXU^V04: vaccinations given, and refused ones."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from pipelines.simulation.feeds import SimulatedFeed
from pipelines.simulation.hl7v2.people import People
from pipelines.simulation.hl7v2.writing import Draft, Stamp, clinician, coded, escaped, visit_in_passing
from pipelines.simulation.spans import seconds
from pipelines.simulation.world import Chapter, Vaccination


class Immunizations:
    """The VXU messages of one site in one chapter."""

    def __init__(self, chapter: Chapter, people: People, feed: SimulatedFeed, stamp: Stamp, random: Random) -> None:
        """Write the vaccinations of the site of `feed`."""
        self._vaccinations = [each for each in chapter.vaccinations if each.site == feed.site]
        self._visits = {each.visit_id: each for each in chapter.visits if each.site == feed.site}
        self._people = people
        self._stamp = stamp
        self._random = random
        self._facility = feed.practice.facility

    def drafts(self) -> Iterator[Draft]:
        """Yield the messages, one a dose."""
        for each in self._vaccinations:
            sent_at = each.given_at + seconds(int(self._random.random() * 600) + 60)
            yield Draft(sent_at, "VXU^V04^VXU_V04", each.vaccination_id, self._segments(each))

    def _segments(self, given: Vaccination) -> str:
        at, who, facility = self._stamp(given.given_at), clinician(given.clinician), self._facility
        visit = self._visits.get(given.visit_id or "")
        pv1 = visit_in_passing(visit, facility) if visit else ""
        number = f"{given.vaccination_id}^{facility}"
        if given.is_refused:
            dose, product, outcome, route = "999||", "|||00^Parental or patient decision^NIP002", "RE", ""
        else:
            maker = f"{given.manufacturer}^{escaped(given.manufacturer)}^MVX" if given.manufacturer else ""
            dose, product, outcome = "0.5|mL^milliliter^UCUM|", f"{escaped(given.lot_number)}||{maker}|", "CP"
            route = "RXR|C28161^Intramuscular^NCIT|LA^Left arm^HL70163\r"
        return (
            f"{self._people.pid(given.registration_id, given.given_at)}{pv1}"
            f"ORC|RE|{number}|{number}||||||{at}|||{who}\r"
            f"RXA|0|1|{at}|{at}|{coded(given.vaccine)}|{dose}|00^New immunization record^NIP001|{who}|"
            f"CLINIC^^^{facility}||||{product}||{outcome}|A\r{route}"
        )
