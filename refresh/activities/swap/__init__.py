"""Activities of looks and swaps: read VMs, prepare, stop, change the OS disk, start, verify, write tags."""
