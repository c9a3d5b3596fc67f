"""The HTTP front end of the simulated ARM."""
