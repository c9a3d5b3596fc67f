"""The SSH key that ARM requires of a new VM, for VMs without logins."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

# ARM accepts `ssh-rsa` keys of 2048 bits and more everywhere:
# https://learn.microsoft.com/rest/api/compute/virtual-machines/create-or-update#sshpublickey
_BITS = 2048


def make_public_key() -> str:
    """An SSH public key whose private half is dropped before this function returns and is never stored.

    Each call makes another key: a VM whose PUT was sent twice has one of the two, and neither can be used to log in.
    """
    key = rsa.generate_private_key(public_exponent=65537, key_size=_BITS)
    return key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
