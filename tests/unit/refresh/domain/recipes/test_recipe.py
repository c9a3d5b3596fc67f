"""What a recipe can contain: all faults are reported together, each with its cure, and credentials are refused."""

from __future__ import annotations

import email
import re
import subprocess
from pathlib import Path

import pytest

from refresh.domain.recipes.custom_data import MAX_BYTES, write_custom_data
from refresh.domain.recipes.recipe import Admin, MarketplaceImage, Recipe, read_recipe

TOML = '[image]\npublisher = "Canonical"\noffer = "ubuntu-24_04-lts"\nsku = "server"\n'
CLOUD = "#cloud-config\npackages: [nginx]\n"
KEY = "ssh-ed25519 " + "A" * 68 + " ops@example"
ADMIN = f'{TOML}[admin]\nname = "ops"\npublic_key = "{KEY}"\n'


def recipe(toml: str = TOML, cloud: str = CLOUD) -> Recipe:
    read = read_recipe(toml, cloud)
    assert isinstance(read, Recipe), read
    return read


def faults(toml: str = TOML, cloud: str = CLOUD) -> tuple[str, ...]:
    read = read_recipe(toml, cloud)
    assert not isinstance(read, Recipe)
    return read


def test_a_recipe_needs_an_image_and_nothing_else() -> None:
    """Size, disk, timeout and user have defaults; the digest changes with every letter of either file."""
    least = recipe()
    assert least.image == MarketplaceImage("Canonical", "ubuntu-24_04-lts", "server", "latest")
    assert (least.size, least.disk_gb, least.timeout_s, least.admin) == ("Standard_D2s_v5", None, 3600.0, None)
    full = recipe(f'{ADMIN}[vm]\nsize = "Standard_B2s"\ndisk_gb = 64\n[build]\ntimeout_minutes = 90\n')
    assert (full.size, full.disk_gb, full.timeout_s) == ("Standard_B2s", 64, 5400.0)
    assert full.admin == Admin("ops", KEY)
    assert len({least.digest, full.digest, recipe(cloud=CLOUD + "\n").digest}) == 3


def test_every_fault_is_reported_at_once() -> None:
    """One reading reports every fault in a sentence that names its place."""
    problems = faults(
        '[image]\nsku = "a b"\n[vm]\nsize = 3\ncores = 4\n[build]\ntimeout_minutes = 0\n[disk]\nx = 1\n', "packages: []"
    )
    places = ("publisher", "offer", "sku", "size", "'cores'", "timeout_minutes", "'disk'", "#cloud-config")
    assert len(problems) == len(places)
    assert all(any(place in line for line in problems) for place in places)
    assert faults("image = 1") and faults("[image")


@pytest.mark.parametrize(
    ("toml", "cloud", "line_part"),
    [
        (TOML, f"{CLOUD}users:\n  - name: a\n    plain_text_passwd: x\n", "plain_text_passwd"),
        (TOML, f"{CLOUD}chpasswd: {{list: 'a:b'}}\n", "chpasswd"),
        (TOML, f"{CLOUD}password: x\n", "password"),
        (TOML, f"{CLOUD}ssh_pwauth: True\n", "ssh_pwauth"),
        (TOML, f"{CLOUD}write_files:\n - content: |\n    -----BEGIN OPENSSH PRIVATE KEY-----\n", "private key"),
        (f"{TOML}# -----BEGIN RSA PRIVATE KEY-----\n", CLOUD, "private key"),
        (ADMIN.replace(KEY, "-----BEGIN RSA PRIVATE KEY-----"), CLOUD, "public_key"),
        (ADMIN.replace(KEY, "hunter2"), CLOUD, "public_key"),
        (f'{TOML}[admin]\nname = "ops"\npassword = "x"\n', CLOUD, "'password'"),
    ],
)
def test_a_recipe_holds_no_credential(toml: str, cloud: str, line_part: str) -> None:
    """Secrets are refused by name: users log in with a public key only."""
    assert any(line_part in line for line in faults(toml, cloud))


def test_the_app_powers_the_machine_off_not_the_recipe() -> None:
    """A recipe that powers the machine off before the marker is written is refused."""
    assert "remove it" in faults(cloud=f"{CLOUD}power_state:\n  mode: poweroff\n")[0]


