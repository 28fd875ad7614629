"""The one decision: may this principal go where they ask to go?

Deny by default: a path without a rule is the administrator's. Roles, purposes and consent come with the users of the
practice; they will be decided here too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from hub_core.principals import Principal

Rule: TypeAlias = Literal["public", "authenticated", "administrator"]
Decision: TypeAlias = Literal["allowed", "unauthenticated", "forbidden"]

PUBLIC_PATHS = frozenset(
    {"/login", "/health", "/health/ready", "/fhir/metadata", "/static/hub.css", "/static/mark.svg", "/favicon.ico"}
)
"""What a stranger may ask for: nothing that knows a patient."""
AUTHENTICATED_PATHS = frozenset({"/api/session", "/logout"})
"""What concerns nobody but the principal."""


def rule_for(path: str) -> Rule:
    """Return who may use a path."""
    if path in PUBLIC_PATHS:
        return "public"
    return "authenticated" if path in AUTHENTICATED_PATHS else "administrator"


def decide(principal: Principal | None, path: str) -> Decision:
    """Return whether a principal, or a stranger, may use a path."""
    rule = rule_for(path)
    if rule == "public":
        return "allowed"
    if principal is None:
        return "unauthenticated"
    return "allowed" if rule == "authenticated" or principal.is_administrator else "forbidden"
