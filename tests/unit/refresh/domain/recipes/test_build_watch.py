"""The state of a build VM, judged from one reading and from its serial log."""

from __future__ import annotations

import pytest

from refresh.domain.azure.plans import Plan
from refresh.domain.azure.vms import Power
from refresh.domain.recipes.build_bodies import build_vm_body, nic_body, proof_disk_body, proof_vm_body
from refresh.domain.recipes.build_watch import Machine, judge_log, judge_made, judge_powered_off, tail_of
from refresh.domain.recipes.marketplace import ImageFacts, check_definition, check_image
from refresh.domain.recipes.recipe import Admin, MarketplaceImage, Recipe
from refresh.domain.recipes.temporary_group import delete_commands, group_id, group_tags, vm_id
from refresh.domain.terms.month_reason import MonthReason
from refresh.domain.terms.verdict import Move
from tests.support.worlds.builders import DEFINITION_ID, SUBSCRIPTION, VERSION_ID, make_definition

IMAGE = MarketplaceImage("Canonical", "ubuntu-24_04-lts", "server", "24.04.1")
FACTS = ImageFacts(IMAGE, "Linux", "V2", "x64", "TrustedLaunchSupported")
SUBNET = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/net/providers/Microsoft.Network/virtualNetworks/v/subnets/s"
GROUP = group_id(SUBNET, "build", DEFINITION_ID, "recipe-1")
RECIPE = Recipe(IMAGE, "#cloud-config\n", "0123456789ab")


def machine(power: Power = Power.RUNNING, state: str = "Succeeded", **fields: object) -> Machine:
    return Machine(vm_id(GROUP), state, power, **fields)  # type: ignore[arg-type]


def test_a_vm_is_made_once_and_its_failure_has_azures_error() -> None:
    """Without a VM it begins, a VM being made is waited for, a failed one has Azure's error."""
    assert judge_made(None).move is Move.BEGIN
    assert judge_made(machine(state="Creating")).move is Move.WAIT
    assert judge_made(machine()).move is Move.DONE
    failed = judge_made(machine(state="Failed", failure=("AllocationFailed", "no room")))
    assert failed.move is Move.FAILED
    assert "AllocationFailed: no room" in failed.message


@pytest.mark.parametrize(
    ("power", "waited_s", "move", "reason"),
    [
        (Power.RUNNING, 10, Move.WAIT, None),
        (Power.STOPPED, 10, Move.DONE, None),
        (Power.STOPPED, 9999, Move.DONE, None),
        (Power.RUNNING, 600, Move.FAILED, MonthReason.BUILD_TIMED_OUT),
        (Power.DEALLOCATED, 10, Move.FAILED, MonthReason.BUILD_FAILED),
    ],
)
def test_a_machine_that_powers_itself_off_is_done(
    power: Power, waited_s: float, move: Move, reason: MonthReason | None
) -> None:
    """A machine that powered itself off is done at any time; one that was deallocated, or never stops, has failed."""
    standing = judge_powered_off(machine(power), waited_s, 600)
    assert standing.move is move
    assert reason is None or standing.reason is reason
    assert judge_powered_off(None, 1, 600).move is Move.FAILED


@pytest.mark.parametrize(
    ("log", "well"),
    [
        ("boot\r\nREFRESH-BUILD-OK\r\n", True),
        ("login: \nREFRESH-BUILD-OK \n[ 99.1] systemd: Powering off\n", True),
        ("REFRESH-BUILD-FAILED\n", False),
        ("REFRESH-BUILD-OK\nREFRESH-BUILD-FAILED\n", False),
        ("[ 12.0] cloud-init[99]: REFRESH-BUILD-OK\n", False),
        ("echo REFRESH-BUILD-OK\n", False),
        ("", False),
        (None, False),
    ],
)
def test_only_a_line_of_the_machine_itself_is_success(log: str | None, well: bool) -> None:
    """The marker must be a line of its own and the last result; without a log the build has failed."""
    standing = judge_log(log)
    assert (standing.move is Move.DONE) is well
    assert well or standing.reason is MonthReason.NO_MARKER


