"""The shape of the JSON a view reads: only the elements its paths name."""

from __future__ import annotations

from dataclasses import dataclass, field

_STORED_AS = {
    "boolean": "BOOLEAN",
    "integer": "BIGINT",
    "integer64": "BIGINT",
    "positiveInt": "BIGINT",
    "unsignedInt": "BIGINT",
    "decimal": "DOUBLE",
}


@dataclass(slots=True)
class Shape:
    """One element as it appears in the JSON: a primitive, or an object of which some children are read."""

    type: str
    many: bool = False
    primitive: bool = False
    written: bool = False
    """Whether a number is read as its text, with every digit."""
    children: dict[str, Shape] = field(default_factory=dict)

    def child(self, name: str, type_: str, *, many: bool, primitive: bool, written: bool = False) -> Shape:
        """Return the child called `name` in the JSON, adding it to what is read."""
        return self.children.setdefault(name, Shape(type_, many=many, primitive=primitive, written=written))

    @property
    def stored_as(self) -> str:
        """Return the SQL type of a primitive, as dialects are asked for it."""
        return "VARCHAR" if self.written else _STORED_AS.get(self.type, "VARCHAR")

    def written_names(self) -> set[str]:
        """Return the names of all numbers below that are read as their text."""
        names = {name for name, child in self.children.items() if child.written}
        return names.union(*(child.written_names() for child in self.children.values()))
