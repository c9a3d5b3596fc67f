"""Guests of VMs: boot, cloud-init, serial log."""
