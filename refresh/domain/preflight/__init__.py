"""The checks before downtime, each with its reason."""
