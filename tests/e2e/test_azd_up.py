"""`azd up` from nothing, and again in the middle of a swap: the hooks of azure.yaml, the compiled templates and the
built package on the local Azure with Entra authentication. Only `az` and `azd` are scripted.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from simulator.engine.kinds import ENGINES, EngineKind
from tests.support.infra.azd import HookFailed, compile_template, parameter_names
from tests.support.infra.azd_rehearsal import CLIENT, ME, MISSING, Rehearsal, rehearse
from tests.support.infra.bicep import INFRA
from tests.support.infra.external_tools import need_engine
from tests.support.worlds.builders import SUBSCRIPTION, VM_ID
from tools.drain import FORCE
from tools.providers import FLEET, OWN

# Neither azd nor a template sets these. An operator may set the first two; GitHub sets the third.
MAY_BE_SET = {FORCE, "FUNCTIONS_KEY", "ACTIONS_ID_TOKEN_REQUEST_URL"}
# Azure always registers the first two, and the third with a deployment that has the scheduler.
NOT_OURS_TO_REGISTER = {"Microsoft.Authorization", "Microsoft.Resources", "Microsoft.DurableTask"}


async def begin_a_swap(play: Rehearsal, disk: str) -> None:
    """Request a disk and wait until the VM is down; it stays down longer than a hook takes to read the queue."""
    slow_s = 20 * play.world.clock.speed + 20
    play.world.simulator.services.faults.add([{"match": {"operation": "start"}, "duration_s": slow_s, "times": 1}])
    await play.request_disk(disk)
    await play.down()


def check_postdeploy(play: Rehearsal) -> None:
    """The last hook prints a self-check without failures, and swaps are resumed."""
    page = play.printed["postdeploy"]
    assert "| dispatcher | passed |" in page
    assert f"| providers {SUBSCRIPTION} | passed |" in page
    assert "| failed |" not in page
    assert "swaps go on" in page


@pytest.mark.parametrize("engine", ENGINES)
def test_azd_up_goes_from_nothing_to_a_first_swap(tmp_path: Path, engine: EngineKind) -> None:
    """`azd up` registers, provisions with its own roles, deploys, subscribes and checks; then a tag edit swaps the VM.

    On the simulator's hub, and on Microsoft's Durable engine.
    """
    if engine == "azure-storage":
        need_engine()

    async def story(play: Rehearsal) -> None:
        await play.up()
        assert play.azd.ran == ["preprovision", "postprovision", "predeploy", "postdeploy"]
        assert "not deployed yet" in play.printed["preprovision"]
        assert "has no function yet" in play.printed["predeploy"]
        assert (play.azd.values["API_CLIENT_ID"], play.azd.values["API_ALLOWED_PRINCIPALS"]) == (CLIENT, ME)
        check_postdeploy(play)
        assert not (await play.queue())["paused"]
        await play.request_disk("web01-new")
        await play.swapped("web01-new")
        refused = [row["path"] for row in play.world.simulator.journal.requests if row["status"] in (401, 403)]
        assert refused == []
        check_reads(play)
        check_events(play)
        check_providers(play)

    rehearse(tmp_path, story, engine=engine)


def check_reads(play: Rehearsal) -> None:
    """Each variable that a hook finds unset is an output of the template, a parameter or optional."""
    given = set(play.compiled[-1].template["outputs"]) | parameter_names()
    assert play.azd.missed() - given - MAY_BE_SET == set()


def check_events(play: Rehearsal) -> None:
    """The deployment of events.bicep gets only parameters of its compiled template, and all required ones."""
    taken = compile_template(INFRA / "events.bicep", {})["parameters"]
    (call,) = play.azd.cli.calls("deployment sub create")
    given = dict(each.split("=", 1) for each in call[call.index("--parameters") + 1 : call.index("--output")])
    assert set(given) <= set(taken)
    assert {name for name, node in taken.items() if "defaultValue" not in node} <= set(given)
    assert given["functionAppId"] == play.azd.values["FUNCTION_APP_ID"]
    assert Path(call[call.index("--template-file") + 1]) == INFRA / "events.bicep"


def check_providers(play: Rehearsal) -> None:
    """The hooks register every provider that the compiled templates use."""
    registered = {call[call.index("--namespace") + 1] for call in play.azd.cli.calls("provider register")}
    assert registered == set(MISSING)
    assert play.compiled[-1].namespaces() - NOT_OURS_TO_REGISTER <= {*OWN, *FLEET}


def test_azd_up_in_the_middle_of_a_swap_waits_for_its_end(tmp_path: Path) -> None:
    """A VM that is down at the start runs its new disk before anything is provisioned; swaps resume afterwards.

    A forced deployment starts at once and names the VM, and the deployed app finishes the swap.
    """

    async def story(play: Rehearsal) -> None:
        await play.up()
        await begin_a_swap(play, "web01-new")
        await play.up()
        assert "waiting for web01" in play.printed["preprovision"]
        assert await play.vm() == ("web01-new", True)
        assert "no VM is between its stop and its verdict" in play.printed["predeploy"]
        check_postdeploy(play)
        assert not (await play.queue())["paused"]

        await begin_a_swap(play, "web01-newer")
        play.azd.extra[FORCE] = "yes"
        await play.deploy()
        assert "in the middle of 1 swap(s)" in play.printed["predeploy"]
        assert VM_ID in play.printed["predeploy"]
        check_postdeploy(play)
        await play.swapped("web01-newer")

    rehearse(tmp_path, story)


def test_a_step_that_fails_ends_azd_up_and_leaves_no_pause(tmp_path: Path) -> None:
    """Nothing is provisioned after a failed registration; a deployment whose events fail still ends its pause."""

    async def story(play: Rehearsal) -> None:
        play.scripted = {"rest --method POST": "refused"}
        with pytest.raises(HookFailed, match="AuthorizationFailed"):
            await play.up()
        assert (play.azd.ran, play.compiled) == (["preprovision"], [])
        play.scripted = {}
        await play.up()
        play.scripted = {"system-topic list": "refused"}
        with pytest.raises(HookFailed, match="postdeploy ended with 1"):
            await play.deploy()
        assert "swaps are paused" in play.printed["predeploy"]
        assert not (await play.queue())["paused"]

    rehearse(tmp_path, story)


def test_a_variable_that_a_hook_finds_unset_is_recorded(tmp_path: Path) -> None:
    """The record that the first test compares is not empty and has no variable that azd sets."""

    async def story(play: Rehearsal) -> None:
        play.answer()
        await play.azd.hook("preprovision")
        assert {FORCE, "FUNCTION_APP_URL", "REFRESH_SUBSCRIPTIONS"} <= play.azd.missed()
        assert not play.azd.missed() & {"AZURE_ENV_NAME", "AZURE_SUBSCRIPTION_ID", "PATH"}

    rehearse(tmp_path, story)
