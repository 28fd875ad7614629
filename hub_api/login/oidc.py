"""Staff log in where their organisation knows them: OpenID Connect's authorization code with PKCE, state and nonce.

It opens the same session as a password does, for somebody whom an administrator linked beforehand, and for nobody else.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import urlencode
from uuid import UUID

import anyio.to_thread
from fastapi import APIRouter, Form, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response

from hub_api.login.oidc_provider import Provider, ProviderError
from hub_api.login.oidc_token import Expected, TokenError, named, verify_identity, verify_logout
from hub_api.login.pages import login_page
from hub_api.login.session import led_in
from hub_api.security.caller import address_of
from hub_api.security.origin import safe_destination
from hub_api.services import services_of
from hub_core.audit import AuditEvent, Outcome, record
from hub_core.errors import NotFoundError
from hub_core.outside_identities import LOGIN_LASTS, Begun, begin, close_sessions, take_up, whose
from hub_core.principals import Outside, open_session

if TYPE_CHECKING:
    import psycopg

    from hub_core.settings import Settings

router = APIRouter(include_in_schema=False)

BROWSER_COOKIE: Final = "wholechart_login"
"""Ties a log-in on its way to the browser that began it, so that nobody is logged in by a stranger's link."""
_PATH: Final = "/login/oidc"
_REFUSED: Final = "Your organisation's log-in was not accepted here. Ask an administrator whether you are known."
"""One answer to everything wrong; the audit trail says which."""

T = TypeVar("T")


@router.get(_PATH)
async def lead_out(request: Request, next: str = "/") -> Response:
    """Lead somebody to the provider."""
    services, provider = services_of(request), _provider(request)
    state, browser, verifier, nonce = (secrets.token_urlsafe(32) for _ in range(4))
    try:
        address = (await _ask(request, provider.discover)).authorization_endpoint
    except ProviderError as error:
        return await _refuse(request, str(error))
    begun = Begun(nonce, verifier, safe_destination(next, request, services.settings))
    await services.query(partial(begin, begun=begun, state=state, browser=browser))
    asked = {
        "response_type": "code",
        "client_id": provider.client_id,
        "redirect_uri": _return_address(request),
        "scope": "openid email" if services.settings.oidc_claim == "email" else "openid profile",
        "state": state,
        "nonce": nonce,
        "code_challenge": _challenge(verifier),
        "code_challenge_method": "S256",
    }
    if services.settings.oidc_acr:
        asked["acr_values"] = services.settings.oidc_acr
    answer = RedirectResponse(f"{address}{'&' if '?' in address else '?'}{urlencode(asked)}", 303)
    answer.set_cookie(
        BROWSER_COOKIE,
        browser,
        max_age=int(LOGIN_LASTS.total_seconds()),
        path=_PATH,
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
    )
    return answer


@router.get(f"{_PATH}/return")
async def come_back(
    request: Request, state: str = "", code: str = "", iss: str | None = None, error: str | None = None
) -> Response:
    """Open a session for whoever comes back from the provider, if they are known here."""
    services, provider = services_of(request), _provider(request)
    browser = request.cookies.get(BROWSER_COOKIE, "")
    begun = await services.query(partial(take_up, state=state, browser=browser))
    if begun is None:
        return await _refuse(request, "state")
    if error is not None or not code or iss not in (None, provider.issuer):
        return await _refuse(request, "answer")
    try:
        claims = await _ask(request, partial(_claims, provider, code, begun, _return_address(request)))
        identity = _identity(claims, services.settings)
    except (ProviderError, TokenError) as wrong:
        return await _refuse(request, str(wrong))
    secret = await services.query(partial(_open, identity=identity, address=address_of(request)))
    if secret is None:
        return login_page(request, services.settings, wanted=None, status=403, problem=_REFUSED)
    answer = led_in(request, begun.destination, secret)
    answer.delete_cookie(BROWSER_COOKIE, path=_PATH)
    return answer


