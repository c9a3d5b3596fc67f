"""Azure's resources as plain values, its refusals and capacity errors, and how often it is read."""
