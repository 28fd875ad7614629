"""Groups of patient records that are one person: a disjoint-set forest."""

from __future__ import annotations

from collections.abc import Iterable, Iterator


class Groups:
    """Disjoint groups of patient ids."""

    def __init__(self, patients: Iterable[str]) -> None:
        """Begin with every patient alone."""
        self._parent = {patient: patient for patient in patients}

    def join(self, one: str, other: str) -> None:
        """Make the groups of two patients one."""
        for patient in (one, other):
            self._parent.setdefault(patient, patient)
        first, second = sorted((self._root(one), self._root(other)))
        self._parent[second] = first

    def members(self) -> list[str]:
        """Return every patient of every group."""
        return list(self._parent)

    def __iter__(self) -> Iterator[list[str]]:
        """Yield the groups, each in order of its ids."""
        groups: dict[str, list[str]] = {}
        for patient in sorted(self._parent):
            groups.setdefault(self._root(patient), []).append(patient)
        yield from groups.values()

    def _root(self, patient: str) -> str:
        while self._parent[patient] != patient:
            self._parent[patient] = self._parent[self._parent[patient]]
            patient = self._parent[patient]
        return patient
