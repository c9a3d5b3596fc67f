"""Disks and snapshots."""
