"""Keeps the OS disks of existing, named Azure VMs fresh without deleting a VM."""
