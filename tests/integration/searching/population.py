"""Random resources for searches: few values, so that questions find something, and every form a value can have."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable
from typing import Any

from hub_core.fhir.canonical import Json, load_object

FAMILIES = ("Núñez", "nunez", "NUNEZ", "O'Neill", "de la  Cruz", "Smith", "Smithe", "100%_x", "Ångström", "a,b")
GIVEN = ("Ada", "Álvaro", "ada", "Bo")
SYSTEMS = ("http://loinc.org", "urn:b", None)
CODES = ("1", "2", "2-7", "a|b", "x,y")
DISPLAYS = ("Glucose", "glucose in blood", "GLÜCOSE", None)
UNITS = (
    ("http://unitsofmeasure.org", "mg", "mg"),
    ("http://unitsofmeasure.org", "g", "gram"),
    (None, None, "mg"),
    None,
)
NUMBERS = ("5.4", "5.40", "5.35", "5.45", "5", "100", "99.5", "100.5", "-3.2", "0.001", "0")
DATES = (
    "2024", "2024-02", "2024-02-29", "2024-02-29T23:30:00-05:00", "2024-03-01T04:30:00Z", "2024-03-01",
    "2023-12-31T23:59:59Z", "2025", "2024-02-29T23:30:00.250-05:00", "2030-06",
)  # fmt: skip
ADDRESSES = (
    "http://acme.org/fhir/ValueSet/1", "http://acme.org/fhir/ValueSet/12", "http://acme.org/fhir", "http://acme.org",
    "http://acme.organic/fhir", "urn:oid:1.2.3",
)  # fmt: skip
STATUSES = ("final", "preliminary", "amended")


class Population:
    """Makes the resources of one world, the same ones for the same seed."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)  # noqa: S311 - the same each time, no secret
        self.practitioners = [self._practitioner() for _ in range(4)]
        self.patients = [self._patient() for _ in range(14)]
        self.encounters: list[Json] = []
        for _ in range(14):
            self.encounters.append(self._encounter())
        self.observations: list[Json] = []
        for _ in range(50):
            self.observations.append(self._observation())
        self.others = [self._value_set() for _ in range(8)] + [self._assessment() for _ in range(12)]
        self.others += [self._answers() for _ in range(6)]

    @property
    def all(self) -> list[Json]:
        return [*self.practitioners, *self.patients, *self.encounters, *self.observations, *self.others]

    def _new(self, kind: str, **elements: Any) -> Json:
        named = {"resourceType": kind, "id": str(uuid.UUID(int=self._chance.getrandbits(128), version=4))}
        return {**named, **{name: value for name, value in elements.items() if value not in (None, [], {})}}

    def _maybe(self, make: Callable[[], Any], often: float = 0.75) -> Any:
        return make() if self._chance.random() < often else None

    def _some(self, make: Callable[[], Any], most: int = 2) -> list[Any]:
        return [make() for _ in range(self._chance.randint(0, most))]

    def _pick(self, *values: Any) -> Any:
        return self._chance.choice(values)

    def _coding(self) -> Json:
        said = {"system": self._pick(*SYSTEMS), "code": self._pick(*CODES), "display": self._pick(*DISPLAYS)}
        return {name: value for name, value in said.items() if value is not None}

    def _concept(self) -> Json:
        found = {"coding": self._some(self._coding), "text": self._maybe(lambda: self._pick(*DISPLAYS[:3]), 0.3)}
        return {name: value for name, value in found.items() if value} or {"text": "Glucose"}

    def _identifier(self) -> Json:
        said = {"system": self._pick(*SYSTEMS), "value": self._pick(*CODES)}
        kind = self._maybe(lambda: {"type": {"coding": [{"system": "v2", "code": self._pick("MR", "SS")}]}}, 0.5) or {}
        return {**kind, **{name: value for name, value in said.items() if value is not None}}

    def _reference(self, *targets: list[Json], often: float = 0.8) -> Json | None:
        among = [target for several in targets for target in several]
        if not among or self._chance.random() > often:
            named = {"identifier": {"system": "urn:b", "value": "1"}}
            elsewhere: Json | None = self._pick(None, named, {"reference": "http://else.org/x/1"})
            return elsewhere
        target = self._chance.choice(among)
        return {"reference": f"{target['resourceType']}/{target['id']}"}

    def _period(self) -> Json | None:
        start, end = sorted((self._pick(*DATES[:8]), self._pick(*DATES[:8])))
        return {"start": start, "end": end} if self._chance.random() < 0.6 else {self._pick("start", "end"): start}

    def _quantity(self) -> Json:
        text = f'{{"value": {self._pick(*NUMBERS)}}}'
        unit = self._pick(*UNITS) or (None, None, None)
        said = {name: word for name, word in zip(("system", "code", "unit"), unit, strict=True) if word}
        comparator = self._maybe(lambda: {"comparator": self._pick("<", ">", ">=")}, 0.15) or {}
        return {**load_object(text), **said, **comparator}

    def _practitioner(self) -> Json:
        name = {"family": self._pick(*FAMILIES), "given": [self._pick(*GIVEN)]}
        return self._new(
            "Practitioner", identifier=self._some(self._identifier), name=[name], active=self._pick(True, False)
        )

    def _patient(self) -> Json:
        return self._new(
            "Patient",
            identifier=self._some(self._identifier),
            name=[
                {"family": self._pick(*FAMILIES), "given": [self._pick(*GIVEN)]} for _ in range(self._pick(0, 1, 1, 2))
            ],
            gender=self._pick("female", "male", None),
            birthDate=self._pick(*DATES[:3], None),
            telecom=self._some(lambda: {"system": self._pick("phone", "email"), "value": self._pick("555", "a@b.org")}),
            generalPractitioner=[each for each in self._some(lambda: self._reference(self.practitioners)) if each],
            **(self._pick({}, {"deceasedBoolean": False}, {"deceasedBoolean": True}, {"deceasedDateTime": "2024-02"})),
        )

    def _encounter(self) -> Json:
        return self._new(
            "Encounter",
            status=self._pick("finished", "planned"),
            subject=self._reference(self.patients),
            period=self._maybe(self._period),
            type=self._some(self._concept),
            partOf=self._maybe(lambda: self._reference(self.encounters, often=1), 0.4),
            participant=[{"individual": who} for who in self._some(lambda: self._reference(self.practitioners)) if who],
            **{"class": self._coding()},
        )

    def _observation(self) -> Json:
        value = self._pick(
            {}, {"valueQuantity": self._quantity()}, {"valueQuantity": self._quantity()},
            {"valueCodeableConcept": self._concept()}, {"valueString": self._pick(*FAMILIES)},
        )  # fmt: skip
        when = self._pick({}, {"effectiveDateTime": self._pick(*DATES)}, {"effectivePeriod": self._period()})
        return self._new(
            "Observation",
            meta=self._maybe(lambda: {"tag": [self._coding()]}, 0.3),
            status=self._pick(*STATUSES),
            code=self._concept(),
            category=self._some(self._concept),
            subject=self._reference(self.patients),
            encounter=self._reference(self.encounters),
            performer=[who for who in self._some(lambda: self._reference(self.practitioners, self.patients)) if who],
            derivedFrom=[who for who in self._some(lambda: self._reference(self.observations, often=1)) if who],
            component=[self._component() for _ in range(self._pick(0, 0, 1, 2))],
            **value,
            **when,
        )

    def _component(self) -> Json:
        value = self._pick({"valueQuantity": self._quantity()}, {"valueCodeableConcept": self._concept()})
        return {"code": self._concept(), **value}

    def _value_set(self) -> Json:
        return self._new("ValueSet", status="active", url=self._pick(*ADDRESSES, None))

    def _assessment(self) -> Json:
        numbers = (load_object(f'{{"probabilityDecimal": {self._pick(*NUMBERS)}}}') for _ in range(self._pick(0, 1, 2)))
        return self._new(
            "RiskAssessment", status="final", subject=self._reference(self.patients), prediction=list(numbers)
        )

    def _answers(self) -> Json:
        return self._new(
            "QuestionnaireResponse",
            status="completed",
            subject=self._reference(self.patients),
            questionnaire=self._pick("http://acme.org/q", "http://acme.org/q|2", None),
        )
