"""Passwords are hashed at the cost that holds outside of tests, which hash them at the least."""

from __future__ import annotations

from argon2 import Type

from hub_core.principals import _hasher


def test_a_password_costs_what_rfc_9106_asks_of_small_machines() -> None:
    hasher = _hasher()
    assert hasher.type is Type.ID
    assert (hasher.time_cost, hasher.memory_cost, hasher.parallelism) == (3, 64 * 1024, 4)
