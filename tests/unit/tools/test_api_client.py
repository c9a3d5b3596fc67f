"""A token or a function key goes to the address of the app and to no other."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tools.shared.api_client import Api, ApiError, headers_of
from tools.shared.api_summary import page_of_run

KEY = {"x-functions-key": "secret-key"}


@contextmanager
def server(status: int, location: str = "") -> Iterator[tuple[str, list[dict[str, str]]]]:
    """A server that answers everything with `status`: its address, and the headers of every request."""
    requests: list[dict[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            requests.append({name.lower(): value for name, value in self.headers.items()})
            self.send_response(status)
            if location:
                self.send_header("Location", location)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        do_GET = do_POST = _answer

        def log_message(self, *_: object) -> None:
            pass

    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=running.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{running.server_address[1]}", requests
    finally:
        running.shutdown()
        thread.join()
        running.server_close()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_redirect_is_an_error_and_is_not_followed(status: int, method: str) -> None:
    """The key is sent once, to the app; the error has the status."""
    with server(200) as (other, stolen), server(status, f"{other}/api/runs") as (app, requests):
        with pytest.raises(ApiError) as caught:
            asyncio.run(Api(app, lambda: KEY).call(method, "/api/runs", {} if method == "POST" else None))
        assert caught.value.status == status
        assert [seen.get("x-functions-key") for seen in requests] == ["secret-key"]
        assert stolen == []


def test_the_token_of_a_workflow_is_not_redirected() -> None:
    """The request for the workflow's identity token has a token of its own."""
    with server(200) as (other, stolen), server(302, other) as (github, requests):
        env = {"ACTIONS_ID_TOKEN_REQUEST_URL": f"{github}/token?a=b", "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "secret"}
        env |= {"AZURE_TENANT_ID": "t", "AZURE_CLIENT_ID": "c"}
        with pytest.raises(ApiError):
            headers_of(env, "api://c")()
        assert len(requests) == 1
        assert stolen == []


@pytest.mark.parametrize(
    "address", ["http://app.example", "http://127.0.0.1@app.example", "ftp://127.0.0.1", "file:/x"]
)
def test_no_other_address_gets_a_token(address: str) -> None:
    """Tokens are sent over https, or to this machine."""
    with pytest.raises(ApiError):
        Api(address, lambda: KEY)
    env = {"ACTIONS_ID_TOKEN_REQUEST_URL": f"{address}/?a=b", "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "secret"}
    with pytest.raises(ApiError, match="https"):
        headers_of({**env, "AZURE_TENANT_ID": "t", "AZURE_CLIENT_ID": "c"}, "api://c")()


def test_a_proxy_gets_no_key_in_the_clear(monkeypatch: pytest.MonkeyPatch) -> None:
    """A request to this machine goes there directly, whatever proxy the environment names."""
    with server(200) as (app, requests), server(200) as (proxy, stolen):
        monkeypatch.setenv("http_proxy", proxy)
        monkeypatch.delenv("no_proxy", raising=False)
        assert asyncio.run(Api(app, lambda: KEY).call("GET", "/api/runs")) == {}
        assert len(requests) == 1
        assert stolen == []


def test_a_command_cannot_end_its_block() -> None:
    """Backticks in a command make the block's fence longer."""
    record: dict[str, Any] = {"id": "swap-x-1", "status": "needs-attention", "vms": []}
    assert "\n```sh\naz vm start\n```\n" in page_of_run({**record, "by_hand": ["az vm start"]})
    page = page_of_run({**record, "by_hand": ["az vm start --ids '```'"]})
    assert "\n````sh\naz vm start --ids '```'\n````\n" in page
