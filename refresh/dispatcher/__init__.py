"""The durable entities of the app, and the pure operations on their states."""
