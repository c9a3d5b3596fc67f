"""Protocols for the outside world and the errors that they raise."""
