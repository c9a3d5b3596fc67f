"""Orchestrations that run a recipe and prove a version."""
