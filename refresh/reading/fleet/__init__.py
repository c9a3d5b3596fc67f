"""Reads of VMs and disks, one by one or from lists of subscriptions."""