def test_the_tail_of_a_log_is_short_and_printable() -> None:
    """The tail has few lines, none of them empty, and no control characters."""
    tail = tail_of("\n".join(f"line {number}\x1b[2J" for number in range(50)) + "\n\n\r\n")
    assert len(tail) == 12
    assert tail[-1] == "line 49[2J"
    assert tail_of(None) == ()


def test_the_build_vm_has_no_way_in() -> None:
    """There is no public address, password or extension; the key is the admin's, else the given one."""
    body = build_vm_body(make_definition(), RECIPE, FACTS, GROUP, b"data", "ssh-rsa AAAA test")
    profile = body["properties"]["osProfile"]
    assert profile["allowExtensionOperations"] is False
    assert profile["linuxConfiguration"]["disablePasswordAuthentication"] is True
    assert profile["linuxConfiguration"]["ssh"]["publicKeys"][0]["keyData"] == "ssh-rsa AAAA test"
    assert "adminPassword" not in profile
    assert "publicIPAddress" not in str(nic_body("westeurope", SUBNET))
    admin = Recipe(IMAGE, "", "d", admin=Admin("ops", "ssh-ed25519 BBBB"))
    own = build_vm_body(make_definition(), admin, FACTS, GROUP, b"", "ssh-rsa AAAA")["properties"]["osProfile"]
    assert own["adminUsername"] == "ops"
    assert own["linuxConfiguration"]["ssh"]["publicKeys"] == [
        {"path": "/home/ops/.ssh/authorized_keys", "keyData": "ssh-ed25519 BBBB"}
    ]


def test_a_paid_image_names_its_plan_and_the_vm_follows_the_definition() -> None:
    """Purchase plan, exact version, Trusted Launch and an Arm64 size follow the image and the definition."""
    plan = Plan("resf", "rocky", "9")
    launch = make_definition(security_type="TrustedLaunch")
    body = build_vm_body(launch, RECIPE, ImageFacts(IMAGE, plan=plan), GROUP, b"", "k")
    assert body["plan"] == {"publisher": "resf", "product": "rocky", "name": "9"}
    assert body["properties"]["storageProfile"]["imageReference"]["version"] == "24.04.1"
    assert body["properties"]["securityProfile"]["securityType"] == "TrustedLaunch"
    assert proof_disk_body(launch, VERSION_ID)["properties"]["securityProfile"] == {"securityType": "TrustedLaunch"}
    for generation in ("V1", "V2"):
        disk = proof_disk_body(make_definition(generation=generation), VERSION_ID)
        assert disk["properties"]["hyperVGeneration"] == generation
    arm = proof_vm_body(make_definition(architecture="Arm64"), GROUP)["properties"]
    assert arm["hardwareProfile"]["vmSize"] == "Standard_D2ps_v5"
    assert arm["storageProfile"]["osDisk"]["createOption"] == "Attach"
    assert "osProfile" not in arm


def test_a_recipe_that_does_not_fit_its_definition_is_refused() -> None:
    """Windows, Trusted Launch where Azure captures no VM, another generation and another architecture are refused."""
    windows = check_definition(make_definition(os_type="Windows"))
    assert windows is not None
    assert "does not process custom data" in windows.message
    assert check_definition(make_definition(security_type="TrustedLaunchSupported")) is not None
    assert check_definition(make_definition()) is None
    assert check_image(make_definition(), FACTS) is None
    assert check_image(make_definition(generation="V1"), FACTS) is not None
    assert check_image(make_definition(architecture="Arm64"), FACTS) is not None
    assert (
        check_image(make_definition(security_type="TrustedLaunch"), ImageFacts(IMAGE, "Linux", "V2", "x64")) is not None
    )


def test_a_group_names_its_run_and_how_to_delete_it() -> None:
    """Each run has its own group; its tags name the run and its commands delete it."""
    assert group_id(SUBNET, "build", DEFINITION_ID, "recipe-1") == GROUP
    assert group_id(SUBNET, "build", DEFINITION_ID, "recipe-2") != GROUP
    long = group_id(SUBNET, "build", f"{DEFINITION_ID}.{'x' * 80}", "r").rsplit("/", 1)[-1]
    assert len(long) <= 90
    assert "." not in long
    assert group_tags("build", DEFINITION_ID, "recipe-1", "t")["RefreshRun"] == "recipe-1"
    assert GROUP.rsplit("/", 1)[-1] in delete_commands(GROUP)[-1]
