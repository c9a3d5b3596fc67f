"""A build VM cannot be reached from outside, and no secret of a build is stored."""

from __future__ import annotations

import asyncio
import base64
import json
import logging
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from tests.support.worlds.month_world import HostedWorld
from tests.support.worlds.recipe_world import groups_left, machines, on_recipes, recipe_bodies, until

NETWORK = "Microsoft.Network"


def spellings(key: rsa.RSAPrivateKey) -> list[str]:
    """The texts by which a private or public key can be stored: numbers, PEM, OpenSSH."""
    private = key.private_numbers()
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    public = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode().split()[1]
    halves = [private.d, private.p, private.q]
    return [public, pem.splitlines()[5], *(str(number) for number in halves), *(f"{number:x}" for number in halves)]


def everything_kept(world: HostedWorld) -> str:
    """Everything that Durable stores: inputs, outputs, every event of every history, entities, and the hub's trace."""
    kept: list[str] = [repr(list(world.hub.trace))]
    for instance in world.hub.orchestrations.instances.values():
        kept.append(repr(instance))
        for part in vars(instance).values():
            kept.append(str(part))
            if hasattr(part, "__iter__") and not isinstance(part, str):
                kept += [str(each) for each in part]
    kept += [repr(vars(entity)) for entity in world.hub.entities.entities.values()]
    return "\n".join(kept)


def test_no_secret_of_a_build_is_kept_anywhere(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Keys and custom data of a build are in no history, log, setting or journal; ARM does not return custom data."""
    made: list[rsa.RSAPrivateKey] = []
    generate = rsa.generate_private_key

    def watched(*args: Any, **kwargs: Any) -> rsa.RSAPrivateKey:
        made.append(generate(*args, **kwargs))
        return made[-1]

    monkeypatch.setattr("refresh.activities.recipes.one_time_key.rsa.generate_private_key", watched)
    caplog.set_level(logging.DEBUG)

    async def story(world: HostedWorld) -> None:
        run = world.hub.start("create_images", {}, None)
        await until(lambda: machines(world))
        (machine,) = machines(world)
        profile = machine.properties["osProfile"]
        assert "customData" not in profile
        assert "adminPassword" not in profile
        assert profile["linuxConfiguration"]["ssh"]["publicKeys"][0]["keyData"].split()[1] in spellings(made[0])
        await world.hub.completed(run)
        assert world.hub.output(run)["status"] == "succeeded"
        custom_data = base64.b64decode(machine.state.custom_data)
        secrets = [text for key in made for text in spellings(key)]
        journal = json.dumps(world.simulator.journal.to_json(world.clock.now()))
        stored = {
            "history": everything_kept(world),
            "logs": caplog.text,
            "settings": repr(world.settings),
            "journal": journal,
        }
        assert str(machine.id.group) in stored["history"]
        assert "machine" in stored["journal"]
        for where, text in stored.items():
            assert not [secret for secret in secrets if secret in text], where
            assert machine.state.custom_data[200:260] not in text, where
            assert "zz-finish.sh" not in text, where
        assert b"zz-finish.sh" in custom_data

    on_recipes(recipe_bodies(), story)


def test_the_machine_cannot_be_reached_while_it_is_built() -> None:
    """The build VM has no public address, no inbound rule, no extension and no run command."""

    async def story(world: HostedWorld) -> None:
        run = world.hub.start("create_images", {}, None)
        await until(lambda: groups_left(world))
        groups = groups_left(world)
        await asyncio.sleep(240)
        kinds = {record.id.type for record in world.simulator.store.everything() if groups[0] in record.id.text}
        assert kinds == {
            "Microsoft.Resources/resourceGroups",
            "Microsoft.Compute/virtualMachines",
            "Microsoft.Compute/disks",
            f"{NETWORK}/networkInterfaces",
        }
        for record in world.simulator.store.everything():
            if groups[0] not in record.id.text:
                continue
            text = json.dumps(record.body)
            assert "publicIPAddress" not in text
            assert "networkSecurityGroup" not in text
            if record.id.type.endswith("virtualMachines"):
                assert record.properties["osProfile"]["allowExtensionOperations"] is False
                linux = record.properties["osProfile"]["linuxConfiguration"]
                assert linux["disablePasswordAuthentication"] is True
        await world.hub.completed(run)
        ways_in = ("runcommand", "extensions", "publicipaddresses", "securityrules", "networksecuritygroups")
        paths = " ".join(row["path"].lower() for row in world.requests())
        assert not [way for way in ways_in if way in paths]

    on_recipes(recipe_bodies(), story)
