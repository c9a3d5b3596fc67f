"""Recipes: `recipe.toml` and `cloud-init.yaml`, from which an image is made without a login.

Decides which keys there are and which values each accepts; all faults are reported together, each with its cure. A
recipe is deployed with the app and has many readers, so it must hold no credential: a text that looks like one is a
fault. Does not know where the files are or what is done with them.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

DEFAULT_SIZE = "Standard_D2s_v5"
DEFAULT_TIMEOUT_MINUTES = 60
LONGEST_TIMEOUT_MINUTES = 360

_KEYS: Mapping[str, frozenset[str]] = {
    "image": frozenset({"publisher", "offer", "sku", "version"}),
    "vm": frozenset({"size", "disk_gb"}),
    "build": frozenset({"timeout_minutes"}),
    "admin": frozenset({"name", "public_key"}),
}
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_SIZE = re.compile(r"[A-Za-z]+_[A-Za-z0-9_-]{1,60}")
_USER = re.compile(r"[a-z_][a-z0-9_-]{0,30}")
# https://learn.microsoft.com/azure/virtual-machines/linux/mac-create-ssh-keys#supported-ssh-key-formats
_PUBLIC_KEY = re.compile(r"(?:ssh-rsa|ssh-ed25519) [A-Za-z0-9+/]{40,}={0,2}(?: [^\r\n]*)?")
_PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY")
_PASSWORD = re.compile(r"^\s*-?\s*(passwd|plain_text_passwd|hashed_passwd|password|chpasswd)\s*:", re.MULTILINE)
_PASSWORD_LOGIN = re.compile(r"^\s*ssh_pwauth\s*:\s*[\"']?(?:true|yes|on|1)\b", re.MULTILINE | re.IGNORECASE)
_POWER_STATE = re.compile(r"^power_state\s*:", re.MULTILINE)


@dataclass(frozen=True)
class MarketplaceImage:
    """A marketplace image; `version` is a number or `latest`."""

    publisher: str
    offer: str
    sku: str
    version: str = "latest"

    def __str__(self) -> str:
        """The URN, as the Azure CLI writes it."""
        return f"{self.publisher}:{self.offer}:{self.sku}:{self.version}"


@dataclass(frozen=True)
class Admin:
    """A user of the image, who logs in with the private half of `public_key`."""

    name: str
    public_key: str


@dataclass(frozen=True)
class Recipe:
    """What an image is made from. `digest` identifies the exact text of both files."""

    image: MarketplaceImage
    cloud_init: str
    digest: str
    size: str = DEFAULT_SIZE
    disk_gb: int | None = None
    timeout_s: float = DEFAULT_TIMEOUT_MINUTES * 60.0
    admin: Admin | None = None


def read_recipe(toml: str, cloud_init: str) -> Recipe | tuple[str, ...]:
    """The recipe in the texts of its two files, or each of their faults as a sentence."""
    try:
        document = tomllib.loads(toml)
    except tomllib.TOMLDecodeError as fault:
        return (f"recipe.toml is not TOML: {fault}",)
    faults = [*_unknown(document), *_faults(document), *_cloud_init_faults(cloud_init)]
    faults += ["recipe.toml holds a private key; a recipe can hold public keys only"] * bool(_PRIVATE_KEY.search(toml))
    if faults:
        return tuple(faults)
    image, vm, admin = document["image"], document.get("vm", {}), document.get("admin")
    minutes = document.get("build", {}).get("timeout_minutes", DEFAULT_TIMEOUT_MINUTES)
    return Recipe(
        image=MarketplaceImage(image["publisher"], image["offer"], image["sku"], image.get("version", "latest")),
        cloud_init=cloud_init,
        digest=hashlib.sha256(f"{toml}\0{cloud_init}".encode()).hexdigest()[:12],
        size=vm.get("size", DEFAULT_SIZE),
        disk_gb=vm.get("disk_gb"),
        timeout_s=minutes * 60.0,
        admin=Admin(admin["name"], admin["public_key"]) if admin else None,
    )


def _unknown(document: Mapping[str, Any]) -> Iterator[str]:
    for table, values in document.items():
        if table not in _KEYS:
            yield f"recipe.toml has {table!r}; it takes {', '.join(f'[{name}]' for name in _KEYS)}"
        elif not isinstance(values, dict):
            yield f"{table} in recipe.toml must be a table: [{table}]"
        else:
            strange = (key for key in values if key not in _KEYS[table])
            yield from (f"[{table}] has {key!r}; it takes {', '.join(sorted(_KEYS[table]))}" for key in strange)


def _faults(document: Mapping[str, Any]) -> Iterator[str]:
    image, vm, build, admin = (_table(document, name) for name in ("image", "vm", "build", "admin"))
    for key in ("publisher", "offer", "sku"):
        if not _fits(_NAME, image.get(key)):
            yield f"[image] {key} must be a name from the marketplace, such as one that `az vm image list` shows"
    if not _fits(_NAME, image.get("version", "latest")):
        yield '[image] version must be "latest" or a version\'s number'
    if not _fits(_SIZE, vm.get("size", DEFAULT_SIZE)):
        yield f'[vm] size must be a VM size, such as "{DEFAULT_SIZE}"'
    if not _is_between(vm.get("disk_gb", 30), 1, 4095):
        yield "[vm] disk_gb must be a whole number from 1 to 4095"
    if not _is_between(build.get("timeout_minutes", DEFAULT_TIMEOUT_MINUTES), 1, LONGEST_TIMEOUT_MINUTES):
        yield f"[build] timeout_minutes must be a whole number from 1 to {LONGEST_TIMEOUT_MINUTES}"
    if admin and not _fits(_USER, admin.get("name")):
        yield "[admin] name must be a Linux user's name"
    if admin and not _fits(_PUBLIC_KEY, admin.get("public_key")):
        yield "[admin] public_key must be one line that begins with ssh-ed25519 or ssh-rsa (the .pub file)"


def _cloud_init_faults(text: str) -> Iterator[str]:
    if not text.startswith("#cloud-config"):
        yield "cloud-init.yaml must begin with the line #cloud-config"
    if _POWER_STATE.search(text):
        yield "cloud-init.yaml has power_state; remove it: the app powers the VM off when cloud-init has ended"
    if _PRIVATE_KEY.search(text):
        yield "cloud-init.yaml holds a private key; every VM from the image would share it"
    if (found := _PASSWORD.search(text)) or _PASSWORD_LOGIN.search(text):
        key = found.group(1) if found else "ssh_pwauth"
        yield f"cloud-init.yaml has {key}; an image has no passwords: give [admin] a public key in recipe.toml"


def _table(document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = document.get(name)
    return found if isinstance(found, dict) else {}


def _fits(pattern: re.Pattern[str], value: object) -> bool:
    return isinstance(value, str) and bool(pattern.fullmatch(value))


def _is_between(value: object, low: int, high: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high
