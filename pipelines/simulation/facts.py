"""How facts are declared: as frozen dataclasses to whoever checks the types, and as quick ones when they are made.

Freezing makes an object eight times as slow to create, and a million people are some hundred million facts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from dataclasses import dataclass as fact
else:
    _T = TypeVar("_T")

    def fact(*, frozen: bool, slots: bool) -> Callable[[type[_T]], type[_T]]:
        """Return a decorator that makes a dataclass, hashable as a frozen one is."""
        return dataclass(slots=slots, unsafe_hash=frozen)


__all__ = ["fact"]
