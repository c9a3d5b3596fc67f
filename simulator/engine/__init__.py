"""Durable engines of the local Functions host: the simulator's own hub, or Microsoft's Durable extension.

`contract` is what an engine owes the host; `simulated` and `azure_storage` are the two; `kinds` names them.
"""
