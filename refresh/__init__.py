"""Keeps the OS disks of existing, named Azure VMs fresh without deleting a VM."""

__version__ = "0.1.0"
"""The version of the app; CHANGELOG.md describes it and pyproject.toml reads it from here."""
