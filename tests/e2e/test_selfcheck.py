"""`POST /api/selfcheck` runs every part that swaps need once, and swaps wait for it if a setting requires it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from refresh import package
from refresh.domain.swap.plan import NOTICE
from simulator.durable import FunctionFailed, Worker
from tests.support.histories.swap_stories import STATE
from tests.support.infra.app_under_roles import AppUnderRoles, run_under_roles
from tests.support.infra.deployed_roles import Right
from tests.support.worlds.builders import SUBSCRIPTION, VM_ID
from tests.support.worlds.local_azure import LocalAzure, disk_body, play, vm_body
from tests.support.worlds.month_world import vm_id

FLEET = [vm_body(), disk_body("web01-new"), vm_body("far", AutoRefresh="false")]
REQUIRED = {"REFRESH_SELFCHECK": "required"}
NAMES = ["activity", "timer", "claim", "dispatcher", "instances", f"arm {SUBSCRIPTION}", f"rights {SUBSCRIPTION}"]
NAMES.append(f"providers {SUBSCRIPTION}")


async def checked(azure: LocalAzure) -> dict[str, Any]:
    """Run a self-check over the API; the record of the run."""
    status, begun = await azure.api("POST", "/api/selfcheck")
    assert status == 202, begun
    await azure.hub.completed(begun["id"])
    await azure.until(lambda: bool(azure.dispatcher_state().get("selfcheck")))
    return dict((await azure.api("GET", begun["href"]))[1])


async def why_waiting(azure: LocalAzure) -> dict[str, tuple[str, str]]:
    """The VMs that wait in the queue, with reason and message."""
    queue = (await azure.api("GET", "/api/queue"))[1]
    return {row["vm"].rsplit("/", 1)[-1]: (row["reason"], row["message"]) for row in queue["waiting"]}


def test_a_selfcheck_runs_every_part_once_and_is_stored() -> None:
    """Each part has one row with its time, `GET /api/selfcheck` returns the last result, and Azure is only read."""

    async def story(azure: LocalAzure) -> None:
        _, before = await azure.api("GET", "/api/selfcheck")
        assert (before["passed"], before["last"], before["required"]) == (False, None, False)
        run = await checked(azure)
        assert (run["kind"], run["status"], run["package"]) == ("selfcheck", "succeeded", package.fingerprint()), run
        assert [row["name"] for row in run["checks"]] == NAMES
        assert all(row["ok"] and row["took_s"] >= 0 and "cure" not in row for row in run["checks"])
        assert run["bundle"].startswith("Microsoft.Azure.Functions.ExtensionBundle")
        _, after = await azure.api("GET", "/api/selfcheck")
        assert (after["passed"], after["last"]["checks"]) == (True, run["checks"])
        assert {row["method"] for row in azure.simulator.journal.requests} == {"GET"}
        status, problem = await azure.api("POST", "/api/selfcheck", {"vms": ["web01"]})
        assert (status, "accepts nothing" in problem["detail"]) == (400, True), problem
        _, runs = await azure.api("GET", "/api/runs?kind=selfcheck")
        assert [row["id"] for row in runs["value"]] == [run["id"]]

    play(story, FLEET)


@pytest.mark.parametrize(
    ("right", "name"),
    [
        (("swapper", "Microsoft.Compute/virtualMachines/start/action"), f"rights {SUBSCRIPTION}"),
        (("reader", "Microsoft.Authorization/permissions/read"), f"rights {SUBSCRIPTION}"),
        (("reader", "Microsoft.Compute/virtualMachines/read"), f"arm {SUBSCRIPTION}"),
    ],
)
def test_a_missing_right_fails_the_check_that_needs_it(right: Right, name: str) -> None:
    """The failed check names the action and the cure, all others pass, and with the right restored it passes too."""

    async def story(stage: AppUnderRoles) -> None:
        run = await stage.run_without(lambda: checked(stage.azure), right)
        assert run["status"] == "failed"
        (failed,) = [row for row in run["checks"] if not row["ok"]]
        assert (failed["name"], right[1] in failed["message"]) == (name, True), failed
        assert "docs/permissions.md" in failed["cure"]
        assert (await stage.azure.api("GET", "/api/selfcheck"))[1]["passed"] is False
        assert (await stage.run_without(lambda: checked(stage.azure)))["status"] == "succeeded"
        assert (await stage.azure.api("GET", "/api/selfcheck"))[1]["passed"] is True

    run_under_roles(story, FLEET)


def without(*namespaces: str) -> list[dict[str, Any]]:
    """The fleet in a subscription that is not registered for these providers."""
    return [*FLEET, {"id": f"/subscriptions/{SUBSCRIPTION}", "_notRegistered": list(namespaces)}]


def test_a_provider_that_is_not_registered_fails_the_check_with_its_cure() -> None:
    """The row has the effect and the command; the check passes once Azure has completed the registration."""

    async def story(azure: LocalAzure) -> None:
        run = await checked(azure)
        assert run["status"] == "failed"
        (failed,) = [row for row in run["checks"] if not row["ok"]]
        assert failed["name"] == f"providers {SUBSCRIPTION}"
        assert "Microsoft.ResourceHealth is NotRegistered: the health rung resource-health" in failed["message"]
        command = f"az provider register --subscription {SUBSCRIPTION} --namespace Microsoft.ResourceHealth --wait"
        assert failed["cure"] == command
        provider = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.ResourceHealth"
        await azure.arm("POST", f"{provider}/register")
        assert "is Registering" in next(row["message"] for row in (await checked(azure))["checks"] if not row["ok"])
        await asyncio.sleep(61)
        assert (await checked(azure))["status"] == "succeeded"

    play(story, without("Microsoft.ResourceHealth"))


def test_only_a_provider_that_swaps_need_fails_the_check() -> None:
    """Missing Event Grid is reported in a passed row; a provider of a rung that is switched off is not reported."""

    async def story(azure: LocalAzure) -> None:
        run = await checked(azure)
        assert run["status"] == "succeeded"
        (row,) = [row for row in run["checks"] if row["name"].startswith("providers")]
        assert "Microsoft.EventGrid is NotRegistered" in row["message"]
        assert "ResourceHealth" not in row["message"]
        assert "--namespace Microsoft.EventGrid" in row["cure"]

    settings = {"REFRESH_HEALTH_RUNGS": "agent,probe"}
    play(story, without("Microsoft.ResourceHealth", "Microsoft.EventGrid"), settings=settings)


def test_an_unregistered_subscription_names_the_providers_to_register() -> None:
    """When Azure cannot list VMs because Microsoft.Compute is not registered, the cure is the registration."""

    async def story(azure: LocalAzure) -> None:
        run = await checked(azure)
        failed = {row["name"]: row for row in run["checks"] if not row["ok"]}
        assert set(failed) == {f"arm {SUBSCRIPTION}", f"providers {SUBSCRIPTION}"}
        assert "MissingSubscriptionRegistration" in failed[f"arm {SUBSCRIPTION}"]["message"]
        assert "--namespace Microsoft.Compute --wait" in failed[f"providers {SUBSCRIPTION}"]["cure"]

    play(story, without("Microsoft.Compute"))


def test_a_swap_without_resource_health_succeeds_without_its_rung() -> None:
    """The rung gives no signal, and the guest still proves the new disk."""

    async def story(azure: LocalAzure) -> None:
        await azure.tag(VM_ID, OsDiskName="web01-new")
        await azure.settled()
        (outcome,) = azure.outcomes()
        assert outcome["status"] == "succeeded"
        assert "resource-health" not in " ".join(outcome["evidence"])

    play(story, without("Microsoft.ResourceHealth"))


def test_swaps_wait_for_a_selfcheck_where_it_is_required(monkeypatch: pytest.MonkeyPatch) -> None:
    """No VM is stopped before it has passed; then swaps start by themselves; a new package needs a new self-check."""

    async def story(azure: LocalAzure) -> None:
        await azure.tag(VM_ID, OsDiskName="web01-new")
        await azure.until(lambda: bool(azure.dispatcher_state().get("queue")))
        waiting = await why_waiting(azure)
        assert waiting["web01"][0] == "selfcheck"
        assert "no self-check has run for this package; POST /api/selfcheck" in waiting["web01"][1]
        azure.hub.signal("@dispatcher@app", "resume", {"at": None})
        fault = {"match": {"method": "GET", "path": "/permissions"}, "respond": {"status": 403, "body": {}}}
        azure.simulator.services.faults.add([fault])
        assert (await checked(azure))["status"] == "failed"
        assert "the last self-check failed (rights " in (await why_waiting(azure))["web01"][1]
        assert azure.journal(VM_ID)["stops"] == 0
        azure.simulator.services.faults.clear()
        assert (await checked(azure))["status"] == "succeeded"
        await azure.settled()
        assert [outcome["status"] for outcome in azure.outcomes()] == ["succeeded"]
        monkeypatch.setattr("refresh.dispatcher.dispatcher.fingerprint", lambda: "another")
        await azure.tag(VM_ID, OsDiskName="web01-old")
        await azure.until(lambda: bool(azure.dispatcher_state().get("queue")))
        assert "no self-check has run for this package" in (await why_waiting(azure))["web01"][1]
        assert azure.journal(VM_ID)["stops"] == 1

    play(story, FLEET, settings=REQUIRED)


def test_a_stopped_vm_is_started_without_a_selfcheck() -> None:
    """Only new swaps wait for a self-check; a VM that a lost swap left stopped is started at once."""

    async def story(azure: LocalAzure) -> None:
        azure.hub.signal("@dispatcher@app", "hint", {"vms": [VM_ID], "at": None})
        await azure.until(lambda: bool(azure.outcomes()))
        assert await azure.power(VM_ID) == "running"
        assert azure.dispatcher_state().get("selfcheck") is None

    play(story, [vm_body(power="deallocated", **STATE), *FLEET[1:]], settings=REQUIRED)


class FailingWorker:
    """A worker that fails the orchestration `answer_selfcheck` and the activity `check_subscription`."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self.operate = worker.operate

    async def orchestrate(self, name: str, request: bytes) -> bytes:
        """Run one turn, or fail."""
        if name == "answer_selfcheck":
            raise FunctionFailed("ImportError", "planned")
        return await self._worker.orchestrate(name, request)

    async def act(self, name: str, payload: str | None) -> str | None:
        """Run one activity, or fail."""
        if name == "check_subscription":
            raise FunctionFailed("ImportError", "planned")
        return await self._worker.act(name, payload)


