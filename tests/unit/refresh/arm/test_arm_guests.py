"""Reads about a guest, and the hosts that such requests may go to."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web

from refresh.arm import probes
from refresh.arm.guest_facts import guest_from_arm
from refresh.domain.azure.guests import Guest, Report
from refresh.domain.terms.probe import Probe
from refresh.gateways.errors import GatewayError, Refused, Unavailable
from simulator.clock import Clock, run
from tests.support.worlds.builders import GROUP
from tests.support.worlds.scripted_arm import VM, Answer, ScriptedArm, against

NIC = VM.replace("Microsoft.Compute/virtualMachines/web-1", "Microsoft.Network/networkInterfaces/web-1-nic")
NOWHERE = "http://127.0.0.1:1"
SIGNED = "https://md-x.blob.core.windows.net/log?sig=secret"


def refusal(arm: ScriptedArm, uri: str, *, local: bool = False) -> GatewayError:
    async def call(_: object) -> None:
        await probes.fetch_log(uri.replace("{base}", arm.base), local=local)

    with pytest.raises(GatewayError) as caught:
        against(arm, call)
    return caught.value


def test_a_guest_is_read_from_the_vms_body() -> None:
    """Both names, the primary network interface and the extension's report with its time are read."""
    nics = [{"id": "other", "properties": {"primary": False}}, {"id": NIC, "properties": {"primary": True}}]
    status = {"code": "HealthState/unhealthy", "time": "2026-11-01T02:00:00Z"}
    body = {
        "osProfile": {"computerName": "web-1"},
        "networkProfile": {"networkInterfaces": nics},
        "instanceView": {"computerName": "golden", "vmHealth": {"status": status}},
    }
    report = Report("unhealthy", "2026-11-01T02:00:00Z")
    assert guest_from_arm(body) == Guest("golden", "web-1", NIC, report, ("other", NIC))
    assert guest_from_arm({}) == Guest()


def test_the_private_address_is_the_primary_one() -> None:
    """Of several addresses the primary one is returned; an interface without addresses gives None."""
    first, second = ({"properties": {"privateIPAddress": f"10.0.0.{n}", "primary": n == 5}} for n in (4, 5))
    answer = Answer(body={"id": NIC, "properties": {"ipConfigurations": [first, second]}})
    assert against(ScriptedArm(answer), lambda gateways: gateways.guests.read_private_ip(NIC)) == "10.0.0.5"
    assert against(ScriptedArm(Answer(body={})), lambda gateways: gateways.guests.read_private_ip(NIC)) is None


def test_only_dynamic_public_addresses_are_returned() -> None:
    """Only the public addresses that a deallocated VM loses are returned, with one GET for each address."""
    addresses = [f"{NIC.rpartition('/networkInterfaces/')[0]}/publicIPAddresses/ip-{n}" for n in (1, 2)]
    blocks = [{"properties": {"publicIPAddress": {"id": one}}} for one in addresses] + [{"properties": {}}]
    kinds = [{"properties": {"publicIPAllocationMethod": kind}} for kind in ("Static", "Dynamic")]
    answers = [Answer(body={"properties": {"ipConfigurations": blocks}}), *(Answer(body=kind) for kind in kinds)]
    assert against(ScriptedArm(*answers), lambda gateways: gateways.guests.list_dynamic_ips(NIC)) == ["ip-2"]
    assert against(ScriptedArm(Answer(body={})), lambda gateways: gateways.guests.list_dynamic_ips(NIC)) == []


def test_dynamic_addresses_of_a_subscription_are_found_with_two_lists() -> None:
    """By interface, in lower case; without a dynamic address the interfaces are not listed."""

    def address(name: str, method: str) -> dict[str, Any]:
        return {"id": f"{GROUP}/x/{name}", "name": name, "properties": {"publicIPAllocationMethod": method}}

    def nic(name: str, *addresses: str) -> dict[str, Any]:
        blocks = [{"properties": {"publicIPAddress": {"id": f"{GROUP}/X/{each}"}}} for each in addresses]
        return {"id": f"{GROUP}/NICS/{name}", "properties": {"ipConfigurations": [*blocks, {"properties": {}}]}}

    subscription = GROUP.split("/")[2]
    addresses = {"value": [address("ip-1", "Static"), address("ip-2", "Dynamic"), {}, "odd"]}
    nics = {"value": [nic("a", "ip-1"), nic("B", "ip-2", "ip-1"), {}]}
    arm = ScriptedArm(Answer(200, addresses), Answer(200, nics))
    found = against(arm, lambda gateways: gateways.guests.list_all_dynamic_ips(subscription))
    assert found == {f"{GROUP}/nics/B".lower(): ["ip-2"]}
    arm = ScriptedArm(Answer(200, {"value": [address("ip-1", "Static")]}))
    assert against(arm, lambda gateways: gateways.guests.list_all_dynamic_ips(subscription)) == {}
    assert len(arm.requests) == 1


