"""Orchestrators: replay-safe generators that decide the order of activities and nothing else.

A folder for each capability; its `__init__` names the orchestrations to register.
"""