def test_a_swap_admitted_by_an_older_package_is_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    """A VM that is in its notice at a deployment is not stopped, and waits for the self-check of the new package."""

    async def story(azure: LocalAzure) -> None:
        assert (await checked(azure))["status"] == "succeeded"
        await azure.tag(VM_ID, OsDiskName="web01-new")
        await azure.until(lambda: any(row.get("step") == NOTICE for row in azure.running_swaps()))
        monkeypatch.setattr("refresh.dispatcher.dispatcher.fingerprint", lambda: "another")
        await azure.until(lambda: bool(azure.outcomes()))
        (outcome,) = azure.outcomes()
        assert (outcome["status"], outcome["message"].partition(":")[0]) == (
            "skipped",
            "no self-check has passed for this package",
        )
        await azure.until(lambda: bool(azure.dispatcher_state().get("queue")))
        assert (await why_waiting(azure))["web01"][0] == "selfcheck"
        assert azure.journal(VM_ID)["stops"] == 0

    play(story, FLEET, settings={**REQUIRED, "REFRESH_NOTICE_S": "300"})


def test_a_part_that_does_not_answer_is_a_failed_check() -> None:
    """A missing orchestration and a failing activity are failed rows with a cure, and the run ends."""

    async def story(azure: LocalAzure) -> None:
        azure.hub.wrap_worker(FailingWorker)
        run = await checked(azure)
        failed = {row["name"]: row for row in run["checks"] if not row["ok"]}
        assert (run["status"], list(failed)) == ("failed", ["dispatcher", f"arm {SUBSCRIPTION}"])
        assert failed["dispatcher"]["message"] == "no answer within 45 s"
        assert "planned" in failed[f"arm {SUBSCRIPTION}"]["message"]
        assert all(row["cure"] for row in failed.values())

    play(story, FLEET)


def test_the_sweep_runs_the_selfcheck_that_swaps_wait_for() -> None:
    """Each sweep starts a self-check until one has passed, so a deployment needs no manual step."""

    async def story(azure: LocalAzure) -> None:
        def runs() -> list[str]:
            return [run for run in azure.hub.orchestrations.instances if run.startswith("selfcheck-")]

        fault = {"match": {"method": "GET", "path": "/permissions"}, "times": 1, "respond": {"status": 403, "body": {}}}
        azure.simulator.services.faults.add([fault])
        for passed in (False, True):
            await azure.fire("sweep")
            await azure.until(lambda passed=passed: azure.dispatcher_state().get("selfcheck", {}).get("ok") is passed)  # type: ignore[misc]
        await azure.fire("sweep")
        await azure.settled()
        assert len(runs()) == 2

    play(story, FLEET, settings=REQUIRED)


def test_the_fingerprint_is_of_files_that_are_deployed() -> None:
    """The fingerprint covers code, host.json and requirements.txt; the bundle is the one of host.json."""
    assert len(package.fingerprint()) == 12
    assert package.bundle().split()[0].startswith("Microsoft.Azure.Functions.ExtensionBundle")
    assert vm_id("web01") == VM_ID
