"""The functions that reach Azure: each reads, decides through the domain, acts, and returns one record.

A folder for each capability; its `__init__` names the functions to register. Orchestrations call them by name.
"""
