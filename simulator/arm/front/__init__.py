"""The HTTP face of the simulated ARM."""
