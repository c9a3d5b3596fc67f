"""The step after a deployment that runs the self-check, against the local app."""

from __future__ import annotations

import pytest
from aiohttp import web

from simulator.clock import Clock, run
from tests.support.worlds.local_azure import disk_body, local_azure, vm_body
from tools import selfcheck


def test_a_deployment_waits_until_the_app_has_passed(capsys: pytest.CaptureFixture[str]) -> None:
    """A run that fails because of a missing right is repeated, the page lists every check, and failure exits with 1."""
    denied = {"match": {"method": "GET", "path": "/permissions"}, "respond": {"status": 403, "body": {}}}

    async def main(clock: Clock) -> None:
        async with local_azure(clock, [vm_body(), disk_body("web01-new")]) as azure:
            env = {"FUNCTION_APP_URL": azure.functions}
            azure.simulator.services.faults.add([{**denied, "times": 1}])
            assert await selfcheck.ask(env, wait_s=300, pause_s=1) == 0
            page = capsys.readouterr().out
            assert "| dispatcher | passed |" in page
            azure.simulator.services.faults.add([{**denied, "times": 99}])
            assert await selfcheck.ask(env, wait_s=2, pause_s=0.5) == 1
            assert "| failed |" in capsys.readouterr().out

    # The command waits in a thread, which a virtual clock does not notice.
    run(main, Clock("real", speed=60))


@pytest.mark.parametrize("status", [401, 403])
def test_a_caller_without_access_is_referred_to_the_sweep(status: int, capsys: pytest.CaptureFixture[str]) -> None:
    """Without access to the API the deployment succeeds, because the sweep runs the self-check."""

    async def main(clock: Clock) -> None:
        async def refuse(_: web.Request) -> web.Response:
            return web.json_response({"title": "Not signed in", "detail": "no"}, status=status)

        app = web.Application()
        app.router.add_route("*", "/{tail:.*}", refuse)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        try:
            host, port = runner.addresses[0][:2]
            assert await selfcheck.ask({"FUNCTION_APP_URL": f"http://{host}:{port}"}) == 0
        finally:
            await runner.cleanup()
        assert "sweep" in capsys.readouterr().out

    run(main, Clock("real"))


def test_a_deployment_without_an_address_names_the_command_to_run() -> None:
    """The message names the variable and the command that sets it."""

    async def main(clock: Clock) -> None:
        with pytest.raises(ValueError, match=r"FUNCTION_APP_URL.*azd provision"):
            await selfcheck.ask({})

    run(main, Clock("virtual"))
