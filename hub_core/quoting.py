"""Texts and names as standard SQL writes them, for the places in a statement that take no parameter."""

from __future__ import annotations


def literal(text: str) -> str:
    """Return the literal of a text."""
    return "'" + text.replace("'", "''") + "'"


def identifier(name: str) -> str:
    """Return the name of a table, a view or a column, whatever characters it has."""
    return '"' + name.replace('"', '""') + '"'