@router.post(f"{_PATH}/logout")
async def end_sessions(request: Request, logout_token: str = Form(max_length=20_000)) -> Response:
    """End the sessions of somebody who logged out at the provider (OpenID Connect Back-Channel Logout 1.0)."""
    services, provider = services_of(request), _provider(request)
    try:
        outside = await _ask(request, partial(verify_logout, logout_token, provider.keys, _expected(provider)))
    except (ProviderError, TokenError) as error:
        event = _event(None, address_of(request), "session.close", "refused", str(error))
        await asyncio.wrap_future(services.audit.write(event))
        return JSONResponse({"error": "invalid_request"}, 400)

    def close(connection: psycopg.Connection[Any]) -> None:
        for principal_id in close_sessions(connection, provider.issuer, outside):
            record(connection, _event(principal_id, address_of(request), "session.close"))

    await services.query(close)
    return Response(status_code=200)


@dataclass(frozen=True, slots=True)
class _Identity:
    """Somebody whom the provider has just vouched for."""

    issuer: str
    claim: str
    value: str
    subject: str
    session: str | None


def _identity(claims: Mapping[str, Any], settings: Settings) -> _Identity:
    if settings.oidc_acr and claims.get("acr") != settings.oidc_acr:
        raise TokenError("acr")
    session = claims.get("sid")
    value = named(claims, settings.oidc_claim)
    return _Identity(claims["iss"], settings.oidc_claim, value, claims["sub"], str(session) if session else None)


def _open(connection: psycopg.Connection[Any], *, identity: _Identity, address: str) -> str | None:
    """Return the secret of a new session, if an administrator has linked the identity to somebody who works here."""
    linked = whose(connection, identity.issuer, identity.claim, identity.value)
    principal_id = None if linked is None else linked.principal.principal_id
    if linked is None or not linked.is_active:
        reason = "not linked" if linked is None else "ended"
        record(connection, _event(principal_id, address, outcome="refused", reason=reason))
        return None
    record(connection, _event(principal_id, address))
    outside = Outside(linked.identity_id, identity.subject, identity.session)
    return open_session(connection, linked.principal, outside=outside)


def _claims(provider: Provider, code: str, begun: Begun, return_address: str) -> Mapping[str, Any]:
    token = provider.redeem(code, begun.verifier, return_address)
    return verify_identity(token, provider.keys, _expected(provider), nonce=begun.nonce)


def _expected(provider: Provider) -> Expected:
    return Expected(provider.issuer, provider.client_id)


def _provider(request: Request) -> Provider:
    provider = services_of(request).provider
    if provider is None:
        raise NotFoundError("log-in by an organisation's own provider is not set up here")
    return provider


async def _ask(request: Request, work: Callable[[], T]) -> T:
    """Return what the provider answers, asked on a thread: few at once, so that a slow one holds nobody else up."""
    return await anyio.to_thread.run_sync(work, limiter=services_of(request).outside)


async def _refuse(request: Request, reason: str) -> Response:
    """Say that it did not work, once it is on record why."""
    services = services_of(request)
    event = _event(None, address_of(request), outcome="refused", reason=reason)
    await asyncio.wrap_future(services.audit.write(event))
    return login_page(request, services.settings, wanted=None, status=403, problem=_REFUSED)


def _event(
    principal_id: UUID | None,
    address: str,
    action: str = "session.open",
    outcome: Outcome = "success",
    reason: str = "",
) -> AuditEvent:
    detail = {"address": address, "by": "provider"} | ({"reason": reason} if reason else {})
    return AuditEvent(principal_id, action, outcome=outcome, detail=detail)


def _return_address(request: Request) -> str:
    """Return the address the provider leads back to; behind a proxy, the one that people know."""
    own = services_of(request).settings.public_url or f"{request.url.scheme}://{request.url.netloc}"
    return f"{own.rstrip('/')}{_PATH}/return"


def _challenge(verifier: str) -> str:
    """Return what shows at the end that whoever redeems the code began the log-in (RFC 7636 section 4.2)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
