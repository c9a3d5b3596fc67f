"""The rights of the app after a deployment of `infra/`: the role files and the scopes at which Bicep assigns them.

Decides which role applies at which scope. Does not know how the app uses them. The scopes are those of Bicep: swaps
only in the group of `swapGroups`, image builds only in the app's own group.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from tests.support.worlds.builders import GALLERY, GROUP, SUBSCRIPTION

FILES = Path(__file__).parents[3] / "infra" / "roles"
APP_GROUP = GALLERY.partition("/providers/")[0]
FLEET = f"/subscriptions/{SUBSCRIPTION}"
# The app's managed identity, and the bearer token of people, who have all rights: only the app's are tested.
APP = "33333333-3333-4333-8333-333333333333"
PEOPLE = "test"
STORAGE = f"{GROUP}/providers/Microsoft.Storage/storageAccounts/packedimages"

# Roles that are always assigned, and roles that a parameter of main.bicep assigns.
ALWAYS = (("reader", FLEET), ("reader", APP_GROUP), ("swapper", GROUP), ("builder", APP_GROUP))
WITH: Mapping[str, tuple[tuple[str, str], ...]] = {
    "retentionDeletes": (("cleaner", GROUP),),
    "recipeBuilds": (("build-network", APP_GROUP), ("recipes", FLEET)),
    "vhdStorageAccounts": (("vhd-source", STORAGE),),
}

type Right = tuple[str, str]


def actions_of(role: str) -> list[str]:
    """The actions of a role file, in its order."""
    return [str(grant["action"]) for grant in json.loads((FILES / f"{role}.json").read_text())["grants"]]


def assigned(*parameters: str, without: Iterable[Right] = ()) -> list[dict[str, Any]]:
    """The role assignments of a deployment with these parameters, less the (role, action) pairs `without`."""
    lacking = set(without)
    assignments = (*ALWAYS, *(each for parameter in parameters for each in WITH[parameter]))
    of_app = [
        {
            "scope": scope,
            "actions": [action for action in actions_of(role) if (role, action) not in lacking],
            "principal": APP,
        }
        for role, scope in assignments
    ]
    return [*of_app, {"scope": "/", "actions": ["*"], "principal": PEOPLE}]


def every_right(*roles: str) -> list[Right]:
    """(role, action) for every action of the role files."""
    return [(role, action) for role in roles for action in actions_of(role)]


def denials(requests: Iterable[Mapping[str, Any]]) -> list[str]:
    """Every request that ARM refused because of a missing right."""
    return [f"{row['method']} {row['path']}" for row in requests if row["status"] == 403]
