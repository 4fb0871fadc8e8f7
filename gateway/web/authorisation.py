"""Bearer tokens (RFC 6750) in the Authorization header only; a token in a URL is not looked at."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import ParamSpec, TypeVar

from flask import g, request

from gateway.errors import Forbidden, TooFast, Unauthenticated
from gateway.flow.access import Access
from gateway.flow.shares import Shares
from gateway.records import Principal, Scope
from gateway.web.journal import note
from gateway.web.pace import at_end

P = ParamSpec("P")
R = TypeVar("R")
MAX_TOKEN = 200


class Guard:
    """Lets a view run only for a principal who holds its scope, within its agency's share."""

    def __init__(self, access: Access, shares: Shares) -> None:
        self._access = access
        self._shares = shares

    def needs(self, scope: Scope) -> Callable[[Callable[P, R]], Callable[P, R]]:
        """Decorate a view with the one scope it needs; the principal is then `principal()`."""

        def decorate(view: Callable[P, R]) -> Callable[P, R]:
            @wraps(view)
            def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
                g.principal = self._authenticate()
                with self._share_of(g.principal):
                    if scope not in g.principal.scopes:
                        raise Forbidden(detail=f"needs {scope}")
                    return view(*args, **kwargs)

            return guarded

        return decorate

    @contextmanager
    def _share_of(self, by: Principal) -> Iterator[None]:
        if by.agency_id is None:  # staff, who are few
            yield
            return
        try:
            self._shares.take(by.agency_id)
        except TooFast as refusal:
            if self._shares.is_worth_telling(by.agency_id):
                self._access.turn_away(by, refusal.code)
            raise
        try:
            yield
        finally:
            # Not before the answer has left: who reads it slowly holds a thread all the same.
            agency_id = by.agency_id
            at_end(request.environ, lambda _: self._shares.give_back(agency_id))

    def _authenticate(self) -> Principal:
        scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not 0 < len(secret) <= MAX_TOKEN:
            raise Unauthenticated(detail="no bearer token")
        principal = self._access.authenticate(
            secret, source=request.remote_addr, request_id=g.request_id
        )
        note(agency=principal.agency_id)
        return principal


def principal() -> Principal:
    """Who is asking, in a view that a Guard let run."""
    found: Principal = g.principal
    return found
