"""Errors that every gateway raises.

GatewayError                a call failed; code and message are Azure's own
├── NotFound                the resource does not exist (404)
├── Refused                 Azure refused the request (400, 403, 409, 412): a retry does not help
└── Unavailable             throttled, server error, connection lost: retry after `retry_after_s`
    └── Unnamed             a list was read to its end, and some of its rows have no id
"""

from __future__ import annotations


class GatewayError(Exception):
    """A call to Azure that failed. `code` and `message` are Azure's own."""

    def __init__(
        self, code: str, message: str, *, status: int | None = None, retry_after_s: float | None = None
    ) -> None:
        """Keep Azure's `code` and `message`, the HTTP `status` and the server's own Retry-After in seconds."""
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.retry_after_s = retry_after_s


class NotFound(GatewayError):
    """The resource does not exist."""


class Refused(GatewayError):
    """Azure understood the request and refused it."""


class Unavailable(GatewayError):
    """Azure did not handle the request: throttled, broken or unreachable. `retry_after_s` is the server's, if any."""


class Unnamed(Unavailable):
    """Rows of a list have no id; every other row was given before."""
