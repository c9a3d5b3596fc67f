"""Durable engines of the local Functions host: the simulator's own hub, or Microsoft's Durable extension.

`contract` is the interface of an engine; `simulated` and `azure_storage` implement it; `kinds` has their names.
"""
