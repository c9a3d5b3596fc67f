"""The real Azure CLI in its own environment, connected to a simulator on loopback only.

`make az-venv` creates the environment; it is kept between runs and created again when the pinned version changes.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]

# The CLI's token endpoint without an identity endpoint: keeps it from calling the real metadata service.
_GUARD = "AZURE_POD_IDENTITY_AUTHORITY_HOST"


@dataclass
class AzFailed(Exception):
    """The CLI ended with an exit code other than 0."""

    code: int
    stderr: str


@dataclass(frozen=True)
class Az:
    """The CLI, configured for one simulator."""

    executable: Path
    env: dict[str, str]

    def __call__(self, *arguments: str) -> Any:
        """Run `az <arguments>` and return its JSON (None without output). Raises AzFailed."""
        done = subprocess.run(
            [str(self.executable), *arguments, "--output", "json"], env=self.env, capture_output=True, text=True
        )
        if done.returncode:
            raise AzFailed(done.returncode, done.stderr)
        return json.loads(done.stdout) if done.stdout.strip() else None


def executable() -> Path:
    """The pinned CLI; the Makefile installs or updates it."""
    subprocess.run(["make", "--silent", "az-venv"], cwd=ROOT, check=True, stdout=sys.stderr)
    return ROOT / ".az-venv" / "bin" / "az"


def signed_out(endpoints: dict[str, str], folder: Path) -> Az:
    """The CLI on loopback with an empty configuration in `folder`; `endpoints` is a simulator's ready line."""
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "REQUESTS_CA_BUNDLE": endpoints["ca_file"],
        "AZURE_CONFIG_DIR": str(folder),
        "AZURE_CORE_COLLECT_TELEMETRY": "0",
        "AZURE_CORE_SURVEY_MESSAGE": "0",
        "AZURE_EXTENSION_USE_DYNAMIC_INSTALL": "no",
        "IDENTITY_ENDPOINT": endpoints["identity_endpoint"],
        "IDENTITY_HEADER": endpoints["identity_header"],
        _GUARD: endpoints["arm"],
    }
    return Az(executable(), env)


def for_simulator(endpoints: dict[str, str], subscription: str, tenant: str, folder: Path) -> Az:
    """The CLI signed in to the simulator of `endpoints`, without a login: its configuration is written to `folder`."""
    arm = endpoints["arm_tls"]
    (folder / "config").write_text("[cloud]\nname = LocalArm\n[core]\ncollect_telemetry = false\n")
    cloud = {
        "endpoint_resource_manager": arm,
        "endpoint_management": arm,
        "endpoint_active_directory": arm,
        "endpoint_active_directory_resource_id": f"{arm}/",
        "subscription": subscription,
    }
    lines = ["[LocalArm]", *(f"{key} = {value}" for key, value in cloud.items())]
    (folder / "clouds.config").write_text("\n".join(lines) + "\n")
    (folder / "azureProfile.json").write_text(json.dumps(_profile(subscription, tenant)))
    return signed_out(endpoints, folder)


def _profile(subscription: str, tenant: str) -> dict[str, Any]:
    user = {"name": "systemAssignedIdentity", "type": "servicePrincipal", "assignedIdentityInfo": "MSI"}
    entry = {
        "id": subscription,
        "name": "Sandbox",
        "state": "Enabled",
        "user": user,
        "isDefault": True,
        "tenantId": tenant,
        "environmentName": "LocalArm",
        "homeTenantId": tenant,
        "managedByTenants": [],
    }
    return {"subscriptions": [entry]}