def parts_of(recipe: Recipe, *, generalized: bool) -> dict[str, str]:
    data = write_custom_data(recipe, generalized=generalized)
    assert isinstance(data, bytes)
    found = {}
    for part in email.message_from_bytes(data).walk():
        content = part.get_payload(decode=True)
        if isinstance(content, bytes):
            found[part.get_content_type()] = content.decode()
    return found


def test_custom_data_is_the_recipe_and_the_signal() -> None:
    """The recipe's text comes first, unchanged; the app adds the marker and the power-off; no port is opened."""
    parts = parts_of(recipe(), generalized=False)
    assert parts["text/cloud-config"] == CLOUD
    script = parts["text/x-shellscript"]
    order = [script.index(piece) for piece in ("cloud-init status --wait", "REFRESH-BUILD-OK", "FAILED", "poweroff")]
    assert order == sorted(order)
    assert not re.search(r"ssh[^_]*-L|sshd|nc -l|curl|wget", script)


@pytest.mark.parametrize(
    ("toml", "generalized", "does", "never"),
    [
        (TOML, False, "userdel -rf refreshbuild", "deprovision"),
        (ADMIN, False, "{ true; }", "userdel"),
        (TOML, True, "waagent -deprovision+user -force", "{ true; }"),
        (ADMIN, True, "waagent -deprovision -force", "+user"),
    ],
)
def test_only_the_recipes_own_user_stays_in_the_image(toml: str, generalized: bool, does: str, never: str) -> None:
    """The user that ARM requires is removed.

    A generalised image loses the machine's identity but keeps the recipe's admin.
    """
    script = parts_of(recipe(toml), generalized=generalized)["text/x-shellscript"]
    assert does in script
    assert never not in script


def test_a_recipe_too_long_for_azure_is_refused() -> None:
    """Azure accepts 65,535 bytes of custom data."""
    problems = write_custom_data(recipe(cloud=f"#cloud-config\n# {'x' * MAX_BYTES}\n"), generalized=False)
    assert isinstance(problems, str)
    assert "65535" in problems


@pytest.mark.parametrize(
    ("result", "userdel", "line"),
    [
        ('{"v1": {"datasource": "DataSourceAzure", "errors": []}}', "exit 0", "REFRESH-BUILD-OK"),
        ('{"v1": {"datasource": "DataSourceAzure", "errors": ["x"]}}', "exit 0", "REFRESH-BUILD-FAILED"),
        ('{"v1": {"datasource": "DataSourceAzure", "errors": []}}', "exit 1", "REFRESH-BUILD-FAILED"),
        ("", "exit 0", "REFRESH-BUILD-FAILED"),
    ],
)
def test_the_signal_is_a_script_that_a_shell_runs(tmp_path: Path, result: str, userdel: str, line: str) -> None:
    """A real shell writes the marker to the consoles only without errors of cloud-init, and always powers off."""
    commands = tmp_path / "bin"
    commands.mkdir()
    stubs = {
        "cloud-init": "exit 0",
        "userdel": userdel,
        "sync": "exit 0",
        "systemctl": f'echo "$1" >>{tmp_path}/asked',
        "systemd-run": 'shift; exec "$@"',
    }
    for name, text in stubs.items():
        (commands / name).write_text(f"#!/bin/sh\n{text}\n")
        (commands / name).chmod(0o755)
    (tmp_path / "cloud-init").mkdir()
    (tmp_path / "cloud-init" / "result.json").write_text(result)
    (tmp_path / "active").write_text("tty1 ttyS0\n")
    script = parts_of(recipe(), generalized=False)["text/x-shellscript"]
    for real, replacement in (
        ("/run/", f"{tmp_path}/"),
        ("/sys/class/tty/console/", f"{tmp_path}/"),
        ("/dev/$", f"{tmp_path}/$"),
    ):
        script = script.replace(real, replacement)
    (tmp_path / "finish").write_text(script)
    subprocess.run(["/bin/sh", str(tmp_path / "finish")], check=True, env={"PATH": f"{commands}:/usr/bin:/bin"})
    assert (tmp_path / "ttyS0").read_text() == f"\n{line}\n"
    assert (tmp_path / "tty1").read_text() == f"\n{line}\n"
    assert (tmp_path / "asked").read_text() == "poweroff\n"
