"""The simulator answers recorded requests as Azure did."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from simulator import clock as clocks
from simulator.clock import Clock
from tests.contract.recordings.known_differences import KNOWN, NOT_SENT
from tests.support.recordings.recordings import ABSENT, FOLDER, Interaction, Json, body_differences, load
from tests.support.recordings.replay import Replay, ReplayResult, replay, world
from tests.support.recordings.scoreboard import Scoreboard, unexplained

pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason=ABSENT)

STORIES = [
    "vm_os_disk_swap",
    "vm_lifecycle_stop_start_restart_redeploy_deallocate_delete",
    "disk_create_from_gallery_version",
    "disk_show_update_delete",
    "disk_snapshot_image_crud",
    "gallery_image_version_sources",
    "gallery_image_version_vhd",
    "gallery_image_version_replication_status_net",
    "tags_merge_replace_delete_list",
]
RECORDED_SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"
VM = f"/subscriptions/{RECORDED_SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/v"
_FAULT_KEYS = ("code", "message", "target")
# Properties that the recorded requests change; the VM equals the request in everything else.
REFUSED_CHANGES = ("priority", "evictionPolicy", "billingProfile", "proximityPlacementGroup")


def check(scoreboard: Scoreboard, results: list[ReplayResult]) -> None:
    scoreboard.results += results
    lines = unexplained(results, KNOWN)
    assert not lines, "\n".join(lines)


def to_send(recording: str) -> tuple[list[Interaction], list[ReplayResult]]:
    """The interactions to replay, and a result with the reason for each one that is skipped."""
    left_out = NOT_SENT.get(recording, {})
    interactions = load(recording)
    skipped = [
        ReplayResult(recording, x.index, x.path_and_query, skipped=left_out[x.index])
        for x in interactions
        if x.index in left_out
    ]
    return [x for x in interactions if x.index not in left_out], skipped


@pytest.mark.parametrize("recording", STORIES)
def test_a_recorded_sequence_gets_the_recorded_answers(recording: str, scoreboard: Scoreboard) -> None:
    """For each request, status, header names, JSON paths and types, and Retry-After equal the recorded ones."""
    interactions, skipped = to_send(recording)
    check(scoreboard, replay(recording, interactions) + skipped)


def test_collections_are_listed_as_recorded(scoreboard: Scoreboard) -> None:
    """Each recorded list call is answered in the recorded shape, in a simulator of its own."""
    interactions, skipped = to_send("list_calls")
    check(scoreboard, [result for x in interactions for result in replay("list_calls", [x])] + skipped)


def test_resource_graph_answers_as_recorded(scoreboard: Scoreboard) -> None:
    """Plain, paged, continued, management-group and invalid queries are answered in the recorded shape."""
    recording = "resource_graph_query"
    check(scoreboard, replay(recording, [_scrubbed(x) for x in load(recording)], _graph_seeds(load(recording))))


def test_errors_are_refused_as_recorded(scoreboard: Scoreboard) -> None:
    """The simulator refuses each recorded request with the recorded error code."""
    interactions, skipped = to_send("errors")
    check(scoreboard, [_refusal(x) for x in interactions] + skipped)


def test_instance_views_have_the_recorded_shapes(scoreboard: Scoreboard) -> None:
    """For each recorded state that the simulator supports, the view has the recorded paths and codes."""
    recording = "vm_instance_view_states"
    left_out = NOT_SENT.get(recording, {})
    results = []
    for index, state in enumerate(_view_states()):
        result = ReplayResult(recording, index, str(state["statusCodes"] + state["vmAgentStatusCodes"]))
        result.skipped = left_out.get(index)
        if result.skipped is None:
            result.differences += _view_differences(state)
        results.append(result)
    check(scoreboard, results)


def _scrubbed(interaction: Interaction) -> Interaction:
    """The interaction with the query's subscription replaced, as the recorder replaced it in responses."""
    body = interaction.request_body
    if "subscriptions" not in body:
        return interaction
    return Interaction(
        interaction.index, {**interaction.raw, "requestBody": {**body, "subscriptions": [RECORDED_SUBSCRIPTION]}}
    )


def _graph_seeds(interactions: list[Interaction]) -> list[Json]:
    """Every recorded row, and enough further rows to reach the recorded totals."""
    rows = [row for x in interactions if x.ok for row in x.body["data"]]
    group = f"/subscriptions/{RECORDED_SUBSCRIPTION}/resourceGroups/zz"
    more = [{"id": f"{group}/providers/Microsoft.Network/virtualNetworks/zz{number}"} for number in range(12)]
    below = {"details": {"managementGroupAncestorsChain": [{"name": "AzGovTest5"}]}}
    return [{**row, "properties": below} if "managementGroups" in row["id"] else row for row in rows] + more


