"""The orchestrations of a self-check."""
