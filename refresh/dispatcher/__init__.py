"""The dispatcher: the one durable entity of the app, and the pure operations on its state."""
