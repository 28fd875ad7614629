"""Searches that Provenance made of envelopes answers, beside what sources sent of Provenance of their own.

Searches look among what is current, here too: the Provenance of the current version of each resource (US Core asks for
the last step). Those of older versions are read at their ids.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, cast

from ehr_pm.record import envelopes
from ehr_pm.record.envelopes import Version, Wanted
from ehr_pm.record.searching.criteria import Criterion, Indexed, Interval, IsOneOf, Recorded, Reference
from ehr_pm.record.searching.including import of_keys
from hub_api.fhir.provenance import PROVENANCE, Made, made, version_of_id

if TYPE_CHECKING:
    import psycopg

    from ehr_pm.record.envelopes import Envelope
    from ehr_pm.record.queries import Found
    from ehr_pm.record.searching.criteria import Include, Reach, Search

UNSUPPORTED: Final = (
    "only Provenance that sources sent is searched like this; what is made of the record's own envelopes is found by"
    " _id, target, patient, recorded and _lastUpdated, without modifiers and in no order of one's own"
)
_TARGET: Final = "target"
_OF_TARGETS: Final = frozenset({_TARGET, "patient"})


def wanted(search: Search) -> Wanted | None:
    """Return which envelopes a search for Provenance means; None if it asks for what they cannot be searched by."""
    found: Wanted | None = None if search.sort else Wanted()
    for criterion in search.criteria:
        found = None if found is None else _narrowed(found, criterion)
    return found


def _narrowed(found: Wanted, criterion: Criterion) -> Wanted | None:
    match criterion:
        case IsOneOf(ids, is_negated=False):
            versions = [version for each in ids if (version := version_of_id(each)) is not None]
            return replace(found, versions=_both(found.versions, versions))
        case Recorded(intervals):
            return replace(found, recorded=(*found.recorded, intervals))
        case Indexed("recorded", values, is_negated=False, suffix=""):
            return replace(found, recorded=(*found.recorded, cast("Sequence[Interval]", values)))
        case Indexed("target" | "patient" as param, values, is_negated=False, suffix=""):
            references = [each for each in values if isinstance(each, Reference)]
            if len(references) < len(values):
                return None
            if param == _TARGET:
                return replace(found, targets=(*found.targets, references))
            patients = [each.target_id for each in references if each.target_type in (None, "Patient")]
            return replace(found, patients=(*found.patients, patients))
    return None


def _both(before: Sequence[Version] | None, now: list[Version]) -> list[Version]:
    return now if before is None else [each for each in now if each in before]


def find(
    connection: psycopg.Connection[Any], sought: Wanted, *, limit: int, before: int, reach: Reach
) -> list[tuple[int, Made]]:
    """Return Provenance made of envelopes, each with the key of its resource, latest known resource first."""
    found = envelopes.find(connection, sought, limit=limit, before=before, reach=reach)
    return [(each.resource_key, made(each)) for each in found]


def beside(
    connection: psycopg.Connection[Any],
    matches: Sequence[Found],
    brought: Sequence[Found],
    includes: Iterable[Include],
) -> list[Made]:
    """Return the Provenance that `_revinclude=Provenance:target` asks for, of what may be seen itself."""
    versions: set[Version] = set()
    for include in includes:
        if include.is_reverse and include.source_type == PROVENANCE and _TARGET in include.params:
            versions |= {
                (each.resource_type, each.resource_id, each.version)
                for each in (*matches, *(brought if include.is_repeated else ()))
                if include.target_type in (None, each.resource_type)
            }
    return list(map(made, _of_versions(connection, versions)))


def targets(
    connection: psycopg.Connection[Any],
    shown: Iterable[Made],
    includes: Iterable[Include],
    *,
    reach: Reach,
    limit: int,
) -> list[Found]:
    """Return what `_include=Provenance:target` asks for beside Provenance that was made."""
    named = [version for each in shown if (version := version_of_id(each.resource_id)) is not None]
    keys: set[tuple[str, str]] = set()
    for include in includes:
        if include.is_reverse or include.source_type != PROVENANCE or _OF_TARGETS.isdisjoint(include.params):
            continue
        allowed = include.target_type if _TARGET in include.params else "Patient"
        keys |= {(kind, str(resource_id)) for kind, resource_id, _ in named if allowed in (None, kind)}
    return of_keys(connection, keys, reach=reach, limit=limit)


def _of_versions(connection: psycopg.Connection[Any], versions: set[Version]) -> list[Envelope]:
    return envelopes.of_versions(connection, sorted(versions)) if versions else []
