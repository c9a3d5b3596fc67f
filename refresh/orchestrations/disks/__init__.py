"""Orchestrations of the month: disks, tags, and the month as a whole."""
