"""Activities that list and delete disks and image versions that are no longer needed."""
