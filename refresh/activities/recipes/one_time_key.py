"""The key that ARM demands of a new VM that nobody is ever to log in to."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

# ARM takes `ssh-rsa` of 2048 bits and more everywhere:
# https://learn.microsoft.com/rest/api/compute/virtual-machines/create-or-update#sshpublickey
_BITS = 2048


def make_public_key() -> str:
    """An SSH public key whose private half is dropped before this function ends: nobody has it, nobody can leak it.

    Each call makes another one, so that a VM whose making was tried twice has one of the two; neither opens anything.
    """
    key = rsa.generate_private_key(public_exponent=65537, key_size=_BITS)
    return key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