def test_resource_health_is_read_with_its_reason() -> None:
    """The state is in lower case, the time has Azure's spelling, and 404 means that there is no report."""
    reported = {"availabilityState": "Unavailable", "reasonType": "Unplanned", "occuredTime": "2026-11-01T02:00:00Z"}
    found = against(
        ScriptedArm(Answer(body={"properties": reported})), lambda gateways: gateways.guests.read_resource_health(VM)
    )
    assert found == Report("unavailable", "2026-11-01T02:00:00Z", "Unplanned")
    assert against(ScriptedArm(Answer(404)), lambda gateways: gateways.guests.read_resource_health(VM)) is None
    assert against(ScriptedArm(Answer(403)), lambda gateways: gateways.guests.read_resource_health(VM)) is None


def test_the_boot_log_is_fetched_from_the_uri_in_azures_answer() -> None:
    """One POST, then one GET without the app's token; with boot diagnostics off there is no log."""
    arm = ScriptedArm(Answer(body={"serialConsoleLogBlobUri": "{base}/log?sig=secret"}), Answer(body=b"web-1 login:"))
    assert against(arm, lambda gateways: gateways.guests.read_boot_log(VM)) == "web-1 login:"
    assert [sent.method for sent in arm.requests] == ["POST", "GET"]
    assert "Authorization" not in arm.requests[1].headers
    assert against(ScriptedArm(Answer(409)), lambda gateways: gateways.guests.read_boot_log(VM)) is None
    assert against(ScriptedArm(Answer(body={})), lambda gateways: gateways.guests.read_boot_log(VM)) is None


@pytest.mark.parametrize(
    "uri",
    [
        "http://md-x.blob.core.windows.net/log?sig=secret",
        "https://evil.example/log?sig=secret",
        "https://blob.core.windows.net.evil.example/log?sig=secret",
        "https://evilblob.core.windows.net/log?sig=secret",
        "https://169.254.169.254/metadata?sig=secret",
        "https://md-x.blob.core.windows.net:8443/log?sig=secret",
        "https://user:secret@md-x.blob.core.windows.net/log?sig=secret",
        "https://evil.example\\@md-x.blob.core.windows.net/log?sig=secret",
        "https://evil.example\\.blob.core.windows.net/log?sig=secret",
        "https://md-x.blob.core.windows.net.:443/log?sig=secret",
        "https://[::1/log?sig=secret",
        "//md-x.blob.core.windows.net/log?sig=secret",
        "file:///etc/passwd",
        "{base}/log?sig=secret",
    ],
)
def test_a_log_elsewhere_is_never_fetched(uri: str) -> None:
    """A log on any host but Azure's storage over https, or the simulator's machine, is refused without a request."""
    arm = ScriptedArm()
    error = refusal(arm, uri)
    assert isinstance(error, Refused)
    assert "secret" not in str(error)
    assert arm.requests == []


def test_a_local_run_fetches_no_log_from_azure() -> None:
    """While Azure is a simulator, only a log on this machine is fetched."""
    arm = ScriptedArm()
    assert isinstance(refusal(arm, SIGNED, local=True), Refused)
    assert arm.requests == []


@pytest.mark.parametrize(
    "answer",
    [Answer(302, headers={"Location": "http://127.0.0.1:1/"}), Answer(403), Answer(body=b"x" * (5 * 1024 * 1024))],
    ids=["redirect", "forbidden", "endless"],
)
def test_a_log_that_cannot_be_read_is_unavailable(answer: Answer) -> None:
    """A redirect is not followed, an endless log is not read to its end, and no message contains the signature."""
    error = refusal(ScriptedArm(answer), "{base}/log?sig=secret", local=True)
    assert isinstance(error, Unavailable)
    assert "secret" not in str(error)


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "169.254.169.254", "168.63.129.16", "0.0.0.0", "224.0.0.1", "::1", "web.example", ""],  # noqa: S104
)
def test_only_an_address_of_a_vm_is_probed(address: str) -> None:
    """The app's own machine, the metadata service, the platform and names are refused with nothing sent."""

    async def main(_: Clock) -> None:
        with pytest.raises(Refused):
            await probes.probe_once(address, Probe("tcp", 80), simulator=None)

    run(main, Clock("virtual"))


def on_http(status: int, call: Callable[[int], Awaitable[str | None]], **headers: str) -> str | None:
    """The result of `call` (called with a port) when a web server on loopback answers everything with `status`."""

    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status, headers=headers)

    async def main(_: Clock) -> str | None:
        app = web.Application()
        app.router.add_get("/{path:.*}", answer)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        try:
            return await call(runner.addresses[0][1])
        finally:
            await runner.cleanup()

    return run(main, Clock("virtual"))


@pytest.mark.parametrize(
    ("status", "seen"), [(200, None), (204, None), (302, None), (399, None), (400, "status 400"), (503, "status 503")]
)
def test_a_status_from_200_to_399_counts(status: int, seen: str | None) -> None:
    """A redirect counts as an answer and is not followed."""

    async def call(port: int) -> str | None:
        return await probes.probe_once("127.0.0.1", Probe("http", port, "/healthz"), simulator=NOWHERE)

    assert on_http(status, call, Location="http://127.0.0.1:1/") == seen


def test_a_tcp_probe_connects() -> None:
    """An open port is success, a closed one is not."""

    async def call(port: int) -> str | None:
        closed = await probes.probe_once("127.0.0.1", Probe("tcp", 1), simulator=NOWHERE)
        assert closed is not None
        return await probes.probe_once("127.0.0.1", Probe("tcp", port), simulator=NOWHERE)

    assert on_http(200, call) is None
