"""Activities that make the month's disks and write the month's tags."""