def _refusal(recorded: Interaction) -> ReplayResult:
    async def main(clock: Clock) -> ReplayResult:
        async with world(clock) as run:
            target = recorded.resource_id
            if recorded.polled_operation:
                error = {key: value for key, value in recorded.body["error"].items() if key in _FAULT_KEYS}
                rule = {"match": {"operation": "start", "resource": "*"}, "times": 1, "fail": error}
                await run.control("POST", "faults", [rule])
                await run.seed([{"id": VM, "location": "westus", "_power": "stopped"}])
                begun = await run.arm("POST", f"{VM}/start?api-version=2024-07-01")
                run.map_operation(recorded.polled_operation, begun, recorded)
                await asyncio.sleep(3600)
            elif recorded.body["error"]["code"] == "NotFound":
                await run.seed([{"id": target, "location": "westus"}])
                await run.settle(await run.arm("DELETE", f"{target}?api-version=2024-07-01"))
            elif recorded.body["error"]["code"] == "ResourceGroupNotFound":
                await run.seed([{"id": f"/subscriptions/{recorded.segments[1]}"}])
            else:
                await run.seed(_neighbours(recorded))
            return await run.interaction(recorded, "errors")

    return clocks.run(main, Clock("virtual"))


def _neighbours(recorded: Interaction) -> list[Json]:
    """The resources that exist although the request is refused: the group, the parents, and a VM to change."""
    group = "/" + "/".join(recorded.segments[:4])
    seeds: list[Json] = [{"id": group, "location": "westus"}]
    target = str(recorded.resource_id)
    head, _, tail = target.rpartition("/providers/")
    names = tail.split("/")
    seeds += [{"id": f"{head}/providers/{'/'.join(names[:n])}", "location": "westus"} for n in range(3, len(names), 2)]
    if recorded.method in ("PATCH", "POST"):
        sent = (recorded.request_body or {}).get("properties", {})
        properties = {key: value for key, value in sent.items() if key not in REFUSED_CHANGES}
        if "priority" in sent:
            properties["priority"] = "Low" if sent["priority"] == "Regular" else "Regular"
        seeds.append({"id": target, "location": "westus", "properties": properties})
    return seeds


def _view_states() -> list[dict[str, Any]]:
    states: list[dict[str, Any]] = json.loads((FOLDER / "vm_instance_view_states.json").read_text())["states"]
    return states


def _view_differences(state: dict[str, Any]) -> list[str]:
    """Bring a VM into the recorded state by operations; the differences of its view from the recorded one."""
    recorded = state["instanceView"]
    guest = {name: value for name, value in recorded.items() if name not in ("statuses", "disks")}
    body: Json = {"id": VM, "location": "westus", "properties": {"instanceView": guest}}
    # Only old api-versions omit the generation; the recording does not include the api-version of a view.
    version = "2024-07-01" if "hyperVGeneration" in recorded else "2017-03-30"

    async def main(clock: Clock) -> Any:
        async with world(clock) as run:
            await _bring_into(state, body, run)
            return (await run.arm("GET", f"{VM}/instanceView?api-version={version}")).body

    view = clocks.run(main, Clock("virtual"))
    found = list(body_differences(recorded, view))
    codes = [status["code"] for status in view["statuses"]]
    if codes != state["statusCodes"]:
        found.append(f"codes {codes}, recorded {state['statusCodes']}")
    return found


async def _bring_into(state: dict[str, Any], body: Json, run: Replay) -> None:
    power = next(code.removeprefix("PowerState/") for code in state["statusCodes"] if code.startswith("PowerState/"))
    agent = state["vmAgentStatusCodes"]
    message = state["instanceView"].get("vmAgent", {}).get("statuses", [{}])[0].get("message", "")

    async def act(action: str) -> None:
        await run.settle(await run.arm("POST", f"{VM}/{action}?api-version=2024-07-01"))

    if power == "running" and not agent:
        await run.seed([{**body, "_power": power, "_agent": False}])
    elif "not yet populated" in message:
        await run.seed([{**body, "_power": "deallocated"}])
        await act("start")
        if power == "stopped":
            await act("powerOff")
    else:
        await run.seed([{**body, "_power": power}])
        if "unresponsive" in message:
            await asyncio.sleep(900)
    if "OSState/generalized" in state["statusCodes"]:
        await act("generalize")
