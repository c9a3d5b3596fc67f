"""A function app for tests of the local Functions host, which loads `function_app.py` from this directory."""
