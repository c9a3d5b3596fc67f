"""Commands around the app: packaging, deployment hooks, a client of its API. None of it is deployed."""
