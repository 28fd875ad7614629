"""Merging any patients with all that hangs on them: nothing points to who is gone, and taking it back restores all."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from itertools import count
from typing import Any
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from ehr_pm.acts import Act, act
from ehr_pm.coverage import service as coverage
from ehr_pm.coverage.schemas import NewCoverage
from ehr_pm.organisation import service as organisation
from ehr_pm.organisation.schemas import NewPayer
from ehr_pm.patients import merging, moving, repository, service
from ehr_pm.patients.schemas import Contact, Identifier, NewConsent, NewRelatedPerson
from ehr_pm.scheduling import service as schedule
from ehr_pm.scheduling import waitlist
from ehr_pm.scheduling.schemas import NewWaitlistEntry
from hub_core.database import Database
from hub_core.errors import ConflictError
from tests.integration.ehr_pm.clinic import CLERK, NOW, Clinic, open_clinic, wall
from tests.integration.ehr_pm.test_patients import everything, register, told

_TOMORROW = """
CREATE TABLE made_tomorrow (
    patient_id uuid NOT NULL REFERENCES patient, number int NOT NULL, said text, PRIMARY KEY (patient_id, number)
)
"""
_WITHOUT_FOREIGN_KEY = """
SELECT c.table_name FROM information_schema.columns c JOIN information_schema.tables t USING (table_schema, table_name)
WHERE c.table_schema = 'public' AND t.table_type = 'BASE TABLE' AND c.column_name = 'patient_id'
AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.contype = 'f' AND k.conrelid = c.table_name::regclass
    AND k.confrelid = 'patient'::regclass)
