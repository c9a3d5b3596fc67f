"""Plans of the month's disks and tags, from what Azure shows."""
