"""Errors that every gateway raises, whatever it talks to.

Decides the kinds; the tree is drawn in `GatewayError`.
"""

from __future__ import annotations


class GatewayError(Exception):
    """A call to Azure that did not do what was asked. `code` and `message` are Azure's own."""

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
    """The resource is not there."""


class Refused(GatewayError):
    """Azure understood the request and said no."""


class Unavailable(GatewayError):
    """Azure did not get to it: throttled, broken or unreachable. `retry_after_s` is the server's own word, if any."""
