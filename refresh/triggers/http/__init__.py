"""The HTTP API: routes, requests, problems."""
