"""Writes the search index of stored resources anew, portion after portion, while others read and write.

With every type it is kept how its resources are indexed (`definition_of`), and up to which key of theirs the rows are
already those of today: after an upgrade that indexes a type in another way, its resources are gone through once. What
is written meanwhile has today's rows anyway; going over it finds nothing to change. Interrupted, it goes on from there.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ehr_pm.record.bodies import unpack
from ehr_pm.record.index import write_index
from hub_core.fhir.canonical import load_object
from hub_core.fhir.registry import RESOURCE_TYPES
from hub_core.fhir.search_parameters import definition_of

if TYPE_CHECKING:
    import psycopg

_STORED = """
SELECT kind FROM unnest(%s::text[]) kind WHERE {} EXISTS (SELECT 1 FROM resource r WHERE r.resource_type = kind)
"""
_SAY = """
INSERT INTO search_definition (resource_type, definition, indexed_to, is_done, changed_at)
SELECT kind, definition, 0, %(is_done)s, now() FROM unnest(%(kinds)s::text[], %(definitions)s::text[])
AS said (kind, definition) ORDER BY kind
ON CONFLICT (resource_type) DO UPDATE
SET definition = excluded.definition, indexed_to = 0, is_done = excluded.is_done, changed_at = now()
"""


def begin_empty(connection: psycopg.Connection[Any]) -> None:
    """Say that types without resources are indexed as today: there is nothing to go through."""
    empty = connection.execute(_STORED.format("NOT"), (sorted(RESOURCE_TYPES),)).fetchall()
    _say(connection, [kind for (kind,) in empty], is_done=True)


def stale(connection: psycopg.Connection[Any]) -> list[str]:
    """Return the types that have resources whose rows may not be those of today."""
    rows = connection.execute("SELECT resource_type, definition FROM search_definition WHERE is_done").fetchall()
    done = dict(rows)
    behind = [kind for kind in sorted(RESOURCE_TYPES) if done.get(kind) != definition_of(kind)]
    return [kind for (kind,) in connection.execute(_STORED.format(""), (behind,)).fetchall()]


def begin(connection: psycopg.Connection[Any], kinds: Iterable[str]) -> None:
    """Let types be gone through from their first resource on."""
    _say(connection, list(kinds), is_done=False)


def go_on(connection: psycopg.Connection[Any], kinds: list[str], *, limit: int) -> int:
    """Index the next resources of some types, and return how many; 0 when all are.

    Args:
        connection: a transaction of its own.
        kinds: the types.
        limit: how many resources at most.
    """
    rows = connection.execute(
        "SELECT resource_type, definition, indexed_to FROM search_definition WHERE resource_type = ANY(%s)"
        " ORDER BY resource_type FOR UPDATE",
        (kinds,),
    ).fetchall()
    known = {kind: (definition, indexed_to) for kind, definition, indexed_to in rows}
    begin(connection, [kind for kind in kinds if kind not in known or known[kind][0] != definition_of(kind)])
    reached = min(known[kind][1] if kind in known and known[kind][0] == definition_of(kind) else 0 for kind in kinds)
    keys = [
        key
        for (key,) in connection.execute(
            "SELECT resource_key FROM resource WHERE resource_type = ANY(%s) AND resource_key > %s AND NOT deleted"
            " ORDER BY resource_key LIMIT %s",
            (kinds, reached, limit),
        ).fetchall()
    ]
    _index(connection, keys)
    connection.execute(
        "UPDATE search_definition SET indexed_to = %s, is_done = %s, changed_at = now() WHERE resource_type = ANY(%s)",
        (keys[-1] if keys else reached, len(keys) < limit, kinds),
    )
    return len(keys)


def _index(connection: psycopg.Connection[Any], keys: list[int]) -> None:
    # Locked in the order in which whoever writes them locks them, and read once nobody moves them any more.
    connection.execute(
        "SELECT 1 FROM resource WHERE resource_key = ANY(%s) ORDER BY resource_type, resource_id FOR UPDATE", (keys,)
    ).fetchall()
    rows = connection.execute(
        "SELECT r.resource_key, v.body FROM resource r"
        " JOIN resource_version v ON v.batch_key = r.batch_key AND v.ordinal = r.ordinal"
        " WHERE r.resource_key = ANY(%s) AND NOT r.deleted",
        (keys,),
    ).fetchall()
    resources = [(key, load_object(unpack(body, "resource_key", key))) for key, body in rows]
    write_index(connection, resources, replaced=[key for key, _ in rows])


def _say(connection: psycopg.Connection[Any], kinds: list[str], *, is_done: bool) -> None:
    connection.execute(
        _SAY, {"kinds": kinds, "definitions": [definition_of(kind) for kind in kinds], "is_done": is_done}
    )