"""
_OF_THE_RECORD = {"resource", "resource_version", "person_member", "patient_identifier"}
_OF_WHAT_HAPPENED = {"audit_event", "outbox_event", "disclosure"}
_OF_ANY_SOURCE = {"break_glass_grant", "sensitivity_tag"}
"""These are about a Patient of any source, whether there is a row or not."""

OWNED = st.fixed_dictionaries(
    {
        "numbers": st.sets(st.integers(1, 3)),
        "contacts": st.sets(st.integers(1, 3)),
        "relatives": st.integers(0, 2),
        "consents": st.integers(0, 2),
        "ranks": st.sets(st.integers(1, 2)),
        "visits": st.integers(0, 2),
        "waits": st.integers(0, 1),
        "notes": st.sets(st.integers(1, 3)),
    }
)
RANKS = 5
PEOPLE = st.lists(OWNED, min_size=3, max_size=3)
MERGES = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=1, max_size=4)


def make(doing: Act, clinic: Clinic, payer_id: UUID, example: int, number: int, owned: dict[str, Any]) -> UUID:
    """Register somebody with what they own; numbers and contacts are shared by all of an example."""

    def of(name: str) -> Sequence[int]:
        value = owned[name]
        return range(value) if isinstance(value, int) else sorted(value)

    shared = tuple(Identifier(system=f"urn:oid:1.{example}", value=str(each), kind="PI") for each in of("numbers"))
    contacts = tuple(Contact(kind="home", value=f"555-{example:02}{each}") for each in of("contacts"))
    row = register(doing, clinic, despite="generated", identifiers=shared, contacts=contacts)
    for each in of("relatives"):
        service.add_related(doing, row, NewRelatedPerson(relationship="spouse", family="Delgado", given=f"L{each}"))
    for _ in of("consents"):
        service.record_consent(doing, row, NewConsent(kind="treatment", state="given", effective_on=NOW.date()))
    for rank in of("ranks"):
        starts = date(2026, 1, 1)
        coverage.add(doing, row, NewCoverage(payer_id=payer_id, member_id=f"M{rank}", starts=starts, rank=rank))
    for each in of("visits"):
        start = wall(3, 0) + timedelta(days=example, hours=3 * number + each)
        schedule.book(doing, clinic.told(start, patient_id=row.patient_id))
    for _ in of("waits"):
        when = {"not_before": date(2026, 5, 1), "not_after": date(2026, 6, 1)}
        about = {"location_id": clinic.location_id, "visit_type_id": clinic.visit_type_id, **when}
        waitlist.join(doing, NewWaitlistEntry.model_validate({"patient_id": row.patient_id, **about}))
    for each in of("notes"):
        doing.session.connection().exec_driver_sql(
            "INSERT INTO made_tomorrow VALUES (%s, %s, %s)", (row.patient_id, each, f"note {number}")
        )
    return row.patient_id


def test_what_is_merged_leaves_nothing_behind_and_is_restored_to_the_row(database: Database) -> None:
    clinic = open_clinic(database, patients=1)
    with act(database, CLERK, moment=NOW) as doing:
        payer = organisation.add_payer(doing, NewPayer(number="P1", name="Prairie", filing_indicator="CI"))
        doing.session.connection().exec_driver_sql(_TOMORROW)
    examples = count()

    @settings(max_examples=12, deadline=None)
    @given(people=PEOPLE, merges=MERGES)
    def holds(people: list[dict[str, Any]], merges: list[tuple[int, int]]) -> None:
        example = next(examples)
        with act(database, CLERK, moment=NOW) as doing:
            made = enumerate(people)
            ids = [make(doing, clinic, payer.payer_id, example, number, owned) for number, owned in made]
        with database.begin() as unit:
            before = everything(unit)
            assert "made_tomorrow" in before
        done: list[UUID] = []
        gone: set[int] = set()
        for survivor, merged in merges:
            if survivor == merged or {survivor, merged} & gone:
                continue
            try:
                with act(database, CLERK, moment=NOW) as doing:
                    done.append(merging.merge(doing, ids[survivor], ids[merged], "registered twice").merge_id)
            except ConflictError:  # the three have more coverages than there are ranks: nothing has happened
                assert sum(map(len, (each["ranks"] for each in people))) > RANKS
                continue
            gone.add(merged)
            assert_nothing_points_to(database, [ids[each] for each in gone])
        for merge_id in reversed(done):
            with act(database, CLERK, moment=NOW) as doing:
                merging.unmerge(doing, merge_id)
        with database.begin() as unit:
            assert everything(unit) == before

    holds()


def assert_nothing_points_to(database: Database, ids: list[UUID]) -> None:
    with database.begin() as unit:
        for each in moving.references(unit.driver):
            query = f"SELECT count(*) FROM {each.table} WHERE {each.column} = ANY(%s)"
            assert unit.driver.execute(query, (ids,)).fetchall() == [(0,)], each


def test_every_table_of_patients_is_known_to_the_merge(database: Database) -> None:
    """A table made without its foreign key would be left behind by merges: it must be declared here, or get one."""
    with database.begin() as unit:
        found = {name for (name,) in unit.driver.execute(_WITHOUT_FOREIGN_KEY)}
    assert found <= _OF_THE_RECORD | _OF_WHAT_HAPPENED | _OF_ANY_SOURCE


NAMES = st.text(alphabet="abcdefghijklmnopqrstuvwxyzéñü", min_size=3, max_size=12).map(str.title)
SLIPS = st.sampled_from(["none", "case", "accent", "initial", "given", "family and number", "born swapped"])


def test_whoever_is_registered_twice_is_shown(database: Database) -> None:
    clinic = open_clinic(database, patients=1)

    @settings(max_examples=25, deadline=None)
    @given(family=NAMES, given_name=NAMES, born=st.dates(date(1930, 1, 1), date(2020, 12, 28)), slip=SLIPS)
    def holds(family: str, given_name: str, born: date, slip: str) -> None:
        number = Identifier(system="urn:oid:1.2.3", value=f"{family}{given_name}{born}", kind="PI")
        who = {"family": family, "given": given_name, "birth_date": born, "identifiers": (number,)}
        with act(database, CLERK, moment=NOW) as doing:
            first = service.register(doing, told(clinic, **who), despite="generated").patient_id
        again = {**who, "identifiers": (), **_slipped(slip, family, given_name, born, number)}
        with database.begin() as unit:
            shown = repository.candidates(unit.session, told(clinic, **again))
        assert first in [each.patient.patient_id for each in shown]

    holds()


def _slipped(slip: str, family: str, given_name: str, born: date, number: Identifier) -> dict[str, object]:
    """Return how somebody is told the second time, as desks do: still enough of the same."""
    if slip == "case":
        return {"family": family.upper(), "given": given_name.lower()}
    if slip == "accent":
        plain = str.maketrans("éñü", "enu")
        return {"family": family.translate(plain), "given": given_name.translate(plain)}
    if slip == "initial":
        return {"given": given_name[0]}
    if slip == "given":
        return {"given": "Somebody"}
    if slip == "family and number":
        return {"family": "Married", "birth_date": date(1999, 9, 9), "identifiers": (number,)}
    if slip == "born swapped" and born.day <= 12:
        return {"birth_date": born.replace(month=born.day, day=born.month)}
    return {}
