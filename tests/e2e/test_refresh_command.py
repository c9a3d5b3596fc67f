"""The pipeline's command `tools.refresh` against the local app."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from simulator.clock import Clock, run
from tests.support.worlds.builders import VM_ID
from tests.support.worlds.local_azure import LocalAzure, disk_body, local_azure, vm_body
from tools import refresh
from tools.shared.api_client import Api, ApiError, headers_of
from tools.shared.api_summary import page_of_run


async def command(azure: LocalAzure, *arguments: str, env: Mapping[str, str]) -> int:
    options = refresh.parse([*arguments, "--app", azure.functions, "--poll-s", "5"])
    return await refresh.ask(options, env)


def test_a_pipeline_plans_swaps_and_rolls_back(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Dry run, swap, rollback and a refusal have a page that names the VM, and the right exit code."""
    env = {"GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md")}

    async def story(azure: LocalAzure) -> None:
        planned = await command(azure, "swap", "--vms", "web01", "--disk", "web01-new", "--dry-run", env=env)
        assert planned == refresh.DONE
        assert "dry run" in capsys.readouterr().out
        assert await azure.os_disk(VM_ID) == "web01-old"

        assert await command(azure, "swap", "--vms", "web01", "--disk", "web01-new", env=env) == refresh.DONE
        assert await azure.os_disk(VM_ID) == "web01-new"
        page = capsys.readouterr().out
        assert "| web01 | succeeded | web01-old | web01-new |" in page
        assert page in (tmp_path / "summary.md").read_text()

        assert await command(azure, "rollback", "--vms", "web01", env=env) == refresh.DONE
        assert await azure.os_disk(VM_ID) == "web01-old"
        assert await command(azure, "swap", "--vms", "web01", "--disk", "nowhere", env=env) == refresh.BAD
        with pytest.raises(ApiError, match='must have "vms"'):
            await command(azure, "swap", env=env)

    async def main(clock: Clock) -> None:
        async with local_azure(clock, [vm_body(), disk_body("web01-new")]) as azure:
            await story(azure)

    # The command waits in a thread, which a virtual clock does not notice.
    run(main, Clock("real", speed=60))


def test_a_workflow_signs_in_with_its_own_identity() -> None:
    """The workflow's identity token is exchanged for a token of the app for each request, without a secret."""
    requests: list[tuple[str, dict[str, str]]] = []

    async def answer(request: web.Request) -> web.Response:
        form = {key: str(value) for key, value in (await request.post()).items()}
        requests.append((request.path_qs, {**form, "bearer": request.headers.get("Authorization", "")}))
        if request.path == "/github":
            return web.json_response({"value": "from-github"})
        if request.path.endswith("/token"):
            return web.json_response({"access_token": f"token-{len(requests)}"})
        return web.json_response({"id": "x"})

    async def story(base: str) -> None:
        env = {
            "ACTIONS_ID_TOKEN_REQUEST_URL": f"{base}/github?v=1",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "once",
            "AZURE_TENANT_ID": "tenant",
            "AZURE_CLIENT_ID": "me",
        }
        api = Api(base, headers_of(env, "api://app", login=base))
        await api.call("GET", "/api/runs/x")
        await api.call("GET", "/api/runs/x")
        paths = [path for path, _ in requests]
        assert paths[:3] == [
            "/github?v=1&audience=api%3A%2F%2FAzureADTokenExchange",
            "/tenant/oauth2/v2.0/token",
            "/api/runs/x",
        ]
        exchange = requests[1][1]
        assert (exchange["client_assertion"], exchange["scope"]) == ("from-github", "api://app/.default")
        assert [form["bearer"] for path, form in requests if path.startswith("/api")] == [
            "Bearer token-2",
            "Bearer token-5",
        ]

    asyncio.run(_serving(answer, story))


async def _serving(answer: Any, story: Any) -> None:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        await story(f"http://127.0.0.1:{runner.addresses[0][1]}")
    finally:
        await runner.cleanup()


def test_a_token_goes_over_https_only() -> None:
    """An address of another machine without https is refused before a request is sent."""
    with pytest.raises(ApiError, match="https"):
        Api("http://example.com", dict)


def test_a_page_escapes_markdown_and_html() -> None:
    """Text of a tag writer in a name or message stays text inside its cell."""
    row = {"vm": "web01", "status": "refused", "message": "a | b <img src=x> [x](http://x) `\n# y"}
    page = page_of_run({"id": "swaps-1", "status": "refused", "vms": [row]})
    (line,) = [line for line in page.splitlines() if line.startswith("| web01")]
    assert "\\| b \\<img" in line
    assert "\\[x](" in line
    assert "\\`" in line
