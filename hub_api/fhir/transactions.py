"""A transaction: what all its entries want happens, in one database transaction, or none of it (R4 section 3.1.0.11.2).

Deletions come first, so that a condition does not find what this transaction deletes. Then conditions are looked for,
entries get their ids, references to entries become those, and all is written at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from ehr_pm.stating import close_types, lock
from hub_api.fhir.carrying_out import Writing, within
from hub_api.fhir.conditions import Condition, read_condition
from hub_api.fhir.deciding import writing
from hub_api.fhir.incoming import checked, chosen_id, is_id, settled, still
from hub_api.fhir.outcome import OutcomeError
from hub_api.fhir.patches.reading import Patch, carried, read_patch
from hub_api.fhir.wishes import Done, Interaction, Wish, version_wanted
from hub_core.fhir import references
from hub_core.fhir.ids import new_id
from hub_core.fhir.registry import RESOURCE_TYPES

if TYPE_CHECKING:
    from hub_api.fhir.entries import Entry
    from hub_core.fhir.canonical import Json

_INTERACTIONS: Final[dict[str, Interaction]] = {
    "DELETE": "delete",
    "POST": "create",
    "PUT": "update",
    "PATCH": "update",
}


class Transaction:
    """The writing entries of one transaction, ready to be carried out; that may be tried more than once."""

    def __init__(self, entries: Sequence[Entry], base: str) -> None:
        """Read what the entries want.

        Raises:
            OutcomeError: if one of them is nothing that can be wanted.
            UnreadableError: if a condition cannot be read.
        """
        self._base = base
        self._conditions: dict[str, Condition] = {}
        self._patches: dict[str, Patch] = {}
        self._wishes = [self._read(each) for each in entries]
        self._full_urls = {each.place: each.full_url for each in entries if each.full_url}
        if len(set(self._full_urls.values())) < len(self._full_urls):
            raise OutcomeError(400, "two entries have the same fullUrl", code="duplicate", expression="Bundle.entry")

    def carry_out(self, act: Writing) -> dict[str, Done]:
        """Carry out all entries, and return what became of each by its place.

        Raises:
            RefusedError: if the caller may not do one of them.
            OutcomeError: if one of them cannot be done.
        """
        close_types(act.connection, [each.search.resource_type for each in self._conditions.values()])
        gone = self._found(act, [wish for wish in self._wishes if wish.interaction == "delete"])
        done = self._stated(act, gone)
        found = self._found(act, [wish for wish in self._wishes if wish.interaction != "delete"])
        if self._patches:  # all at once, in the order in which everybody locks
            lock(act.connection, [each.key for each in found if isinstance(each, Wish)])
        names = self._names(found)
        settled_wishes = [each if isinstance(each, Done) else self._settled(act, each, names) for each in found]
        return done | self._stated(act, settled_wishes)

    def _read(self, entry: Entry) -> Wish:
        with within(entry.place):
            writing(entry.resource_type)
            wanted = version_wanted(entry.headers.get("if-match"))
            sent = self._sent(entry)
            if entry.method == "PUT" and entry.resource_id and (sent or {}).get("id") != entry.resource_id:
                place = f"{entry.resource_type}.id"
                raise OutcomeError(
                    400, "the resource bears another id than its address", code="invalid", expression=place
                )
            if entry.resource_id and not is_id(entry.resource_id):
                chosen_id(entry.resource_id)
            query = entry.headers.get("if-none-exist", "") if entry.method == "POST" else entry.query
            if query:
                self._conditions[entry.place] = read_condition(
                    entry.resource_type, query.rpartition("?")[2], self._base
                )
        resource_id = entry.resource_id or str(new_id())
        interaction = _INTERACTIONS[entry.method]
        return Wish(interaction, entry.resource_type, resource_id, sent, wanted, entry.place)

    def _sent(self, entry: Entry) -> Json | None:
        """Return the resource that an entry brings; of a patch, which is remembered, none."""
        if entry.method == "PATCH":
            self._patches[entry.place] = read_patch(*carried(entry.resource or {}))
            return None
        return None if entry.resource is None else checked(entry.resource, entry.resource_type)

    def _found(self, act: Writing, wishes: Sequence[Wish]) -> list[Wish | Done]:
        return [act.find(each, self._conditions[each.place]) if each.place in self._conditions else each
                for each in wishes]  # fmt: skip

    def _stated(self, act: Writing, found: Sequence[Wish | Done]) -> dict[str, Done]:
        wishes = [each for each in found if isinstance(each, Wish)]
        seen: set[tuple[str, str]] = set()
        for wish in wishes:
            if wish.key in seen:
                raise OutcomeError(400, "two entries are about this resource", code="duplicate", expression=wish.place)
            seen.add(wish.key)
        there = [each for each in found if isinstance(each, Done)]
        return {each.wish.place: each for each in (*there, *(act.carry_out(wishes) if wishes else ()))}

    def _names(self, found: Sequence[Wish | Done]) -> dict[str, str]:
        """Return what references mean that name an entry by its fullUrl, or by what its own server calls it."""
        names: dict[str, str] = {}
        for each in found:
            wish = each.wish if isinstance(each, Done) else each
            there = each.found if isinstance(each, Done) else None
            full_url = self._full_urls.get(wish.place)
            if full_url is None:
                continue
            meant = f"{wish.resource_type}/{there.resource_id if there else wish.resource_id}"
            names[full_url] = meant
            if (called := references.target(full_url)) is not None:
                names[f"{called.resource_type}/{called.resource_id}"] = meant
        return names

    def _settled(self, act: Writing, wish: Wish, names: dict[str, str]) -> Wish:
        def resolve(text: str) -> str | None:
            if text not in names and text.partition("?")[0] in RESOURCE_TYPES and "?" in text:
                kind, _, query = text.partition("?")
                names[text] = act.refer(read_condition(kind, query, self._base))
            return names.get(text)

        with within(wish.place):
            if wish.place not in self._patches:
                return replace(wish, resource=settled(wish.resource or {}, self._base, resolve))
            patch = self._patches[wish.place]
            return act.changed(wish, lambda resource: still(patch(resource), *wish.key, self._base, resolve))
