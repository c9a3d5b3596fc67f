"""The front end of ARM: refusals, ids, lists, headers."""

from __future__ import annotations

from email.utils import parsedate_to_datetime

import pytest

from simulator.arm.core.ids import parse_id, parse_path
from tests.unit.simulator.arm.azure import COMPUTE, GROUP, SUB, VM1, Azure, linux_vm, run_story

UNKNOWN = "/subscriptions/00000000-0000-4000-8000-00000000dead"
REFUSALS = {
    "an unknown subscription": (f"{UNKNOWN}/resourceGroups/rg1", 404, "SubscriptionNotFound"),
    "an unknown group": (VM1.replace("rg1", "rg9"), 404, "ResourceGroupNotFound"),
    "an unknown VM": (VM1.replace("vm1", "vm9"), 404, "ResourceNotFound"),
    "an unknown parent": (f"{COMPUTE}/galleries/g/images/i/versions/1.0.0", 404, "ResourceNotFound"),
    "an unknown operation": (
        f"/subscriptions/{SUB}/providers/Microsoft.Compute/locations/x/operations/y",
        404,
        "NotFound",
    ),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_a_missing_resource_is_refused_with_arms_error(case: str) -> None:
    """Each level of the path has its own 404 error."""
    path, status, code = REFUSALS[case]

    async def story(azure: Azure) -> None:
        reply = await azure.arm("GET", path)
        assert (reply.status, reply.code) == (status, code)

    run_story(story, [linux_vm()])


def test_any_api_version_is_accepted_but_a_missing_one_is_refused() -> None:
    """An unknown api-version is accepted; a missing one gives 400."""

    async def story(azure: Azure) -> None:
        assert (await azure.arm("GET", f"{VM1}?api-version=1999-01-01")).status == 200
        authorization = {"Authorization": "Bearer x"}
        reply = await azure.send("GET", azure.endpoints.arm + VM1, None, authorization)
        assert (reply.status, reply.code) == (400, "MissingApiVersionParameter")

    run_story(story, [linux_vm()])


def test_a_request_without_a_token_is_refused() -> None:
    """A request without a bearer token gives 401 with a challenge."""

    async def story(azure: Azure) -> None:
        reply = await azure.send("GET", f"{azure.endpoints.arm}{VM1}?api-version=1", None, {})
        assert (reply.status, reply.code) == (401, "InvalidAuthenticationToken")
        assert reply.headers["WWW-Authenticate"].startswith("Bearer")

    run_story(story, [linux_vm()])


def test_ids_are_read_in_any_case_and_answered_as_first_written() -> None:
    """A path in upper case finds the resource; the answer has the stored casing."""

    async def story(azure: Azure) -> None:
        reply = await azure.arm("GET", VM1.upper())
        assert (reply.status, reply.body["id"]) == (200, VM1)
        await azure.arm("PUT", f"{GROUP.lower()}/providers/Microsoft.Foo/bars/Baz", {"location": "westeurope"})
        again = await azure.arm("PUT", f"{GROUP}/providers/microsoft.foo/BARS/BAZ", {"location": "westeurope"})
        assert (again.status, again.body["id"]) == (200, f"{GROUP}/providers/Microsoft.Foo/bars/Baz")

    run_story(story, [linux_vm()])


def test_unknown_types_are_stored_as_they_are() -> None:
    """PUT, GET, PATCH, list and DELETE work on a type without a provider."""

    async def story(azure: Azure) -> None:
        path = f"{GROUP}/providers/Microsoft.Foo/bars/baz"
        made = await azure.arm("PUT", path, {"location": "westeurope", "properties": {"answer": 42}})
        assert (made.status, made.body["properties"]["provisioningState"]) == (201, "Succeeded")
        patched = await azure.arm("PATCH", path, {"tags": {"a": "b"}, "properties": {"more": [1]}})
        assert patched.body["properties"] == {"answer": 42, "more": [1], "provisioningState": "Succeeded"}
        listed = await azure.arm("GET", f"{GROUP}/providers/Microsoft.Foo/bars")
        assert [each["name"] for each in listed.body["value"]] == ["baz"]
        assert (await azure.arm("DELETE", path)).status == 200
        assert (await azure.arm("DELETE", path)).status == 204
        assert (await azure.arm("GET", path)).code == "NotFound"

    run_story(story, [linux_vm()])


def test_a_deleted_resource_gives_the_404_of_the_provider_then_of_the_front_end() -> None:
    """For a minute after a delete the provider answers 404, later the front end."""

    async def story(azure: Azure) -> None:
        await azure.finish(await azure.arm("DELETE", VM1))
        assert (await azure.arm("GET", VM1)).code == "NotFound"
        await azure.sim("POST", "clock", {"advance_s": 61})
        assert (await azure.arm("GET", VM1)).code == "ResourceNotFound"

    run_story(story, [linux_vm()])


def test_vm_lists_come_in_pages_that_name_every_vm_once() -> None:
    """nextLink leads to every VM of a subscription, and of a group, once."""

    async def story(azure: Azure) -> None:
        for scope in (f"/subscriptions/{SUB}/providers/Microsoft.Compute", COMPUTE):
            names, link = [], f"{scope}/virtualMachines"
            while link:
                page = await azure.arm("GET", link)
                assert len(page.body["value"]) <= 50
                names += [vm["name"] for vm in page.body["value"]]
                link = page.body.get("nextLink", "")
            assert sorted(names) == sorted(f"vm{number}" for number in range(120))
        assert len([vm async for vm in azure.compute.virtual_machines.list_all()]) == 120

    run_story(story, [linux_vm(f"vm{number}") for number in range(120)])


def test_every_answer_carries_the_simulated_date_and_falling_counters() -> None:
    """Date is simulated; the counters fall by one per request and refill by the clock."""

    async def story(azure: Azure) -> None:
        first, second = await azure.arm("GET", VM1), await azure.arm("GET", VM1)
        name = "x-ms-ratelimit-remaining-resource"
        expected = "Microsoft.Compute/LowCostGetSubscriptionMaximum;23999,Microsoft.Compute/LowCostGetResource;35"
        assert first.headers[name] == expected
        assert second.headers[name].endswith(";34")
        assert second.headers["x-ms-ratelimit-remaining-subscription-reads"] == "248"
        assert parsedate_to_datetime(first.headers["Date"]) == azure.clock.now().replace(microsecond=0)
        assert first.headers["x-ms-request-id"] != second.headers["x-ms-request-id"]
        await azure.sim("POST", "clock", {"advance_s": 600})
        assert (await azure.arm("GET", VM1)).headers[name] == expected

    run_story(story, [linux_vm()])


def test_groups_subscriptions_and_locations_are_there() -> None:
    """The simulator answers the requests that the CLI sends beside its actual work."""

    async def story(azure: Azure) -> None:
        made = await azure.arm("PUT", f"/subscriptions/{SUB}/resourcegroups/new", {"location": "westus"})
        assert (made.status, made.body["id"]) == (201, f"/subscriptions/{SUB}/resourceGroups/new")
        assert (await azure.arm("HEAD", f"/subscriptions/{SUB}/resourceGroups/NEW")).status == 204
        groups = (await azure.arm("GET", f"/subscriptions/{SUB}/resourcegroups")).body["value"]
        assert {group["name"] for group in groups} == {"new", "rg1"}
        assert SUB in [each["subscriptionId"] for each in (await azure.arm("GET", "/subscriptions")).body["value"]]
        regions = (await azure.arm("GET", f"/subscriptions/{SUB}/locations")).body["value"]
        assert {"westeurope", "westus"} <= {region["name"] for region in regions}
        metadata = await azure.send("GET", f"{azure.endpoints.arm}/metadata/endpoints", None, {})
        assert metadata.body["resourceManager"] == azure.endpoints.arm
        brief = (await azure.arm("GET", f"{GROUP}/resources?$filter=resourceType eq 'Microsoft.Compute/disks'")).body
        assert [each["type"] for each in brief["value"]] == ["Microsoft.Compute/disks"]

    run_story(story, [linux_vm()])


def test_a_body_that_is_no_json_object_is_refused() -> None:
    """The answer is InvalidRequestContent and nothing is written."""

    async def story(azure: Azure) -> None:
        for body in ([1], "text", {"properties": 3}):
            reply = await azure.arm("PATCH", VM1, body)
            assert (reply.status, reply.code) == (400, "InvalidRequestContent")

    run_story(story, [linux_vm()])


def test_an_unknown_action_is_named() -> None:
    """A POST that the simulator does not support gives 400 with its name."""

    async def story(azure: Azure) -> None:
        reply = await azure.arm("POST", f"{VM1}/reimage")
        assert reply.status == 400
        assert "'reimage'" in reply.message

    run_story(story, [linux_vm()])


def test_a_path_splits_into_scope_type_and_rest() -> None:
    """Extension resources, collections and actions are distinguished."""
    tags = parse_path(f"{VM1}/providers/Microsoft.Resources/tags/default")
    assert (tags.id.type, tags.tail) == ("Microsoft.Resources/tags", None)
    start = parse_path(f"{VM1}/start")
    assert (start.id.text, start.tail) == (VM1, "start")
    listing = parse_path(f"/subscriptions/{SUB}/providers/Microsoft.Compute/virtualMachines")
    assert (listing.id.text, listing.collection_type) == (f"/subscriptions/{SUB}", "Microsoft.Compute/virtualMachines")
    version = parse_id(f"{COMPUTE}/galleries/g/images/i/versions/1.0.0")
    assert version.parent is not None
    assert version.parent.path_name == "Microsoft.Compute/galleries/g/images/i"
    for nonsense in ("", "vm1", f"{VM1}/start"):
        with pytest.raises(ValueError, match="not a resource id"):
            parse_id(nonsense)
