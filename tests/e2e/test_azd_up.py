"""`azd up` from nothing, and again in the middle of a swap: the hooks of azure.yaml, the compiled templates, the built
package on the local Azure behind Entra's gate. Only `az` and `azd` are scripted.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from simulator.engine.kinds import ENGINES, EngineKind
from tests.support.infra.azd import HookFailed, compile_template, parameter_names
from tests.support.infra.azd_rehearsal import CLIENT, ME, MISSING, Rehearsal, rehearse
from tests.support.infra.bicep import INFRA
from tests.support.infra.judges import need_engine
from tests.support.worlds.builders import SUBSCRIPTION, VM_ID
from tools.drain import FORCE
from tools.providers import FLEET, OWN

# Neither azd nor a template gives these. Who deploys may set the first two; the third is GitHub's.
MAY_BE_SET = {FORCE, "FUNCTIONS_KEY", "ACTIONS_ID_TOKEN_REQUEST_URL"}
# Azure registers the first two for everybody, and the third with the deployment that asks for the scheduler.
NOT_OURS_TO_REGISTER = {"Microsoft.Authorization", "Microsoft.Resources", "Microsoft.DurableTask"}


async def begin_a_swap(play: Rehearsal, disk: str) -> None:
    """Ask for a disk and wait until the VM is down for it; it stays down for longer than a hook takes to ask."""
    slow_s = 20 * play.world.clock.speed + 20
    play.world.simulator.services.faults.add([{"match": {"operation": "start"}, "duration_s": slow_s, "times": 1}])
    await play.wish(disk)
    await play.down()


def passed(play: Rehearsal) -> None:
    """The last hook has the self-check's page, and the app is not paused by then."""
    page = play.printed["postdeploy"]
    assert "| dispatcher | passed |" in page
    assert f"| providers {SUBSCRIPTION} | passed |" in page
    assert "| failed |" not in page
    assert "swaps go on" in page


@pytest.mark.parametrize("engine", ENGINES)
def test_azd_up_goes_from_nothing_to_a_first_swap(tmp_path: Path, engine: EngineKind) -> None:
    """Registered, provisioned with its own roles, deployed, subscribed and checked; then a tag edit swaps the VM.

    On the simulator's hub, and on Microsoft's own Durable engine.
    """
    if engine == "azure-storage":
        need_engine()

    async def story(play: Rehearsal) -> None:
        await play.up()
        assert play.azd.ran == ["preprovision", "postprovision", "predeploy", "postdeploy"]
        assert "not deployed yet" in play.printed["preprovision"]
        assert "has no function yet" in play.printed["predeploy"]
        assert (play.azd.values["API_CLIENT_ID"], play.azd.values["API_ALLOWED_PRINCIPALS"]) == (CLIENT, ME)
        passed(play)
        assert not (await play.queue())["paused"]
        await play.wish("web01-new")
        await play.swapped("web01-new")
        refused = [row["path"] for row in play.world.simulator.journal.requests if row["status"] in (401, 403)]
        assert refused == []
        check_reads(play)
        check_events(play)
        check_providers(play)

    rehearse(tmp_path, story, engine=engine)


def check_reads(play: Rehearsal) -> None:
    """What a hook asks for in vain is an output of the template, a parameter, or may be set by who deploys."""
    given = set(play.compiled[-1].template["outputs"]) | parameter_names()
    assert play.azd.missed() - given - MAY_BE_SET == set()


def check_events(play: Rehearsal) -> None:
    """The deployment of tag edits gets the parameters that its compiled template takes, all that it must have."""
    taken = compile_template(INFRA / "events.bicep", {})["parameters"]
    (call,) = play.azd.cli.calls("deployment sub create")
    given = dict(each.split("=", 1) for each in call[call.index("--parameters") + 1 : call.index("--output")])
    assert set(given) <= set(taken)
    assert {name for name, node in taken.items() if "defaultValue" not in node} <= set(given)
    assert given["functionAppId"] == play.azd.values["FUNCTION_APP_ID"]
    assert Path(call[call.index("--template-file") + 1]) == INFRA / "events.bicep"


def check_providers(play: Rehearsal) -> None:
    """Every provider that the compiled templates deploy is one that is registered before."""
    asked = {call[call.index("--namespace") + 1] for call in play.azd.cli.calls("provider register")}
    assert asked == set(MISSING)
    assert play.compiled[-1].namespaces() - NOT_OURS_TO_REGISTER <= {*OWN, *FLEET}


def test_azd_up_in_the_middle_of_a_swap_waits_for_its_verdict(tmp_path: Path) -> None:
    """The VM is down when it begins and runs its new disk before anything is provisioned; swaps go on afterwards.

    Forced, a deployment goes on at once and names the VM, and the app that is deployed brings the swap to its end.
    """

    async def story(play: Rehearsal) -> None:
        await play.up()
        await begin_a_swap(play, "web01-new")
        await play.up()
        assert "waiting for web01" in play.printed["preprovision"]
        assert await play.vm() == ("web01-new", True)
        assert "no VM is between its stop and its verdict" in play.printed["predeploy"]
        passed(play)
        assert not (await play.queue())["paused"]

        await begin_a_swap(play, "web01-newer")
        play.azd.extra[FORCE] = "yes"
        await play.deploy()
        assert "in the middle of 1 swap(s)" in play.printed["predeploy"]
        assert VM_ID in play.printed["predeploy"]
        passed(play)
        await play.swapped("web01-newer")

    rehearse(tmp_path, story)


def test_a_step_that_fails_ends_azd_up_and_leaves_no_pause(tmp_path: Path) -> None:
    """Nothing is provisioned without a registration; a deployment whose events fail ends its pause all the same."""

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


def test_a_variable_that_a_step_asks_for_in_vain_is_seen(tmp_path: Path) -> None:
    """What the first test holds against outputs and parameters is not empty, and has nothing that azd gives."""

    async def story(play: Rehearsal) -> None:
        play.answer()
        await play.azd.hook("preprovision")
        assert {FORCE, "FUNCTION_APP_URL", "REFRESH_SUBSCRIPTIONS"} <= play.azd.missed()
        assert not play.azd.missed() & {"AZURE_ENV_NAME", "AZURE_SUBSCRIPTION_ID", "PATH"}

    rehearse(tmp_path, story)
