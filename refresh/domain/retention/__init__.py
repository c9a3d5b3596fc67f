"""Which disks and image versions are no longer needed, and why the others stay (`removal_reason.py`)."""
