"""A function app for the tests of the local Functions host; the host loads its `function_app.py` from this directory."""
