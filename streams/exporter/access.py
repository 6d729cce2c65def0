"""Who may read posts and events: everybody, or who has the token."""

from __future__ import annotations

from hmac import compare_digest

from starlette.requests import Request

from streams.exporter.problems import Problem


class Access:
    """A bearer token (RFC 6750) that is asked for; None: nothing is."""

    def __init__(self, token: str | None = None) -> None:
        self._token = None if token is None else token.encode()

    @property
    def closed(self) -> bool:
        return self._token is not None

    def check(self, request: Request) -> None:
        """Raises `Problem` (401) where the request does not carry the token."""
        if self._token is None:
            return
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        # Compared whole and in constant time, so that nobody can guess it piece by piece.
        if not compare_digest(given.strip().encode(), self._token) or scheme.lower() != "bearer":
            raise Problem(
                401,
                "send the header Authorization: Bearer … with the exporter's token",
                headers={"www-authenticate": 'Bearer realm="streams"'},
            )
