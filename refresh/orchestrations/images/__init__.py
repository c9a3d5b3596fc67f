"""Orchestrations that build image versions."""
